// The engine against the simulated cluster: what is forwarded, what is shown, and what happens when pods and tunnels go.
#include "tests/daemon/forward/engine_bed.hpp"

using namespace fwd;
using namespace fwd::test;
using Catch::Matchers::Contains;

TEST_CASE("every service of a namespace answers by its own name, over each transport", "[engine]")
{
    const auto transport =
        GENERATE(portforward::transport_choice::websocket, portforward::transport_choice::spdy, portforward::transport_choice::legacy);
    engine_bed bed{transport};
    const auto added = bed.forward_namespace("shop");
    REQUIRE(added.has_value());
    CHECK(added->created);
    for (const auto& [name, port] : std::vector<std::pair<std::string, std::uint16_t>>{{"web", 80},
                                                                                       {"web.shop.svc.cluster.local", 80},
                                                                                       {"api", 8080},
                                                                                       {"api", 9090},
                                                                                       {"cart", 8080},
                                                                                       {"mixed", 80},
                                                                                       {"orders", 8080},
                                                                                       {"orders-0.orders", 8080},
                                                                                       {"orders-1.orders.shop.svc", 8080}}) {
        const auto page = bed.get(name, port);
        INFO(name << ":" << port);
        REQUIRE(page.has_value());
        CHECK_THAT(*page, Contains("200 OK"));
    }
    const auto greeting = bed.clock.run(with_timeout(bed.clock, 5s, bed.talk("greeter", 2525, "bye", true)));
    REQUIRE(greeting.has_value());
    CHECK_THAT(*greeting, Contains("greeter ready"));
}

TEST_CASE("what cannot be forwarded is listed with its true reason", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    using state = catalog::service_state;
    CHECK(bed.service("web.shop").state == state::active);
    CHECK(bed.service("never-ready.shop").state == state::pending);
    CHECK(bed.service("crashing.shop").state == state::error);
    CHECK(bed.service("crashing.shop").reason_code == "crash_loop");
    CHECK(bed.service("empty.shop").state == state::pending);
    CHECK(bed.service("empty.shop").reason_code == "no_pods");
    CHECK(bed.service("external.shop").state == state::unsupported);
    CHECK(bed.service("external.shop").reason_code == "external_name");
    CHECK(bed.service("manual.shop").state == state::unsupported);
    const auto& dns = bed.service("dns-udp.shop");
    REQUIRE(dns.unsupported.size() == 1);
    CHECK(dns.unsupported[0].protocol == "UDP");
    REQUIRE(dns.forwards.size() == 1);
    CHECK(dns.forwards[0].local_port == 8053);
}

TEST_CASE("three hundred services are reachable after six requests", "[engine]")
{
    simcluster::cluster_options many;
    many.bulk_services = 300;
    engine_bed bed{portforward::transport_choice::automatic, many};
    REQUIRE(bed.forward_namespace("bulk").has_value());
    std::uint64_t requests = 0;
    for (const auto& [what, count] : bed.cluster->count().requests) requests += count;
    CHECK(requests <= 6);
    CHECK(bed.state.sum().active_services == 300);
    CHECK(bed.host.writes <= 3);
    for (const auto* name : {"svc-0000", "svc-0150", "svc-0299"}) CHECK(bed.get(name).has_value());
}

TEST_CASE("a port that the pod refuses fails that connection alone, and the state says so", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto pods = bed.cluster->pods_of_service({"shop", "cart"});
    REQUIRE(pods.size() == 1);
    bed.cluster->restart_container(pods[0], 30s);
    // The container is gone before the kubelet says so.
    const auto refused = bed.get("cart", 8080);
    CHECK(refused.has_error());
    CHECK(bed.get("web").has_value());
    bed.clock.advance(40s);
    const auto page = bed.get("cart", 8080);
    REQUIRE(page.has_value());
    CHECK(bed.service("cart.shop").state == catalog::service_state::active);
    CHECK(bed.service("cart.shop").forwards[0].verified);
}

TEST_CASE("the tunnels' end ends no listener: the next connection opens another", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("web").has_value());
    CHECK(bed.cluster->drop_connections() > 0);
    bed.clock.advance(2s);
    CHECK(bed.get("web").has_value());
    CHECK(bed.service("web.shop").state == catalog::service_state::active);
}

