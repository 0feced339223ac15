#include "common/async/task_scope.hpp"
#include "common/async/turns.hpp"
#include "common/log.hpp"
#include "tests/support/virtual_clock.hpp"

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <catch2/catch.hpp>

using namespace fwd;

namespace {

using local = asio::local::stream_protocol;

/// A hundred coroutines, of which the first makes a socket readable; what happened in which order: 'w' for each, 'r' for the socket.
std::string order_of_a_burst(turns* fair)
{
    asio::io_context loop;
    local::socket near{loop}, far{loop};
    asio::local::connect_pair(near, far);
    std::string order;
    near.async_wait(local::socket::wait_read, [&](auto) { order += 'r'; });
    auto one = [&]() -> awaitable<void> {
        if (fair) co_await fair->take();
        if (order.empty()) far.send(asio::buffer("x", 1));
        order += 'w';
    };
    logger log;
    task_scope all{loop.get_executor(), log};
    for (int i = 0; i < 100; ++i) all.start("one", one());
    loop.run();
    return order;
}

} // namespace

TEST_CASE("who takes a turn lets the loop look at its sockets before the next one", "[turns]")
{
    turns fair;
    const auto order = order_of_a_burst(&fair);
    CHECK(order.size() == 101);
    CHECK(order.find('r') <= 3);
    CHECK(order_of_a_burst(nullptr).find('r') == 100); // what it is there for
}

TEST_CASE("a turn that nobody waits for any more is not given", "[turns]")
{
    asio::io_context loop;
    logger log;
    turns fair;
    std::string order;
    auto one = [&](char name) -> awaitable<void> {
        co_await fair.take();
        order += name;
    };
    task_scope first{loop.get_executor(), log}, second{loop.get_executor(), log};
    first.start("a", one('a'));
    second.start("b", one('b'));
    first.start("c", one('c'));
    loop.poll_one(); // a, b and c begin, and only a has its turn
    while (order.empty()) loop.poll_one();
    second.cancel();
    loop.run();
    CHECK(order == "ac");
}
