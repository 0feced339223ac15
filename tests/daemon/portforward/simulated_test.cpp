// Tunnels against the simulated cluster, whose runtimes receive as spdystream does and end pairs as containerd does.
#include "daemon/portforward/negotiate.hpp"
#include "tests/daemon/portforward/tunnel_fixture.hpp"
#include "tests/simcluster/bed.hpp"

#include <catch2/catch.hpp>

using namespace fwd::portforward;
using namespace fwd::portforward::test;
using namespace std::chrono_literals;
using failed = tunnel_failure::kind;

namespace {

using events = std::vector<std::string>;

/// One connection over a tunnel, with all of `todo` written as room comes.
struct connection {
    connection(transport& over, std::uint16_t port, std::string text = {}) : todo{std::move(text)}, side{over.open(port, sink)}
    {
        sink.on_room = [this] { push(); };
        sink.on_more = [this] {
            if (sink.got.size() >= most) side->choke(true); // an endless source must not fill the memory
        };
        push();
    }
    void push()
    {
        if (!todo.empty()) todo.erase(0, write(*side, todo));
    }
    static constexpr std::size_t most = 8'000'000;
    recording_pair_sink sink;
    std::string todo;
    std::unique_ptr<pair> side;
};

struct cluster {
    explicit cluster(transport_choice choice)
    {
        auto made = std::make_shared<fwd::kube::access>();
        made->host = "127.0.0.1";
        made->port = 6443;
        made->tls = false;
        access = made;
        through = make_negotiator(bed.loop.get_executor(), bed.net, bed.clock, *bed.random, choice);
        through->set_access(access);
    }
    fwd::kube::pod_ref pod_of(const std::string& service)
    {
        const auto key = bed.pod_of(service);
        return {key.namespace_name, key.name, {}};
    }
    std::unique_ptr<transport> tunnel_to(const std::string& service, std::uint16_t port)
    {
        auto made = bed.clock.run(through->open(pod_of(service), port, sink));
        REQUIRE(made.has_value());
        return std::move(*made);
    }
    /// Lets things happen, a little of virtual time at once, until `done`.
    template <class F>
    bool until(F done, int steps = 3000)
    {
        for (int i = 0; i < steps && !done(); ++i) bed.clock.advance(1ms);
        return done();
    }

    fwd::simcluster::test::bed bed;
    std::shared_ptr<const fwd::kube::access> access;
    std::unique_ptr<negotiator> through;
    recording_transport_sink sink;
};

std::string noise(std::size_t size, std::uint64_t seed)
{
    std::string bytes(size, '\0');
    fwd::make_seeded_random(seed)->fill({reinterpret_cast<std::byte*>(bytes.data()), bytes.size()});
    return bytes;
}

} // namespace

