// Additions: what is asked for is honoured, what fails leaves nothing, and asking again changes nothing.
#include "tests/daemon/forward/engine_bed.hpp"

using namespace fwd;
using namespace fwd::test;
using Catch::Contains;

namespace {

struct asking_bed : engine_bed {
    catalog::answer<catalog::added_service> add(const std::string& service, const std::function<void(catalog::add_service&)>& with = {})
    {
        catalog::add_service ask;
        ask.service = service;
        ask.namespace_name = "shop";
        ask.wait = catalog::wait_for::listening;
        ask.timeout = 10s;
        if (with) with(ask);
        auto done = clock.run(supervisor->add(ask));
        if (done) answered = ports_of(service + ".shop"); // what its caller is told
        clock.advance(500ms);
        return done;
    }
    catalog::answer<catalog::added_namespace> add_all(const std::function<void(catalog::add_namespace&)>& with)
    {
        catalog::add_namespace ask;
        ask.namespace_name = "shop";
        ask.timeout = 10s;
        with(ask);
        auto done = clock.run(supervisor->add(ask));
        clock.advance(500ms);
        return done;
    }
    std::vector<std::uint16_t> answered;
    [[nodiscard]] std::vector<std::string> forwarded() const
    {
        std::vector<std::string> names;
        for (const auto& [key, one] : state.services()) names.push_back(one.service);
        return names;
    }
    std::vector<std::uint16_t> ports_of(const std::string& key)
    {
        std::vector<std::uint16_t> all;
        for (const auto& one : service(key).forwards) all.push_back(one.local_port);
        std::sort(all.begin(), all.end());
        return all;
    }
    /// All that an addition may have put somewhere.
    [[nodiscard]] bool nothing_is_left() const
    {
        return state.services().empty() && state.namespaces().empty() && host.addresses.empty() && host.names.empty() &&
               net.routes.empty() && state.self().primary_namespace.empty();
    }
};

using numbers = std::vector<std::uint16_t>;
using words = std::vector<std::string>;

} // namespace

TEST_CASE("whatever an addition fails of, it leaves nothing behind", "[adding]")
{
    struct row {
        std::string service;
        std::function<void(catalog::add_service&)> with;
        errc why;
    };
    const auto far = [](catalog::add_service& ask) { ask.local_ip = ipv4{0x7f000005}; };
    const auto outside = [](catalog::add_service& ask) { ask.local_ip = ipv4{0x0a000001}; };
    const auto no_port = [](catalog::add_service& ask) { ask.ports.push_back({"81", {}}); };
    const auto elsewhere = [](catalog::add_service& ask) { ask.namespace_name = "shopp"; };
    const auto no_context = [](catalog::add_service& ask) { ask.context = "none"; };
    const auto row = GENERATE_COPY(values<struct row>({{"wbe", {}, errc::not_found},
                                                       {"web", far, errc::invalid_request},
                                                       {"web", outside, errc::invalid_request},
                                                       {"web", no_port, errc::not_found},
                                                       {"web", elsewhere, errc::not_found},
                                                       {"web", no_context, errc::not_found},
                                                       {"external", {}, errc::unsupported}}));
    asking_bed bed;
    const auto added = bed.add(row.service, row.with);
    INFO(row.service << " " << name_of(row.why));
    REQUIRE(added.has_error());
    INFO(added.error().why.message());
    CHECK(added.error().why.is(row.why));
    CHECK(bed.nothing_is_left());
    // Nor does it stand in the way of the next one, which becomes the primary namespace.
    REQUIRE(bed.forward_namespace("shop").has_value());
    CHECK(bed.host.names.contains("web"));
}

TEST_CASE("an address is as it was asked for, and one that another has is refused", "[adding]")
{
    asking_bed bed;
    const ipv4 wanted{0x7f011e01};
    const auto there = [&](catalog::add_service& ask) { ask.local_ip = wanted; };
    REQUIRE(bed.add("web", there).has_value());
    CHECK(bed.service("web.shop").local_ip == wanted);
    CHECK(bed.host.names.at("web") == wanted);
    const auto taken = bed.add("cart", there);
    REQUIRE(taken.has_error());
    CHECK(taken.error().why.is(errc::conflict));
    CHECK_THAT(taken.error().why.message(), Contains("127.1.30.1"));
    CHECK(bed.forwarded() == words{"web"});
    const auto again = bed.add("web", there);
    REQUIRE(again.has_value());
    CHECK_FALSE(again->created);
    const auto moved = bed.add("web", [](catalog::add_service& ask) { ask.local_ip = ipv4{0x7f011e02}; });
    REQUIRE(moved.has_error());
    CHECK(moved.error().why.is(errc::conflict));
    CHECK_THAT(moved.error().why.message(), Contains("is forwarded at 127.1.30.1 already"));
    CHECK(bed.get("web").has_value());
}

