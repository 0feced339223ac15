#include "tests/simcluster/bed.hpp"

using namespace fwd;
using namespace fwd::simcluster;
using namespace fwd::simcluster::test;

namespace {

struct slow_link {
    explicit slow_link(duration one_way)
    {
        auto [a, b] = fwd::test::make_memory_pair(loop.get_executor());
        far = std::move(a);
        near = std::make_unique<unruly_stream>(std::move(b), loop.get_executor(), clock, one_way);
    }
    static bool write(data_stream& to, std::string_view text)
    {
        const iovec piece{const_cast<char*>(text.data()), text.size()};
        const auto step = to.try_writev({&piece, 1});
        return step.what == io_step::state::moved && step.bytes == text.size();
    }
    std::string read(data_stream& from)
    {
        clock.settle();
        std::array<std::byte, 1024> room;
        const auto step = from.try_read(room);
        last = step.what;
        return step.what == io_step::state::moved ? std::string{as_text(std::span{room}.first(step.bytes))} : "";
    }
    asio::io_context loop{1};
    fwd::test::virtual_clock clock{loop};
    std::unique_ptr<data_stream> far;
    std::unique_ptr<unruly_stream> near;
    io_step::state last = io_step::state::would_block;
};

} // namespace

TEST_CASE("a delayed link is late by as much each way", "[simcluster][wire]")
{
    slow_link wire{10ms};
    bool readable = false;
    wire.near->wait(interest::read, [&] { readable = true; });
    REQUIRE(slow_link::write(*wire.far, "there"));
    wire.clock.advance(9ms);
    CHECK_FALSE(readable);
    wire.clock.advance(2ms);
    CHECK(readable);
    CHECK(wire.read(*wire.near) == "there");
    REQUIRE(slow_link::write(*wire.near, "back"));
    wire.clock.advance(9ms);
    CHECK(wire.read(*wire.far).empty());
    wire.clock.advance(2ms);
    CHECK(wire.read(*wire.far) == "back");
}

TEST_CASE("a silent link loses nothing once it speaks again", "[simcluster][wire]")
{
    slow_link wire{0ns};
    bool readable = false;
    wire.near->wait(interest::read, [&] { readable = true; });
    wire.near->black_hole(true);
    REQUIRE(slow_link::write(*wire.far, "in"));
    REQUIRE(slow_link::write(*wire.near, "out"));
    wire.clock.advance(1min);
    CHECK_FALSE(readable);
    CHECK(wire.read(*wire.near).empty());
    CHECK(wire.read(*wire.far).empty());
    wire.near->black_hole(false);
    CHECK(wire.read(*wire.far) == "out");
    CHECK(readable);
    CHECK(wire.read(*wire.near) == "in");
}

TEST_CASE("a stalled server still sends, but reads nothing", "[simcluster][wire]")
{
    slow_link wire{0ns};
    wire.near->stop_reading(true);
    REQUIRE(slow_link::write(*wire.far, "in"));
    REQUIRE(slow_link::write(*wire.near, "out"));
    CHECK(wire.read(*wire.far) == "out");
    CHECK(wire.read(*wire.near).empty());
    wire.near->stop_reading(false);
    CHECK(wire.read(*wire.near) == "in");
}

TEST_CASE("a dropped connection wakes both of its waits and fails", "[simcluster][wire]")
{
    slow_link wire{0ns};
    int woken = 0;
    wire.near->wait(interest::read, [&] { ++woken; });
    wire.near->wait(interest::write, [&] { ++woken; });
    wire.near->drop();
    CHECK(wire.read(*wire.near).empty());
    CHECK(wire.last == io_step::state::failed);
    CHECK(woken == 2);
    CHECK_FALSE(slow_link::write(*wire.near, "x"));
    CHECK(wire.read(*wire.far).empty());
    CHECK(wire.last == io_step::state::failed);
}

/// As TLS does: it is held back, and writes as soon as it may.
template <class F>
void uncorked(slow_link& wire, F write)
{
    wire.near->cork();
    wire.near->wait(interest::write, write);
    wire.near->uncork();
}

TEST_CASE("what is corked leaves together", "[simcluster][wire]")
{
    slow_link wire{0ns};
    wire.near->cork();
    CHECK_FALSE(slow_link::write(*wire.near, "a"));
    wire.near->wait(interest::write, [&] { CHECK(slow_link::write(*wire.near, "ab")); });
    CHECK(wire.read(*wire.far).empty());
    wire.near->uncork();
    CHECK(wire.read(*wire.far) == "ab");
}

TEST_CASE("a slow reader gets every byte of what was corked", "[simcluster][wire]")
{
    slow_link wire{0ns};
    std::string sent, got;
    for (int i = 0; i < 3000; ++i) {
        const std::string part(1000, static_cast<char>('a' + i % 26));
        uncorked(wire, [&] {
            if (slow_link::write(*wire.near, part)) sent += part;
        });
        if (i % 2 == 0) got += wire.read(*wire.far);
    }
    CHECK(wire.near->unsent() <= 260 * 1024);
    for (auto part = wire.read(*wire.far); !part.empty(); part = wire.read(*wire.far)) got += part;
    CHECK(got.size() == sent.size());
    CHECK(got == sent);
}

TEST_CASE("a stream that is gone and has yet to say something is not called for what it would hear", "[simcluster][wire]")
{
    slow_link wire{10ms};
    bool heard = false;
    wire.near->wait(interest::read, [&] { heard = true; });
    const std::string much(200 * 1024, 'x'); // more than the peer takes at once
    REQUIRE(slow_link::write(*wire.near, much));
    wire.near.reset();
    CHECK(slow_link::write(*wire.far, "late"));
    wire.clock.advance(1s);
    CHECK_FALSE(heard);
    std::string got; // while what it had to say is heard, until the reset that follows from what nobody reads any more
    for (auto part = wire.read(*wire.far); !part.empty(); part = wire.read(*wire.far)) got += part;
    CHECK(got.size() > 100 * 1024);
    CHECK(wire.last == io_step::state::failed);
}

TEST_CASE("what was written before a close reaches a reader who comes late, and only then the end", "[simcluster][wire]")
{
    const auto delay = GENERATE(duration{0ns}, duration{10ms});
    slow_link wire{delay};
    const std::string all(150'000, 'x');
    uncorked(wire, [&] { CHECK(slow_link::write(*wire.near, all)); }); // more than the pipe beneath takes
    if (GENERATE(true, false)) wire.near->close();
    wire.near.reset();
    std::string got;
    for (auto part = wire.read(*wire.far); !part.empty(); part = wire.read(*wire.far)) got += part;
    CHECK(got.size() == all.size());
    CHECK(wire.last == io_step::state::end);
}

TEST_CASE("a close behind a dead link is no orderly end", "[simcluster][wire]")
{
    slow_link wire{0ns};
    wire.near->black_hole(true);
    REQUIRE(slow_link::write(*wire.near, "lost"));
    wire.near->close();
    CHECK(wire.read(*wire.far).empty());
    CHECK(wire.last == io_step::state::failed);
}
