#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/event_bus.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::catalog;

namespace {

struct recorded final : event_sink {
    void emit(event what) override { all.push_back(std::move(what)); }
    std::vector<std::string> take()
    {
        std::vector<std::string> names;
        for (const auto& one : all) names.emplace_back(name_of(one.type));
        all.clear();
        return names;
    }
    std::vector<event> all;
};

using names = std::vector<std::string>;

struct fixture {
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    recorded heard;
    fwd::catalog::catalog all{clock, heard};
};

service make(std::string name, std::vector<forward_state> states, std::string name_space = "shop", std::string context = "kind")
{
    service made;
    made.service = std::move(name);
    made.namespace_name = std::move(name_space);
    made.context = std::move(context);
    made.local_ip = ipv4{0x7f011b01};
    std::uint16_t port = 80;
    for (const auto state : states) {
        forward one;
        one.local_ip = *made.local_ip;
        one.local_port = one.service_port = port++;
        one.state = state;
        one.pod = made.service + "-0";
        one.pods = {one.pod};
        made.forwards.push_back(one);
    }
    made.state = fwd::catalog::catalog::add_up(made);
    return made;
}

constexpr auto active = forward_state::active;
constexpr auto pending = forward_state::pending;
constexpr auto connecting = forward_state::connecting;
constexpr auto failed = forward_state::error;
constexpr auto stopping = forward_state::stopping;

} // namespace

TEST_CASE("a service's state is what its forwards add up to", "[catalog]")
{
    struct row {
        std::vector<forward_state> states;
        std::string_view state;
    };
    const auto row = GENERATE(values<struct row>({
        {{active}, "active"},
        {{active, active}, "active"},
        {{active, pending}, "partial"},
        {{active, failed}, "partial"},
        {{pending}, "pending"},
        {{connecting}, "pending"},
        {{pending, failed}, "pending"},
        {{failed, failed}, "error"},
        {{stopping, stopping}, "stopping"},
        {{}, "pending"},
    }));
    CHECK(name_of(fwd::catalog::catalog::add_up(make("web", row.states))) == row.state);
}

TEST_CASE("a service with nothing but ports that cannot be forwarded is unsupported", "[catalog]")
{
    auto dns = make("dns", {});
    dns.unsupported.push_back({53, "dns", "UDP", "UDP is not forwarded"});
    CHECK(fwd::catalog::catalog::add_up(dns) == service_state::unsupported);
}

TEST_CASE("only what changed becomes an event", "[catalog]")
{
    fixture f;
    f.all.put(make("web", {active}));
    CHECK(f.heard.all.front().service_key == "web.shop.kind");
    CHECK(f.heard.take() == names{"ServiceAdded", "PodAdded"});
    f.all.put(make("web", {active}));
    CHECK(f.heard.take().empty());

    auto renamed = make("web", {active});
    renamed.hostnames = {"web"};
    f.all.put(renamed);
    CHECK(f.heard.take() == names{"ServiceUpdated"});

    auto moved = renamed;
    moved.forwards[0].pod = "web-1";
    moved.forwards[0].pods = {"web-1"};
    f.all.put(moved);
    CHECK(f.heard.all[0].pod == "web-0");
    CHECK(f.heard.all[1].pod == "web-1");
    CHECK(f.heard.take() == names{"PodRemoved", "PodAdded", "Reconnected"});

    auto broken = make("web", {failed});
    broken.hostnames = {"web"};
    broken.forwards[0].pod = "web-1";
    broken.forwards[0].pods = {"web-1"};
    broken.forwards[0].reason = "the pod refuses port 8080";
    f.all.put(broken);
    CHECK(f.heard.all.back().error == "the pod refuses port 8080");
    CHECK(f.heard.take() == names{"ServiceUpdated", "PodStatusChanged", "ErrorRaised"});
    f.all.put(broken);
    CHECK(f.heard.take().empty());
    f.all.put(moved);
    CHECK(f.heard.take() == names{"ServiceUpdated", "PodStatusChanged", "ErrorResolved", "Reconnected"});
    f.all.remove_service("web.shop.kind");
    f.all.remove_service("web.shop.kind");
    CHECK(f.heard.take() == names{"ServiceRemoved"});
}

