// Names in the engine: who gets them, what shadows what, and what happens when the primary namespace moves.
#include "tests/daemon/forward/engine_bed.hpp"

using namespace fwd;
using namespace fwd::test;
using Catch::Matchers::Contains;

namespace {

const catalog::conflict* conflict_over(const catalog::service& of, const std::string& name)
{
    for (const auto& one : of.conflicts)
        if (one.name == name) return &one;
    return nullptr;
}

bool has(const std::vector<std::string>& all, const std::string& one)
{
    return std::find(all.begin(), all.end(), one) != all.end();
}

} // namespace

TEST_CASE("top-level domains are known", "[names]")
{
    for (const auto* name : {"dev", "shop", "app", "com", "de", "xn--p1ai", "zw", "aaa"}) CHECK(forward::is_top_level_domain(name));
    for (const auto* name : {"staging", "svc", "local", "", "default", "zz-top"}) CHECK_FALSE(forward::is_top_level_domain(name));
    CHECK(forward::may_be_public("web.shop"));
    CHECK_FALSE(forward::may_be_public("shop"));
}

TEST_CASE("a name that the public DNS has is not taken, unless that is wanted", "[names]")
{
    const bool allowed = GENERATE(false, true);
    engine_bed bed{{}, {}, [&](auto& settings) { settings.allow_shadow = allowed; }};
    bed.net.hosts["web.shop"] = {boost::asio::ip::make_address("93.184.216.34")};
    bed.net.hosts["api.shop"] = {boost::asio::ip::make_address("127.1.27.9")}; // our own line
    REQUIRE(bed.forward_namespace("shop").has_value());
    CHECK(bed.host.names.contains("web.shop") == allowed);
    CHECK(bed.host.names.contains("web"));
    CHECK(bed.host.names.contains("web.shop.svc"));
    CHECK(bed.host.names.contains("api.shop"));
    const auto* conflict = conflict_over(bed.service("web.shop"), "web.shop");
    CHECK((conflict != nullptr) == !allowed);
    if (conflict) CHECK_THAT(conflict->held_by, Contains("public DNS") && Contains("93.184.216.34") && Contains("--allow-shadow"));
}

TEST_CASE("both services show a name that two want, and the one that is left gets it", "[names]")
{
    engine_bed bed;
    for (const auto* space : {"shop", "staging"}) {
        catalog::add_service ask;
        ask.service = "web";
        ask.namespace_name = space;
        REQUIRE(bed.clock.run(bed.supervisor->add(ask)).has_value());
    }
    bed.clock.advance(1s);
    const auto* loser = conflict_over(bed.service("web.staging"), "web");
    REQUIRE(loser);
    CHECK(loser->held_by == "web.shop.sim");
    const auto* holder = conflict_over(bed.service("web.shop"), "web");
    REQUIRE(holder);
    CHECK(holder->held_by == "web.shop.sim");
    CHECK(holder->wanted_by == "web.staging.sim");
    REQUIRE(bed.clock.run(bed.supervisor->remove_service("web.shop")).has_value());
    bed.clock.advance(1s);
    CHECK(bed.host.names.at("web") == bed.service("web.staging").local_ip);
    CHECK(bed.service("web.staging").conflicts.empty());
}

TEST_CASE("bare names move with the primary namespace, and the answer tells which", "[names]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.forward_namespace("staging").has_value());
    CHECK(bed.host.names.at("web") == bed.service("web.shop").local_ip);
    catalog::set_primary ask;
    ask.namespace_name = "staging";
    const auto done = bed.clock.run(bed.supervisor->set_primary(ask));
    REQUIRE(done.has_value());
    CHECK(done->context == "sim");
    const auto moved = std::find_if(done->moved.begin(), done->moved.end(), [](const auto& one) { return one.name == "web"; });
    REQUIRE(moved != done->moved.end());
    CHECK(moved->from == "web.shop.sim");
    CHECK(moved->to == "web.staging.sim");
    CHECK(bed.host.names.at("web") == bed.service("web.staging").local_ip);
    CHECK_FALSE(bed.host.names.contains("cart")); // staging has none
    CHECK(bed.host.names.contains("cart.shop"));
    CHECK(bed.state.self().primary_namespace == "staging");
    const auto again = bed.clock.run(bed.supervisor->set_primary(ask));
    REQUIRE(again.has_value());
    CHECK(again->moved.empty());
    ask.namespace_name = "shop"; // and back, by which the names change places in one write
    REQUIRE(bed.clock.run(bed.supervisor->set_primary(ask)).has_value());
    bed.clock.advance(1s);
    CHECK(bed.host.names.at("web") == bed.service("web.shop").local_ip);
    CHECK(bed.service("web.shop").conflicts.empty());
    CHECK(bed.service("web.staging").conflicts.empty());
}

