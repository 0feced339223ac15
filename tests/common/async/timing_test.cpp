#include "common/async/gathered.hpp"
#include "common/async/offload.hpp"
#include "common/async/random.hpp"
#include "common/async/sleep_watch.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timeout.hpp"
#include "common/log.hpp"
#include "tests/support/virtual_clock.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <catch2/catch.hpp>

#include <thread>

using namespace fwd;

TEST_CASE("timers run in order of time, then of call", "[timing]")
{
    asio::io_context loop;
    test::virtual_clock clock{loop};
    std::string order;
    clock.call_after(2s, [&] { order += 'c'; });
    clock.call_after(1s, [&] { order += 'a'; });
    clock.call_after(1s, [&] { order += 'b'; });
    const auto canceled = clock.call_after(1s, [&] { order += 'x'; });
    clock.cancel(canceled);
    clock.advance(1s);
    CHECK(order == "ab");
    clock.advance(1s);
    CHECK(order == "abc");
}

TEST_CASE("a real timer runs no earlier than it says", "[timing]")
{
    asio::io_context loop;
    const auto clock = make_timing(loop.get_executor());
    const auto start = clock->now();
    auto wait = [](timing& t) -> awaitable<void> { co_await t.sleep_for(20ms); };
    test::run_on(loop, wait(*clock));
    CHECK(clock->now() - start >= 20ms);
}

TEST_CASE("real timers run at their times, also behind one that was cancelled and before one that was first", "[timing]")
{
    asio::io_context loop;
    const auto clock = make_timing(loop.get_executor());
    const auto start = clock->now();
    std::vector<std::pair<int, duration>> rang;
    const auto ring = [&](int which) { return [&, which] { rang.emplace_back(which, clock->now() - start); }; };
    clock->cancel(clock->call_after(5ms, ring(0)));
    clock->call_after(20ms, ring(2));
    clock->call_after(10ms, ring(1));
    loop.run();
    REQUIRE(rang.size() == 2);
    CHECK((rang[0].first == 1 && rang[0].second >= 10ms));
    CHECK((rang[1].first == 2 && rang[1].second >= 20ms));
}

namespace {

awaitable<result<int>> slow(timing& clock, duration wait, bool& ended)
{
    co_await clock.sleep_for(wait);
    ended = true;
    co_return 7;
}

} // namespace

TEST_CASE("with_timeout gives the value of work that ends in time and cancels work that does not", "[timing]")
{
    asio::io_context loop;
    test::virtual_clock clock{loop};
    bool ended = false;
    const auto quick = clock.run(with_timeout(clock, 2s, slow(clock, 1s, ended)));
    REQUIRE(quick.has_value());
    CHECK(*quick == 7);
    ended = false;
    const auto late = clock.run(with_timeout(clock, 2s, slow(clock, 3s, ended)));
    REQUIRE(late.has_error());
    CHECK(late.error().is(errc::timed_out));
    clock.advance(10s);
    CHECK_FALSE(ended);
    CHECK(clock.empty());
}

TEST_CASE("a cancelled scope ends its children and join waits for them", "[task_scope]")
{
    asio::io_context loop;
    test::virtual_clock clock{loop};
    logger log;
    task_scope scope{loop.get_executor(), log};
    int begun = 0, undone = 0;
    struct undo {
        int& count;
        ~undo() { ++count; }
    };
    auto child = [&]() -> awaitable<void> {
        ++begun;
        undo at_end{undone};
        co_await clock.sleep_for(1h);
    };
    scope.start("one", child());
    scope.start("two", child());
    clock.settle();
    CHECK(begun == 2);
    CHECK(scope.running() == 2);
    scope.cancel();
    clock.run(scope.join());
    CHECK(undone == 2);
    CHECK(scope.running() == 0);
    CHECK(clock.empty());
}

TEST_CASE("what escapes a task is logged with its name, a cancellation is not", "[task_scope]")
{
    asio::io_context loop;
    test::virtual_clock clock{loop};
    logger log;
    std::vector<std::string> lines;
    log.add_sink([&](const log_line& line) { lines.push_back(line.as_text()); });
    task_scope scope{loop.get_executor(), log};
    auto fails = []() -> awaitable<void> {
        throw std::runtime_error{"broken"};
        co_return;
    };
    auto waits = [&]() -> awaitable<void> { co_await clock.sleep_for(1h); };
    scope.start("failing", fails());
    scope.start("waiting", waits());
    clock.settle();
    scope.cancel();
    clock.run(scope.join());
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("task=failing") != std::string::npos);
    CHECK(lines[0].find("broken") != std::string::npos);
}

TEST_CASE("an event wakes everyone who waits, and nobody later", "[task_scope]")
{
    asio::io_context loop;
    test::virtual_clock clock{loop};
    logger log;
    task_scope scope{loop.get_executor(), log};
    async_event event;
    int woken = 0;
    auto waits = [&]() -> awaitable<void> {
        co_await event.wait();
        ++woken;
    };
    scope.start("a", waits());
    scope.start("b", waits());
    clock.settle();
    event.set();
    clock.settle();
    CHECK(woken == 2);
    scope.start("c", waits());
    clock.settle();
    CHECK(woken == 2);
    scope.cancel();
    clock.run(scope.join());
    CHECK(woken == 2);
}

TEST_CASE("offloaded work runs elsewhere and its value comes home", "[offload]")
{
    asio::io_context loop;
    auto guard = asio::make_work_guard(loop);
    const auto side = make_offload_thread();
    const auto home = std::this_thread::get_id();
    auto ask = [&]() -> awaitable<bool> {
        auto work = [home] { return std::this_thread::get_id() != home; };
        const bool elsewhere = co_await side->run(work);
        co_return elsewhere&& std::this_thread::get_id() == home;
    };
    CHECK(test::run_on(loop, ask()));
}

TEST_CASE("a backoff grows to its limit and starts over after success", "[timing]")
{
    const auto chance = make_seeded_random(1);
    backoff wait{{500ms, 5s}};
    duration last{0};
    for (int i = 0; i < 10; ++i) {
        last = wait.next(*chance);
        CHECK(last >= 250ms);
        CHECK(last <= 5s);
    }
    CHECK(last >= 2500ms);
    wait.reset();
    CHECK(wait.next(*chance) <= 500ms);
}

TEST_CASE("a machine that slept is noticed once, and how long", "[timing]")
{
    asio::io_context loop;
    test::virtual_clock clock{loop};
    clock.suspend(1h);
    sleep_watch sleep{clock};
    CHECK(sleep.take() == 0s); // that was before
    clock.advance(10min);
    CHECK(sleep.take() == 0s);
    clock.suspend(3min);
    clock.advance(1s);
    CHECK(sleep.take() == 3min);
    CHECK(sleep.take() == 0s);
}

TEST_CASE("chores are gathered on a grid that all share, none before its time", "[timing]")
{
    const time_point hour{3600s};
    CHECK(gathered(hour, 10s) == hour);
    CHECK(gathered(hour + 1ns, 10s) == hour + 10s);
    CHECK(gathered(hour + 9s, 10s) == gathered(hour + 3s, 10s));
}

TEST_CASE("what is done every so often is done at the full second, and comes neither early nor late for it", "[timing]")
{
    const time_point hour{3600s};
    CHECK(full_second(hour, 2s) == hour + 2s);
    CHECK(full_second(hour + 1ms, 2s) == hour + 2s); // called a little late: the next one is not later
    CHECK(full_second(hour + 499ms, 1s) == hour + 1s);
    CHECK(full_second(hour + 501ms, 1s) == hour + 2s); // never twice within half a second
}
