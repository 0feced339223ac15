#include "common/log.hpp"
#include "daemon/forward/tunnel_pool.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::forward;
using portforward::tunnel_failure;

namespace {

struct fake_tunnel final : portforward::transport {
    fake_tunnel(std::size_t& c, portforward::transport_sink& s) : closed{c}, sink{s} {}
    std::unique_ptr<portforward::pair> open(std::uint16_t, portforward::pair_sink&) override { return nullptr; }
    bool usable() const override { return !retired && !stuck; }
    bool stalled() const override { return stuck; }
    std::size_t pairs() const override { return carried; }
    std::size_t most_pairs() const override { return most; }
    portforward::transport_kind kind() const override { return portforward::transport_kind::spdy; }
    void retire() override { retired = true; }
    void probe() override { ++probes; }
    void close() override { ++closed; }

    std::size_t& closed;
    portforward::transport_sink& sink;
    std::size_t carried = 0, most = 1000;
    bool retired = false, stuck = false;
    int probes = 0;
};

struct fake_negotiator final : portforward::negotiator {
    explicit fake_negotiator(timing& t) : clock{t} {}
    void set_access(std::shared_ptr<const kube::access>) override {}
    void set_server_minor(int) override {}
    awaitable<boost::system::result<std::unique_ptr<portforward::transport>, tunnel_failure>>
    open(kube::pod_ref, std::uint16_t, portforward::transport_sink& sink) override
    {
        ++asked;
        co_await clock.sleep_for(takes);
        if (fail) co_return *fail;
        auto made = std::make_unique<fake_tunnel>(closed, sink);
        made->most = most_pairs;
        made_tunnels.push_back(made.get());
        co_return std::unique_ptr<portforward::transport>{std::move(made)};
    }
    portforward::transport_kind preferred() const override { return portforward::transport_kind::spdy; }

    timing& clock;
    std::optional<tunnel_failure> fail;
    duration takes = 10ms;
    std::size_t asked = 0, closed = 0, most_pairs = 1000;
    std::vector<fake_tunnel*> made_tunnels;
};

struct client final : tunnel_waiter {
    explicit client(tunnel_pool& p) : pool{p}
    {
        if (auto* at_once = pool.acquire(*this, 80)) take(*at_once);
    }
    ~client() override { pool.cancel(*this); }
    void on_tunnel(portforward::transport& over) override { take(over); }
    void on_no_tunnel(const tunnel_failure&, bool is_final) override
    {
        ++told;
        final = is_final;
    }
    void take(portforward::transport& over)
    {
        has = dynamic_cast<fake_tunnel*>(&over);
        ++has->carried;
    }
    tunnel_pool& pool;
    fake_tunnel* has = nullptr;
    int told = 0;
    bool final = false;
};

struct bed {
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    logger log;
    std::unique_ptr<random_source> random = make_seeded_random(3);
    task_scope tasks{loop.get_executor(), log};
    fake_negotiator through{clock};
    pool_limits limits;
    std::vector<std::string> lost;
    tunnel_pool pool{{"shop", "web-1", "u1"},
                     through,
                     tasks,
                     clock,
                     *random,
                     {{}, {}, {}, [this](const error& why) { lost.push_back(why.message()); }},
                     limits};
    ~bed()
    {
        pool.close();
        tasks.cancel();
        clock.run(tasks.join());
    }
};

} // namespace

TEST_CASE("the first connection opens a tunnel, and a spare follows for the next", "[tunnel_pool]")
{
    bed b;
    client first{b.pool};
    CHECK(first.has == nullptr);
    b.clock.advance(20ms);
    REQUIRE(first.has != nullptr);
    client second{b.pool};
    REQUIRE(second.has != nullptr);
    b.clock.advance(20ms);
    CHECK(b.pool.tunnels() == 2);
    client third{b.pool};
    CHECK(third.has != first.has);
}

TEST_CASE("a tunnel carries four while others may be opened, and eight tunnels are the most", "[tunnel_pool]")
{
    bed b;
    std::vector<std::unique_ptr<client>> all;
    for (int i = 0; i < 60; ++i) {
        all.push_back(std::make_unique<client>(b.pool));
        b.clock.advance(20ms);
        REQUIRE(all.back()->has != nullptr);
        if (i < 32)
            for (const auto* one : b.through.made_tunnels) CHECK(one->carried <= 4);
    }
    CHECK(b.pool.tunnels() == 8);
    CHECK(b.through.asked == 8);
}