TEST_CASE("since moves only when the state does; what went wrong last is kept", "[catalog]")
{
    fixture f;
    const auto& kept = [&]() -> const service& { return f.all.services().at("web.shop.kind"); };
    auto broken = make("web", {failed});
    broken.last_error = failure{f.clock.wall_now(), "port_refused", "the pod refuses port 80"};
    broken.forwards[0].last_error = broken.last_error;
    f.all.put(broken);
    const auto begun = f.clock.wall_now();
    CHECK(kept().since == begun);
    f.clock.advance(5s);
    f.all.put(make("web", {failed}));
    CHECK(kept().since == begun);
    CHECK(kept().forwards[0].since == begun);
    CHECK(kept().owner.created_at == begun);
    f.clock.advance(5s);
    f.all.put(make("web", {active}));
    CHECK(kept().since == begun + 10s);
    CHECK(kept().forwards[0].since == begun + 10s);
    CHECK(kept().forwards[0].started_at == begun);
    CHECK(kept().owner.created_at == begun);
    REQUIRE(kept().last_error.has_value());
    CHECK(kept().last_error->code == "port_refused");
    CHECK(kept().forwards[0].last_error.has_value());
}

TEST_CASE("failures of namespaces and contexts are raised and resolved once", "[catalog]")
{
    fixture f;
    context one{.name = "kind"};
    f.all.put(one);
    CHECK(f.heard.take().empty());
    one.last_error = failure{f.clock.wall_now(), "refused", "connect 10.0.0.1:6443: Connection refused"};
    f.all.put(one);
    one.last_error->count = 2;
    f.all.put(one);
    CHECK(f.heard.take() == names{"ErrorRaised"});
    one.last_error.reset();
    f.all.put(one);
    CHECK(f.heard.take() == names{"ErrorResolved"});

    forwarded_namespace shop{.name = "shop", .context = "kind"};
    f.all.put(shop);
    shop.last_error = failure{f.clock.wall_now(), "forbidden", "services may not be listed"};
    f.all.put(shop);
    f.all.remove_namespace("shop.kind");
    CHECK(f.heard.take() == names{"NamespaceAdded", "ErrorRaised", "NamespaceRemoved"});
}

TEST_CASE("an object that is left out is a problem until it goes away", "[catalog]")
{
    fixture f;
    context one{.name = "kind"};
    one.left_out = {"shop/\\x1b[2Jx"};
    f.all.put(one);
    f.all.put(one);
    CHECK(f.heard.take() == names{"ErrorRaised"});
    one.left_out = {"shop/We b"};
    f.all.put(one);
    CHECK(f.heard.take() == names{"ErrorRaised", "ErrorResolved"});
    CHECK(left_out_sentence("pod shop/We b", "kind") ==
          "pod shop/We b of context kind is left out: its name is none that Kubernetes allows");
}

TEST_CASE("a key may be shortened as long as it means one thing", "[catalog]")
{
    fixture f;
    f.all.put(make("web", {active}));
    f.all.put(make("web", {active}, "staging"));
    f.all.put(make("api", {active, pending}));
    f.all.put(make("old", {active}, "shop", "arn:aws:eks:eu:1:cluster/a.b"));
    const auto key = [&](std::string_view text) { return f.all.find_service(text).value()->key(); };
    CHECK(key("web.shop.kind") == "web.shop.kind");
    CHECK(key("web.staging") == "web.staging.kind");
    CHECK(key("api") == "api.shop.kind");
    CHECK(key("shop/web") == "web.shop.kind");
    CHECK(key("old.shop.arn:aws:eks:eu:1:cluster/a.b") == "old.shop.arn:aws:eks:eu:1:cluster/a.b");
    CHECK(f.all.find_service("web").error().is(errc::ambiguous));
    CHECK(f.all.find_service("web.sho").error().is(errc::not_found));
    CHECK(f.all.find_service("").error().is(errc::not_found));
    CHECK(f.all.find_service("ap").error().message().find("did you mean api?") != std::string::npos);

    CHECK(f.all.find_forward("api.shop.kind.api-0.81").value().second->local_port == 81);
    CHECK(f.all.find_forward("api.80").value().second->local_port == 80);
    CHECK(f.all.find_forward("old").value().second->local_port == 80);
    CHECK(f.all.find_forward("api").error().is(errc::ambiguous));
    CHECK(f.all.find_forward("api.82").error().is(errc::not_found));
}