TEST_CASE("a removed service leaves no name, no route and no address, and the others stay", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto address = bed.host.names.at("web");
    const auto removed = bed.clock.run(bed.supervisor->remove_service("web.shop"));
    REQUIRE(removed.has_value());
    CHECK(*removed == std::vector<std::string>{"web.shop.sim"});
    CHECK_FALSE(bed.host.names.contains("web"));
    CHECK_FALSE(bed.host.addresses.contains(address));
    CHECK_FALSE(bed.net.routes.contains(make_endpoint(address, 80)));
    CHECK(bed.state.find_service("web.shop").has_error());
    CHECK(bed.get("cart", 8080).has_value());
}

TEST_CASE("one service is added by a part of its name's truth: ready, with address and names", "[engine]")
{
    engine_bed bed;
    catalog::add_service ask;
    ask.service = "web";
    ask.namespace_name = "staging";
    ask.wait = catalog::wait_for::reachable;
    ask.timeout = 10s;
    const auto added = bed.clock.run(bed.supervisor->add(ask));
    REQUIRE(added.has_value());
    CHECK(added->created);
    CHECK(added->ready);
    CHECK(bed.host.names.contains("web"));
    CHECK(bed.state.services().size() == 1);
    const auto again = bed.clock.run(bed.supervisor->add(ask));
    REQUIRE(again.has_value());
    CHECK_FALSE(again->created);
}

TEST_CASE("an unknown service or namespace is an error that names what is close, and leaves nothing behind", "[engine]")
{
    engine_bed bed;
    catalog::add_service ask;
    ask.service = "wbe";
    ask.namespace_name = "shop";
    const auto added = bed.clock.run(bed.supervisor->add(ask));
    REQUIRE(added.has_error());
    CHECK(added.error().why.is(errc::not_found));
    CHECK_THAT(added.error().why.message(), Contains("web"));
    const auto space = bed.forward_namespace("shopp");
    REQUIRE(space.has_error());
    CHECK_THAT(space.error().why.message(), Contains("shop"));
    CHECK(bed.state.services().empty());
    CHECK(bed.state.namespaces().empty());
    CHECK(bed.host.addresses.empty());
}

TEST_CASE("a connection to a service whose pod was just deleted waits for its successor", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("cart", 8080).has_value());
    const auto pods = bed.cluster->pods_of_service({"shop", "cart"});
    REQUIRE(pods.size() == 1);
    bed.cluster->erase("", "pods", pods[0]);
    bed.clock.advance(50ms);
    const auto page = bed.get("cart", 8080);
    REQUIRE(page.has_value());
    CHECK_THAT(*page, Contains("200 OK"));
}

TEST_CASE("pods that had been there for long and are deleted are waited for like others", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    bed.clock.advance(5min);
    for (const auto* pod : {"orders-0", "orders-1"}) REQUIRE(bed.cluster->control().delete_pod({"shop", pod}, 3s)); // no successor before
    bed.clock.advance(200ms);
    const auto page = bed.get("orders", 8080);
    REQUIRE(page.has_value());
    CHECK_THAT(*page, Contains("200 OK"));
}

TEST_CASE("a name that the user's own file has is not written, and the conflict says which line", "[engine]")
{
    engine_bed bed;
    bed.host.taken = {"web"};
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto& web = bed.service("web.shop");
    REQUIRE(web.conflicts.size() == 1);
    CHECK(web.conflicts[0].name == "web");
    CHECK_THAT(web.conflicts[0].held_by, Contains("line 3"));
    CHECK(std::find(web.hostnames.begin(), web.hostnames.end(), "web") == web.hostnames.end());
    CHECK(bed.get("web.shop").has_value());
}

TEST_CASE("after the end the machine is as before", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    CHECK_FALSE(bed.host.names.empty());
    bed.clock.run(bed.plane->stop());
    bed.clock.run(bed.supervisor->stop());
    CHECK(bed.host.names.empty());
    CHECK(bed.host.addresses.empty());
    CHECK(bed.net.routes.empty());
    CHECK(bed.state.services().empty());
}