TEST_CASE("a failure is told, and those who wait are served by the next try", "[tunnel_pool]")
{
    bed b;
    b.through.fail = tunnel_failure{tunnel_failure::kind::unreachable, error{errc::refused, "connect"}, {}};
    client one{b.pool};
    b.clock.advance(20ms);
    CHECK(one.told == 1);
    CHECK_FALSE(one.final);
    CHECK(b.pool.backing_off());
    const auto asked = b.through.asked;
    client two{b.pool};
    b.clock.advance(10ms);
    CHECK(b.through.asked == asked); // it backs off
    b.through.fail.reset();
    b.clock.advance(600ms);
    CHECK(one.has != nullptr);
    CHECK(two.has != nullptr);
    CHECK_FALSE(b.pool.backing_off());
}

TEST_CASE("a poke ends the backoff", "[tunnel_pool]")
{
    bed b;
    b.through.fail = tunnel_failure{tunnel_failure::kind::busy, error{errc::unavailable, "503"}, 60s};
    client one{b.pool};
    b.clock.advance(1s);
    b.through.fail.reset();
    b.pool.poke();
    b.clock.advance(20ms);
    CHECK(one.has != nullptr);
}

TEST_CASE("a pod that is gone is final for those who wait", "[tunnel_pool]")
{
    bed b;
    b.through.fail = tunnel_failure{tunnel_failure::kind::pod_gone, error{errc::not_found, "pod"}, {}};
    client one{b.pool};
    b.clock.advance(20ms);
    CHECK(one.final);
    CHECK(b.pool.load() == 0);
}

TEST_CASE("a spare rests for a minute, the last idle tunnel for five", "[tunnel_pool]")
{
    bed b;
    client first{b.pool};
    b.clock.advance(20ms);
    client second{b.pool};
    b.clock.advance(20ms);
    REQUIRE(b.pool.tunnels() == 2);
    for (auto* one : b.through.made_tunnels) one->carried = 0;
    b.pool.released();
    b.clock.advance(95s);
    CHECK(b.pool.tunnels() == 1);
    b.clock.advance(5min);
    CHECK(b.pool.tunnels() == 0);
    CHECK(b.through.closed == 2);
    CHECK(b.clock.empty());
}

TEST_CASE("a dead tunnel is replaced for those who come after", "[tunnel_pool]")
{
    bed b;
    client first{b.pool};
    b.clock.advance(20ms);
    first.has->sink.on_closed(error{errc::closed, "reset"});
    b.clock.settle();
    CHECK(b.pool.tunnels() == 0);
    client second{b.pool};
    b.clock.advance(20ms);
    CHECK(second.has != nullptr);
}

TEST_CASE("a new connection never shares a tunnel with a bulk one while another tunnel may be opened", "[tunnel_pool]")
{
    bed b;
    client download{b.pool};
    b.clock.advance(20ms);
    REQUIRE(download.has != nullptr);
    b.pool.bulk_begins(*download.has);
    client at_once{b.pool};
    CHECK(at_once.has == nullptr); // it waits for the tunnel that is being opened
    b.clock.advance(20ms);
    REQUIRE(at_once.has != nullptr);
    CHECK(at_once.has != download.has);
    b.pool.bulk_ends(*download.has);
    at_once.has->carried = 3;
    client later{b.pool};
    CHECK(later.has == download.has);
}

TEST_CASE("eight stalled tunnels do not keep others out", "[tunnel_pool]")
{
    bed b;
    std::vector<std::unique_ptr<client>> all;
    for (int i = 0; i < 32; ++i) {
        all.push_back(std::make_unique<client>(b.pool));
        b.clock.advance(20ms);
    }
    REQUIRE(b.pool.tunnels() == 8);
    for (auto* one : b.through.made_tunnels) one->stuck = true;
    client next{b.pool};
    b.clock.advance(20ms);
    CHECK(next.has != nullptr);
    CHECK(b.pool.tunnels() == 9);
}

TEST_CASE("a dial into a black hole is given company after two seconds, and sixteen are the most", "[tunnel_pool]")
{
    bed b;
    b.through.takes = 1h;
    client lost{b.pool};
    b.clock.advance(1900ms);
    CHECK(b.through.asked == 1);
    b.through.takes = 10ms;
    b.clock.advance(200ms);
    CHECK(lost.has != nullptr);

    bed dark;
    dark.through.takes = 1h;
    std::vector<std::unique_ptr<client>> all;
    for (int i = 0; i < 100; ++i) {
        all.push_back(std::make_unique<client>(dark.pool));
        dark.clock.advance(1s);
    }
    CHECK(dark.through.asked == 16);
}

TEST_CASE("a client that comes while a dial hangs is a reason for another", "[tunnel_pool]")
{
    bed b;
    b.through.takes = 1h;
    client first{b.pool};
    b.clock.advance(50ms);
    b.through.takes = 10ms;
    client second{b.pool};
    b.clock.advance(20ms);
    CHECK(first.has != nullptr); // who waits longer is served first
    b.clock.advance(20ms);
    CHECK(second.has != nullptr);
}

