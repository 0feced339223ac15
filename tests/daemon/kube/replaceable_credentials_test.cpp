#include "daemon/kube/replaceable_credentials.hpp"

#include "tests/daemon/kube/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;
using kube::test::fake_credentials;

namespace {

/// Answers after a while; runs until it is cancelled.
struct slow_credentials final : credential_source {
    slow_credentials(timing& t, std::uint64_t generation) : clock{t}
    {
        auto made = std::make_shared<kube::access>();
        made->generation = generation;
        given = made;
    }
    awaitable<result<std::shared_ptr<const kube::access>>> current() override
    {
        co_await clock.sleep_for(5s);
        co_return given;
    }
    void rejected(std::uint64_t generation) override { refused = generation; }
    awaitable<void> run() override
    {
        ++running;
        struct leave {
            int& count;
            ~leave() { --count; }
        };
        const leave guard{running};
        co_await clock.sleep_for(24h);
    }
    bool insecure() const override { return false; }
    timing& clock;
    std::shared_ptr<const kube::access> given;
    std::uint64_t refused = 0;
    int running = 0;
};

} // namespace

TEST_CASE("who asked before credentials were replaced gets the new ones", "[credentials]")
{
    kube::test::world w;
    const auto first = std::make_shared<slow_credentials>(w.clock, 1), second = std::make_shared<slow_credentials>(w.clock, 2);
    replaceable_credentials all{first};
    std::uint64_t got = 0;
    const auto ask = [&]() -> awaitable<void> {
        const auto given = co_await all.current();
        got = (*given)->generation;
    };
    asio::co_spawn(w.loop, ask(), asio::detached);
    w.clock.advance(1s);
    all.replace(second);
    w.clock.advance(10s);
    CHECK(got == 2);
    all.rejected(2);
    CHECK(second->refused == 2);
    CHECK(first->refused == 0);
}

TEST_CASE("the renewal of replaced credentials ends and that of the new ones begins", "[credentials]")
{
    kube::test::world w;
    const auto first = std::make_shared<slow_credentials>(w.clock, 1), second = std::make_shared<slow_credentials>(w.clock, 2);
    replaceable_credentials all{first};
    asio::cancellation_signal stop;
    asio::co_spawn(w.loop, all.run(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    w.clock.settle();
    CHECK(first->running == 1);
    all.replace(second);
    w.clock.settle();
    CHECK(first->running == 0);
    CHECK(second->running == 1);
    stop.emit(asio::cancellation_type::terminal);
    w.clock.settle();
    CHECK(second->running == 0);
}