TEST_CASE("ports are those that were asked for, by number or name and where they were wanted; asking for more adds them", "[adding]")
{
    asking_bed bed;
    REQUIRE(bed.add("api", [](catalog::add_service& ask) { ask.ports.push_back({"8080", 18080}); }).has_value());
    CHECK(bed.ports_of("api.shop") == numbers{18080});
    CHECK(bed.get("api", 18080).has_value());
    CHECK(bed.get("api", 8080).has_error());
    const auto more = bed.add("api", [](catalog::add_service& ask) { ask.ports.push_back({"9090", {}}); });
    REQUIRE(more.has_value());
    CHECK_FALSE(more->created);
    CHECK(bed.answered == numbers{9090, 18080});
    CHECK(bed.ports_of("api.shop") == numbers{9090, 18080});
    CHECK(bed.get("api", 18080).has_value());
    const auto all = bed.add("api");
    REQUIRE(all.has_value());
    CHECK_FALSE(all->created);
    CHECK(bed.ports_of("api.shop") == numbers{8080, 9090});
}

TEST_CASE("a port asked for by itself takes none from a service that its namespace forwards", "[adding]")
{
    asking_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto before = bed.ports_of("api.shop");
    REQUIRE(before.size() > 1);
    const auto added = bed.add("api", [](catalog::add_service& ask) { ask.ports.push_back({"9090", {}}); });
    REQUIRE(added.has_value());
    CHECK_FALSE(added->created);
    CHECK(bed.ports_of("api.shop") == before);
}

TEST_CASE("of a namespace goes what selector, services and exclude leave of it", "[adding]")
{
    asking_bed bed;
    SECTION("labels")
    {
        const auto added = bed.add_all([](catalog::add_namespace& ask) { ask.selector = "app in (web,cart)"; });
        REQUIRE(added.has_value());
        CHECK(added->services == words{"cart.shop.sim", "web.shop.sim"});
        CHECK(bed.forwarded() == words{"cart", "web"});
    }
    SECTION("names")
    {
        REQUIRE(bed.add_all([](catalog::add_namespace& ask) {
                       ask.services = {"we*", "c*"};
                       ask.exclude = {"crash*", "cache"};
                   })
                    .has_value());
        CHECK(bed.forwarded() == words{"cart", "web"});
    }
    SECTION("fields")
    {
        REQUIRE(bed.add_all([](catalog::add_namespace& ask) { ask.field_selector = "metadata.name=web"; }).has_value());
        CHECK(bed.forwarded() == words{"web"});
    }
    SECTION("a selector that is none leaves nothing")
    {
        const auto added = bed.add_all([](catalog::add_namespace& ask) { ask.selector = "a in ("; });
        REQUIRE(added.has_error());
        CHECK(bed.nothing_is_left());
    }
}

TEST_CASE("a namespace that is added again is there, with what was taken from it meanwhile", "[adding]")
{
    asking_bed bed;
    const auto pair = [](catalog::add_namespace& ask) { ask.services = {"web", "cart"}; };
    REQUIRE(bed.add_all(pair)->created);
    REQUIRE(bed.clock.run(bed.supervisor->remove_service("web.shop")).has_value());
    CHECK(bed.forwarded() == words{"cart"});
    const auto same = bed.add_all([](catalog::add_namespace& ask) {
        ask.services = {"web", "cart"};
        ask.exclude = {"web"};
    });
    REQUIRE(same.has_value());
    CHECK_FALSE(same->created);
    CHECK(bed.forwarded() == words{"cart"});
    const auto again = bed.add_all(pair);
    REQUIRE(again.has_value());
    CHECK_FALSE(again->created);
    CHECK(bed.forwarded() == words{"cart", "web"});
}
