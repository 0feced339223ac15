#include "daemon/catalog/counters.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace fwd;
using namespace fwd::catalog;

namespace {

struct fixture {
    std::shared_ptr<counter_board> board = std::make_shared<counter_board>(wall_time{} + 1000s);

    /// Looks `later` than the last time; how many it was told of.
    int look(duration later = 1s)
    {
        int told = 0;
        board->look(board->looked() + later, [&told](const counters&) { ++told; });
        return told;
    }
};

} // namespace

TEST_CASE("a look walks what is in use, and lets go of what rests", "[catalog]")
{
    fixture f;
    std::vector<std::shared_ptr<counters>> many;
    for (int i = 0; i < 100; ++i) many.push_back(f.board->make());
    CHECK(f.look() == 0);
    CHECK(f.board->in_use() == 0);

    many[7]->began();
    CHECK(f.look() == 0); // open, but nothing has moved
    CHECK(f.board->in_use() == 1);
    many[7]->bytes_out += 300;
    CHECK(f.look(3s) == 1);
    CHECK(many[7]->meter.rate().out == 100);
    many[7]->bytes_out += 5;
    many[7]->ended();
    CHECK(f.look() == 1);
    CHECK(f.look() == 1); // the rate that was shown has ended
    CHECK(f.look() == 0);
    CHECK(f.board->in_use() == 0);
    CHECK(many[7]->meter.total().out == 305);
    CHECK(many[7]->connections == 1);
}

TEST_CASE("after a long rest a rate is about the time since the last look", "[catalog]")
{
    fixture f;
    const auto one = f.board->make();
    for (int i = 0; i < 100; ++i) f.look();
    one->began();
    one->bytes_in += 1000;
    one->ended();
    CHECK(f.look() == 1);
    CHECK(one->meter.rate().in == 1000);
    CHECK(one->average(f.board->looked() - 10s).in == 100);
    CHECK(one->average(f.board->looked()).in == 0); // just made
}

TEST_CASE("connections that follow each other note their counters once", "[catalog]")
{
    fixture f;
    const auto one = f.board->make();
    for (int i = 0; i < 1000; ++i) {
        one->began();
        one->ended();
    }
    f.look();
    CHECK(f.board->in_use() == 0); // nothing moved, nothing is open
    one->began();
    f.look();
    one->ended();
    one->began();
    f.look();
    CHECK(f.board->in_use() == 1);
}

TEST_CASE("counters that are gone are forgotten", "[catalog]")
{
    fixture f;
    auto one = f.board->make();
    one->began();
    f.look();
    one.reset();
    CHECK(f.look() == 0);
    CHECK(f.board->in_use() == 0);
}

TEST_CASE("no byte is missed, however a look and a connection fall together", "[catalog]")
{
    fixture f;
    const auto one = f.board->make();
    constexpr int rounds = 100'000;
    std::atomic<bool> over{false};
    std::thread data{[&] {
        for (int i = 0; i < rounds; ++i) {
            one->began();
            one->bytes_in.fetch_add(1, std::memory_order_relaxed);
            one->ended();
            if (i % 64 == 0) std::this_thread::yield();
        }
        over = true;
    }};
    while (!over) f.look(1ms);
    data.join();
    for (int i = 0; i < 3; ++i) f.look();
    CHECK(one->meter.total().in == rounds);
    CHECK(f.board->in_use() == 0);
}