TEST_CASE("nothing forwarded is said as such", "[catalog]")
{
    const fixture f;
    CHECK(f.all.find_service("web").error().message() == "service 'web' is not forwarded; nothing is");
    CHECK(f.all.find_namespace("shop").error().is(errc::not_found));
}

TEST_CASE("the health of the whole follows its worst part", "[catalog]")
{
    fixture f;
    CHECK(f.all.state() == health::ok);
    f.all.put(make("web", {active}));
    CHECK(f.all.state() == health::ok);

    auto resting = make("job", {pending});
    resting.reason_code = "scaled_to_zero";
    f.all.put(resting);
    CHECK(f.all.state() == health::ok);

    SECTION("one of several lacks")
    {
        f.all.put(make("db", {GENERATE(pending, failed, connecting)}));
        CHECK(f.all.state() == health::degraded);
    }
    SECTION("partial is degraded and yet works")
    {
        f.all.remove_service("web.shop.kind");
        f.all.remove_service("job.shop.kind");
        f.all.put(make("db", {active, failed}));
        CHECK(f.all.state() == health::degraded);
    }
    SECTION("nothing works")
    {
        f.all.remove_service("job.shop.kind");
        f.all.put(make("web", {failed}));
        CHECK(f.all.state() == health::error);
    }
    SECTION("a context fails")
    {
        context one{.name = "kind"};
        one.last_error = failure{f.clock.wall_now(), "refused", "no"};
        f.all.put(one);
        CHECK(f.all.state() == health::degraded);
    }
    SECTION("a context fails that was only looked at")
    {
        context one{.name = "other"};
        one.last_error = failure{f.clock.wall_now(), "refused", "no"};
        f.all.put(one);
        CHECK(f.all.state() == health::ok);
    }
    SECTION("a namespace is still starting")
    {
        f.all.put(forwarded_namespace{.name = "data", .context = "kind"});
        CHECK(f.all.state() == health::degraded);
    }
    SECTION("the host agent is gone")
    {
        f.all.set_self({.agent_alive = false});
        CHECK(f.all.state() == health::error);
    }
}

TEST_CASE("totals count services, forwards, errors and bytes", "[catalog]")
{
    fixture f;
    f.all.put(make("web", {active, failed}));
    f.all.put(make("db", {pending}));
    const auto& traffic = *f.all.services().at("web.shop.kind").forwards[0].traffic;
    const_cast<counters&>(traffic).bytes_in = 10;
    const auto sum = f.all.sum();
    CHECK(sum.services == 2);
    CHECK(sum.active_services == 0);
    CHECK(sum.pending == 1);
    CHECK(sum.forwards == 3);
    CHECK(sum.active_forwards == 1);
    CHECK(sum.errors == 1);
    CHECK(sum.bytes_in == 10);
}

TEST_CASE("rates are what came since the last look, and survive a put", "[catalog]")
{
    fixture f;
    auto web = make("web", {active});
    auto& traffic = *(web.forwards[0].traffic = f.all.new_counters());
    f.all.put(web);
    f.all.sample_rates();
    f.heard.take();
    traffic.began();
    traffic.bytes_in = 1000;
    traffic.ended();
    f.clock.advance(2s);
    f.all.sample_rates();
    const auto& shown = *f.all.services().at("web.shop.kind").forwards[0].traffic;
    CHECK(shown.meter.rate().in == 500);
    CHECK(f.all.sum().rate_in == 500);
    CHECK(f.heard.all.at(0).bytes_in == 1000);
    CHECK(f.heard.take() == names{"BandwidthUpdate"});
    f.all.put(web);
    CHECK(shown.meter.rate().in == 500);
    f.clock.advance(1s);
    f.all.sample_rates();
    CHECK(shown.meter.rate().in == 0);
    CHECK(f.heard.take() == names{"BandwidthUpdate"});
    f.clock.advance(1s);
    f.all.sample_rates();
    CHECK(f.heard.take().empty());
    CHECK(shown.average(f.all.services().at("web.shop.kind").forwards[0].started_at).in == Approx(1000.0 / 4));
}