TEST_CASE("an unknown namespace does not become primary", "[names]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    catalog::set_primary ask;
    ask.namespace_name = "stagng";
    const auto done = bed.clock.run(bed.supervisor->set_primary(ask));
    REQUIRE(done.has_error());
    CHECK_THAT(done.error().why.message(), Contains("staging"));
    CHECK(bed.state.self().primary_namespace == "shop");
}

TEST_CASE("a protected context gets no bare names", "[names]")
{
    engine_bed bed{{}, {}, [](auto& settings) { settings.protected_contexts = {"sim-token"}; }};
    for (const auto& one : bed.supervisor->known()) CHECK(one.is_protected == (one.name == "sim-token"));
    REQUIRE(bed.forward_namespace("shop").has_value());
    CHECK_FALSE(bed.host.names.contains("web"));
    CHECK(bed.host.names.contains("web.shop"));
}

TEST_CASE("the names of what runs here lead to this machine, and nothing is forwarded", "[names]")
{
    engine_bed bed{{}, {}, [](auto& settings) { settings.locals = {{"web", 3000}, {"api", {}}}; }};
    REQUIRE(bed.forward_namespace("shop").has_value());
    const ipv4 here{0x7f000001};
    for (const auto* name : {"web", "web.shop", "api", "api.shop.svc.cluster.local"}) {
        INFO(name);
        REQUIRE(bed.host.names.contains(name));
        CHECK(bed.host.names.at(name) == here);
    }
    const auto& web = bed.service("web.shop");
    CHECK(web.state == catalog::service_state::local);
    CHECK_THAT(web.reason, Contains("3000"));
    CHECK(web.forwards.empty());
    CHECK_FALSE(bed.host.addresses.contains(here));
    CHECK(bed.get("cart", 8080).has_value());

    // No longer local: forwarded like the rest, without a word of the other one's names.
    bed.supervisor->reconfigure({}, {{"api", {}}}, false);
    bed.clock.advance(1s);
    CHECK(bed.host.names.at("web") != here);
    CHECK(bed.host.names.at("api") == here);
    CHECK(bed.get("web").has_value());
}

TEST_CASE("a stable pod's names stay for a minute after it is deleted, at the same address for its successor", "[names]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto address = bed.host.names.at("orders-1.orders");
    bed.cluster->control().scale(*simcluster::find_type("apps", "statefulsets"), {"shop", "orders"}, 1);
    bed.clock.advance(10s);
    CHECK(bed.host.names.at("orders-1.orders") == address);
    bed.cluster->control().scale(*simcluster::find_type("apps", "statefulsets"), {"shop", "orders"}, 2);
    bed.clock.advance(20s);
    CHECK(bed.host.names.at("orders-1.orders") == address);
    CHECK(bed.get("orders-1.orders", 8080).has_value());
    bed.cluster->control().scale(*simcluster::find_type("apps", "statefulsets"), {"shop", "orders"}, 1);
    bed.clock.advance(90s);
    CHECK_FALSE(bed.host.names.contains("orders-1.orders"));
    CHECK(bed.host.names.contains("orders-0.orders"));
}

TEST_CASE("a reservation names a service, with its namespace and context, or a stable pod", "[names]")
{
    const auto at = [](const char* text) { return *ipv4::parse(text); };
    engine_bed bed{
        {}, {}, [&](auto& settings) {
            settings.reservations = {{"web", at("127.9.9.1")}, {"cart.shop", at("127.9.9.2")}, {"orders-0.orders", at("127.9.9.3")}};
        }};
    REQUIRE(bed.forward_namespace("shop").has_value());
    CHECK(bed.host.names.at("web") == at("127.9.9.1"));
    CHECK(bed.host.names.at("cart") == at("127.9.9.2"));
    CHECK(bed.host.names.at("orders-0.orders") == at("127.9.9.3"));
}

TEST_CASE("a name in the user's own lines is asked for again once the line is gone", "[names]")
{
    engine_bed bed;
    bed.host.taken = {"web"};
    REQUIRE(bed.forward_namespace("shop").has_value());
    CHECK_FALSE(has(bed.service("web.shop").hostnames, "web"));
    bed.host.taken.clear();
    bed.clock.advance(31s);
    CHECK(has(bed.service("web.shop").hostnames, "web"));
    CHECK(bed.service("web.shop").conflicts.empty());
}

TEST_CASE("without an address left the service says which range is used up", "[names]")
{
    engine_bed bed;
    store::lease_settings narrow;
    narrow.last = *ipv4::parse("127.1.27.3");
    bed.leases->avoid({});
    auto few = store::make_memory_leases(bed.clock, narrow);
    for (int i = 0; i < 3; ++i) REQUIRE(few->allocate("other/" + std::to_string(i)).has_value());
    const auto none = few->allocate("one more");
    REQUIRE(none.has_error());
    CHECK_THAT(none.error().message(), Contains("127.1.27.1") && Contains("127.1.27.3"));
}