TEST_CASE("where no further tunnel can be had, a crowded one is shared", "[tunnel_pool]")
{
    bed b;
    client first{b.pool};
    b.clock.advance(20ms);
    REQUIRE(first.has != nullptr);
    first.has->carried = 4;
    b.through.fail = tunnel_failure{tunnel_failure::kind::busy, error{errc::unavailable, "429"}, 60s};
    client second{b.pool};
    CHECK(second.has == nullptr);
    b.clock.advance(20ms);
    CHECK(second.has == first.has);
    client third{b.pool};
    CHECK(third.has == first.has);
}

TEST_CASE("the wait after a failure grows to five seconds, and only success makes it short again", "[tunnel_pool]")
{
    bed b;
    b.through.fail = tunnel_failure{tunnel_failure::kind::unreachable, error{errc::refused, "connect"}, {}};
    client one{b.pool};
    b.clock.advance(60s);
    const auto asked = b.through.asked;
    CHECK(asked >= 10);
    CHECK(asked <= 22);
    b.pool.poke();
    b.clock.advance(20ms);
    CHECK(b.through.asked == asked + 1);
    b.clock.advance(2s); // a poke is a try, no proof: at least two and a half seconds follow
    CHECK(b.through.asked == asked + 1);
}

TEST_CASE("a client brings the next try forward, at most twice a second", "[tunnel_pool]")
{
    bed b;
    b.through.fail = tunnel_failure{tunnel_failure::kind::unreachable, error{errc::refused, "connect"}, {}};
    client one{b.pool};
    b.clock.advance(60s);
    auto before = b.through.asked;
    std::vector<std::unique_ptr<client>> all;
    for (int i = 0; i < 200; ++i) {
        all.push_back(std::make_unique<client>(b.pool));
        b.clock.advance(50ms);
    }
    CHECK(b.through.asked - before >= 10);
    CHECK(b.through.asked - before <= 42);
    b.through.fail.reset();
    b.clock.advance(500ms);
    client last{b.pool};
    b.clock.advance(600ms);
    CHECK(last.has != nullptr);
}

TEST_CASE("no client shortens what the server asked for", "[tunnel_pool]")
{
    bed b;
    b.through.fail = tunnel_failure{tunnel_failure::kind::busy, error{errc::unavailable, "503"}, 20s};
    client one{b.pool};
    b.clock.advance(100ms);
    REQUIRE(b.through.asked == 1);
    client two{b.pool};
    b.clock.advance(19s);
    CHECK(b.through.asked == 1);
    b.clock.advance(2s);
    CHECK(b.through.asked == 2);
}

TEST_CASE("a tunnel that was wanted and ended is told, one that was retired is not", "[tunnel_pool]")
{
    bed b;
    client first{b.pool};
    b.clock.advance(20ms);
    client second{b.pool};
    b.clock.advance(20ms);
    REQUIRE(b.through.made_tunnels.size() == 2);
    CHECK(b.pool.number_of(*b.through.made_tunnels[1]) == 2);
    auto* const dies = b.through.made_tunnels[0];
    b.through.made_tunnels[1]->sink.on_closed(error{errc::canceled, "the tunnel was retired"});
    CHECK(b.lost.empty());
    dies->sink.on_closed(error{errc::closed, "connection reset by peer"});
    CHECK(b.lost == std::vector<std::string>{"connection reset by peer"});
    CHECK(b.pool.number_of(*dies) == 0);
}

TEST_CASE("a pool is in use until its connections let go of it, although its tunnels are gone", "[pool]")
{
    bed b;
    b.pool.hold();
    b.pool.hold();
    CHECK(b.pool.load() == 0);
    CHECK(b.pool.in_use());
    b.pool.released();
    CHECK(b.pool.in_use());
    b.pool.released();
    CHECK_FALSE(b.pool.in_use());
}

TEST_CASE("tunnels that take one connection each are as many as the others would carry, and opened side by side", "[tunnel_pool]")
{
    bed b;
    b.through.most_pairs = 1;
    std::list<client> clients;
    for (int i = 0; i < 40; ++i) clients.emplace_back(b.pool);
    b.clock.advance(25ms); // two openings one after the other
    const auto served = std::count_if(clients.begin(), clients.end(), [](const client& one) { return one.has != nullptr; });
    CHECK(served == 32);
    CHECK(b.pool.tunnels() == 32);
    b.clock.advance(1s);
    CHECK(b.pool.tunnels() == 32);

    clients.front().has->retired = true; // a stalled one does not keep others out
    b.through.made_tunnels.front()->sink.on_state();
    b.clock.advance(15ms);
    CHECK(b.pool.tunnels() == 33);
}
