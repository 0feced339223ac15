#include "common/async/eager_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <catch2/catch.hpp>

#include <thread>

using namespace fwd;

namespace {

/// How many of a hundred sleeps were put off for a look that found nothing, or something.
int looks_of_a_hundred(eagerness& eager, bool found)
{
    int looks = 0;
    for (int i = 0; i < 100; ++i)
        if (eager.before_sleep(10us) > duration{}) {
            ++looks;
            eager.looked(found);
        }
    return looks;
}

} // namespace

TEST_CASE("a loop looks again before it sleeps only where that finds something", "[eager_loop]")
{
    eagerness eager;
    CHECK(looks_of_a_hundred(eager, false) == 3); // one in 32
    CHECK(looks_of_a_hundred(eager, true) > 60);
    CHECK(looks_of_a_hundred(eager, true) == 100);
    CHECK(looks_of_a_hundred(eager, false) <= 8 + 3); // and soon gives up
}

TEST_CASE("a loop that has moved much sleeps at once", "[eager_loop]")
{
    eagerness eager;
    looks_of_a_hundred(eager, true);
    CHECK(eager.before_sleep(61us) == duration{});
    CHECK(eager.before_sleep(10us) == eagerness::moment);
}

TEST_CASE("an eager loop runs what is posted from elsewhere, in its order, until it is stopped or has no work left", "[eager_loop]")
{
    asio::io_context loop;
    auto guard = asio::make_work_guard(loop);
    std::string order;
    std::thread thread{[&] { run_eagerly(loop); }};
    for (char name = 'a'; name <= 'z'; ++name) asio::post(loop, [&order, name] { order += name; });
    asio::post(loop, [&] { asio::post(loop, [&] { guard.reset(); }); });
    thread.join();
    CHECK(order == "abcdefghijklmnopqrstuvwxyz");

    loop.restart();
    auto again = asio::make_work_guard(loop);
    std::thread other{[&] { run_eagerly(loop); }};
    asio::post(loop, [&] { loop.stop(); });
    other.join();
    CHECK(loop.stopped());
}