TEST_CASE("bytes come back from an echo as they went, over every transport", "[simulated]")
{
    const auto choice = GENERATE(transport_choice::websocket, transport_choice::spdy, transport_choice::legacy);
    cluster c{choice};
    const auto tunnel = c.tunnel_to("echo", 7000);
    const auto sent = noise(700'000, 1);
    connection one{*tunnel, 7000, sent};
    CHECK(c.until([&] { return one.sink.got.size() >= sent.size(); }));
    CHECK((one.sink.got == sent));
    CHECK(one.sink.failure.empty());
}

TEST_CASE("a server that speaks first is heard over every transport", "[simulated]")
{
    const auto choice = GENERATE(transport_choice::websocket, transport_choice::spdy, transport_choice::legacy);
    cluster c{choice};
    const auto tunnel = c.tunnel_to("greeter", 2525);
    connection one{*tunnel, 2525};
    CHECK(c.until([&] { return !one.sink.got.empty(); }));
    CHECK(one.sink.events.at(0) == "accepted");
    CHECK(one.sink.got.starts_with("220 "));
}

TEST_CASE("a port that nothing listens on is refused over every transport", "[simulated]")
{
    const auto choice = GENERATE(transport_choice::websocket, transport_choice::spdy, transport_choice::legacy);
    cluster c{choice};
    const auto tunnel = c.tunnel_to("echo", 4444);
    // A legacy server that closes with unread bytes of ours resets, and the reset may overtake its words.
    connection one{*tunnel, 4444, choice == transport_choice::legacy ? "" : "anybody"};
    CHECK(c.until([&] { return !one.sink.failure.empty(); }));
    CHECK(one.sink.events.back() == "failed refused");
    if (choice == transport_choice::legacy) return;
    connection other{*tunnel, 7000, "still here"}; // only that pair ended
    CHECK(c.until([&] { return other.sink.got == "still here"; }));
    CHECK(tunnel->usable());
}

TEST_CASE("fifty connections share one tunnel", "[simulated]")
{
    const auto choice = GENERATE(transport_choice::websocket, transport_choice::spdy);
    cluster c{choice};
    const auto tunnel = c.tunnel_to("echo", 7000);
    std::vector<std::unique_ptr<connection>> all;
    std::vector<std::string> texts;
    for (std::uint64_t i = 0; i < 50; ++i) {
        texts.push_back(noise(1000 + i * 997, i));
        all.push_back(std::make_unique<connection>(*tunnel, std::uint16_t{7000}, texts.back()));
    }
    CHECK(tunnel->pairs() == 50);
    CHECK(c.until([&] {
        return std::all_of(all.begin(), all.end(), [&](auto& one) { return one->sink.got.size() == texts[&one - all.data()].size(); });
    }));
    for (std::size_t i = 0; i < all.size(); ++i) CHECK((all[i]->sink.got == texts[i]));
    all.clear();
    CHECK(tunnel->pairs() == 0);
    CHECK(tunnel->usable());
}

TEST_CASE("the pod's end follows ours within a second, and both are forgotten", "[simulated]")
{
    const auto choice = GENERATE(transport_choice::websocket, transport_choice::spdy, transport_choice::legacy);
    cluster c{choice};
    const auto tunnel = c.tunnel_to("echo", 7000);
    connection one{*tunnel, 7000, "goodbye"};
    REQUIRE(c.until([&] { return one.sink.got == "goodbye"; }));
    one.side->finish();
    CHECK(c.until([&] { return one.sink.events.back() == "end"; }));
    one.side.reset();
    c.bed.clock.settle();
    CHECK(tunnel->pairs() == 0);
}

TEST_CASE("an upload into a pod that does not read stalls its tunnel, which lives and goes on later", "[simulated]")
{
    const auto choice = GENERATE(transport_choice::websocket, transport_choice::spdy, transport_choice::legacy);
    cluster c{choice};
    const auto pod = c.bed.pod_of("echo");
    const auto tunnel = c.tunnel_to("echo", 7000);
    c.bed.cluster->pods().set_stalled(pod, true);
    const auto sent = noise(6'000'000, 3);
    connection one{*tunnel, 7000, sent};
    CHECK_FALSE(c.until([&] { return one.todo.empty(); }, 200));
    c.bed.clock.advance(100s);
    CHECK(one.sink.failure.empty());
    CHECK(c.sink.closed.empty());
    CHECK_FALSE(tunnel->usable());
    c.bed.cluster->pods().set_stalled(pod, false);
    CHECK(c.until([&] { return one.sink.got.size() >= sent.size(); }));
    CHECK((one.sink.got == sent));
}

TEST_CASE("a pair that wedges one queue of the runtime retires its tunnel and ends nothing", "[simulated]")
{
    cluster c{transport_choice::spdy};
    const auto pod = c.bed.pod_of("echo");
    const auto tunnel = c.tunnel_to("echo", 7000);
    connection quiet{*tunnel, 7000, "hello"};
    REQUIRE(c.until([&] { return quiet.sink.got == "hello"; }));
    c.bed.cluster->pods().set_stalled(pod, true);
    const auto sent = noise(600'000, 4); // fits into the runtime's queue, so that ours drains
    connection wedged{*tunnel, 7000, sent};
    REQUIRE(c.until([&] { return wedged.todo.empty(); }));
    for (int i = 0; i < 120 && tunnel->usable(); ++i) c.bed.clock.advance(1s);
    CHECK_FALSE(tunnel->usable());
    CHECK(c.sink.closed.empty());
    CHECK(wedged.sink.failure.empty());
    c.bed.cluster->pods().set_stalled(pod, false);
    CHECK(c.until([&] { return wedged.sink.got.size() >= sent.size(); }));
    CHECK((wedged.sink.got == sent));
}

TEST_CASE("aborted downloads leave the tunnel to the others", "[simulated]")
{
    const auto choice = GENERATE(transport_choice::websocket, transport_choice::spdy);
    cluster c{choice};
    const auto tunnel = c.tunnel_to("source", 7002);
    for (int i = 0; i < 20; ++i) {
        connection one{*tunnel, 7002};
        REQUIRE(c.until([&] { return !one.sink.got.empty(); }));
    }
    CHECK(tunnel->pairs() == 0);
    connection last{*tunnel, 7002};
    CHECK(c.until([&] { return !last.sink.got.empty(); }));
}

TEST_CASE("a pod that is deleted under a tunnel ends its pairs, and is gone for the next", "[simulated]")
{
    const auto choice = GENERATE(transport_choice::websocket, transport_choice::spdy, transport_choice::legacy);
    cluster c{choice};
    const auto key = c.bed.pod_of("echo");
    const auto ref = c.pod_of("echo");
    const auto tunnel = c.tunnel_to("echo", 7000);
    connection one{*tunnel, 7000, "hello"};
    REQUIRE(c.until([&] { return one.sink.got == "hello"; }));
    REQUIRE(c.bed.cluster->erase("", "pods", key));
    c.bed.clock.advance(5s);
    CHECK(one.sink.events.size() >= 2); // an end or a failure, whatever came first
    const auto again = c.bed.clock.run(c.through->open(ref, 7000, c.sink));
    REQUIRE(again.has_error());
    CHECK(again.error().what == failed::pod_gone);
}

TEST_CASE("a server without the WebSocket tunnel is asked for SPDY", "[simulated]")
{
    cluster c{transport_choice::automatic};
    fwd::simcluster::scripted_answer refusal;
    refusal.transport = "websocket";
    SECTION("because of the rights")
    {
        refusal.status = 403;
    }
    SECTION("because it does not know it")
    {
        refusal.status = 400;
    }
    c.bed.cluster->answer_with(refusal);
    const auto tunnel = c.tunnel_to("echo", 7000);
    CHECK(tunnel->kind() == transport_kind::spdy);
    CHECK(c.through->preferred() == transport_kind::spdy);
}