TEST_CASE("events have ids without gaps, and each reader its own bounded queue", "[catalog]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    event_bus bus{clock, {.queue = 3, .replay = 5}};
    const auto quick = bus.subscribe(), slow = bus.subscribe();
    int calls = 0;
    quick->on_event([&calls] { ++calls; });
    for (std::uint64_t i = 1; i <= 7; ++i) {
        bus.emit({.type = event_type::connection_opened});
        const auto got = quick->take();
        REQUIRE(got);
        CHECK(got->id == i);
        CHECK(got->when == clock.wall_now());
    }
    CHECK(calls == 7);
    CHECK(quick->take_dropped() == 0);
    CHECK(slow->take_dropped() == 4);
    CHECK(slow->take_dropped() == 0);
    CHECK(slow->take()->id == 5);

    const auto late = bus.subscribe(1);
    CHECK(late->take_dropped() == 1); // 2 is beyond recall
    CHECK(late->take()->id == 3);
    CHECK_FALSE(bus.subscribe(7)->take());
    CHECK(bus.readers() == 3);
}

TEST_CASE("a reader may outlive the bus", "[catalog]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    auto bus = std::make_unique<event_bus>(clock);
    const auto reader = bus->subscribe();
    bus.reset();
    CHECK_FALSE(reader->take());
}

TEST_CASE("a headless service's own forward and those of its pods have keys of their own", "[catalog]")
{
    forward one{.service_key = "orders.shop.kind", .headless = true, .pod = "orders-0", .local_port = 80};
    CHECK(one.key() == "orders.shop.kind.80");
    one.stable_pod = "orders-1";
    one.pod.clear(); // it is being replaced
    CHECK(one.key() == "orders.shop.kind.orders-1.80");
    one.headless = false;
    one.stable_pod.clear();
    one.pod = "orders-7d9c-x";
    CHECK(one.key() == "orders.shop.kind.orders-7d9c-x.80");
}

TEST_CASE("a way to a pod that was lost and came back is told once, with what happened and for how long", "[catalog]")
{
    fixture all;
    const auto put = [&](forward_state state, std::vector<std::string> pods, bool verified, std::string code = {}) {
        auto next = make("web", {state});
        auto& one = next.forwards.front();
        one.pods = pods;
        one.pod = pods.empty() ? "" : pods.front();
        one.verified = verified;
        one.reason_code = code;
        one.reason = code.empty() ? "" : "why " + code;
        next.state = fwd::catalog::catalog::add_up(next);
        all.all.put(std::move(next));
    };
    const auto returns = [&] {
        std::vector<event> found;
        for (const auto& one : all.heard.all)
            if (one.type == event_type::reconnected) found.push_back(one);
        all.heard.all.clear();
        return found;
    };
    put(active, {"web-0"}, true);
    SECTION("a tunnel that broke under a connection")
    {
        put(failed, {"web-0"}, false, "tunnel_lost");
        CHECK(returns().empty());
        all.clock.advance(3s);
        put(active, {"web-0"}, true);
        const auto found = returns();
        REQUIRE(found.size() == 1);
        CHECK(found[0].code == "tunnel_lost");
        CHECK(found[0].reason == "why tunnel_lost");
        CHECK(found[0].took == 3s);
        CHECK(found[0].forward_key == "web.shop.kind.web-0.80");
    }
    SECTION("a pod that was replaced while another was ready")
    {
        put(active, {"web-1"}, false);
        const auto found = returns();
        REQUIRE(found.size() == 1);
        CHECK(found[0].code == "pod_replaced");
        CHECK(found[0].pod == "web-1");
    }
    SECTION("a pod that went, and its successor that came later")
    {
        put(pending, {}, false, "no_pods");
        all.clock.advance(500ms);
        put(active, {"web-1"}, false);
        const auto found = returns();
        REQUIRE(found.size() == 1);
        CHECK(found[0].code == "no_pods");
        CHECK(found[0].took == 500ms);
    }
    SECTION("an idle tunnel that was cut, once another is there")
    {
        auto next = make("web", {active});
        next.forwards.front().pods = {"web-0"};
        next.forwards.front().last_loss = failure{all.clock.wall_now(), "tunnel_lost", "connection reset"};
        all.all.put(next);
        CHECK(returns().empty());
        put(active, {"web-0"}, true);
        CHECK(returns().size() == 1);
        put(active, {"web-0"}, true);
        CHECK(returns().empty());
    }
    SECTION("another pod beside the one there is, a port that refuses and the end are none")
    {
        put(active, {"web-0", "web-1"}, true);
        put(failed, {"web-0", "web-1"}, false, "port_refused");
        put(active, {"web-0", "web-1"}, true);
        put(stopping, {"web-0", "web-1"}, false, "stopping");
        CHECK(returns().empty());
    }
}
