#include "daemon/first_wishes.hpp"

#include "daemon/catalog/event_bus.hpp"
#include "tests/daemon/kube/fakes.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::daemon;

namespace {

struct bed : kube::test::world {
    std::map<std::string, catalog::answer<catalog::added_namespace>> by_namespace;
    std::vector<std::string> known_services;
    catalog::event_bus events{clock};
    catalog::catalog state{clock, events};
    host::facts machine;
    task_scope tasks{loop.get_executor(), log};

    result<void> start(const std::vector<std::string>& namespaces, const std::vector<std::string>& services = {})
    {
        options asked;
        asked.namespaces = namespaces;
        asked.service_names = services;
        const auto add = [this](catalog::add_namespace ask) -> awaitable<catalog::answer<catalog::added_namespace>> {
            co_return by_namespace.at(ask.namespace_name);
        };
        const auto services_of = [this](std::string, std::string) -> awaitable<catalog::answer<std::vector<catalog::cluster_service>>> {
            std::vector<catalog::cluster_service> all;
            for (const auto& name : known_services) all.emplace_back().name = name;
            co_return all;
        };
        const first_wishes::parts use{add, services_of, state, narration{state, machine, {}}, clock, tasks};
        first_wishes all{use, wishes_of(asked, {}, "u")};
        return clock.run(all.run());
    }
    static catalog::added_namespace there(std::vector<std::string> services)
    {
        catalog::added_namespace made;
        made.services = std::move(services);
        made.ready = true;
        return made;
    }
    static catalog::added_namespace tried_on()
    {
        catalog::added_namespace made;
        made.not_yet = error{errc::refused, "connect 127.0.0.1:6443: refused"};
        return made;
    }
    static catalog::refusal refused()
    {
        return catalog::refusal{error{errc::not_found, "namespace shpo is not there; did you mean shop?"}};
    }
};

} // namespace

TEST_CASE("each namespace of each context is a wish that stays", "[start]")
{
    options asked;
    asked.namespaces = {"shop", "staging"};
    asked.contexts = {{"one", ""}, {"two", "t"}};
    const auto wishes = wishes_of(asked, {}, "u");
    REQUIRE(wishes.size() == 4);
    CHECK(wishes[3].context == "two");
    CHECK(wishes[3].namespace_name == "staging");
    for (const auto& one : wishes) CHECK(one.stays);
    asked.namespaces.clear();
    asked.all_namespaces = true;
    CHECK(wishes_of(asked, {}, "u").size() == 2);
}

TEST_CASE("a start goes on while anything is there or may come, and ends when all was refused", "[start]")
{
    bed b;
    b.by_namespace.emplace("shop", b.there({"web.shop.kind"}));
    b.by_namespace.emplace("far", b.tried_on());
    b.by_namespace.emplace("shpo", b.refused());
    CHECK(b.start({"shop"}).has_value());
    CHECK(b.start({"far"}).has_value());
    CHECK(b.start({"shop", "shpo"}).has_value());
    CHECK(b.start({"far", "shpo"}).has_value());
    const auto none = b.start({"shpo"});
    REQUIRE(none.has_error());
    CHECK(none.error().is(errc::unavailable));
}

TEST_CASE("services that are named and nowhere end the start only when none of them is there", "[start]")
{
    bed b;
    b.known_services = {"web", "api"};
    b.by_namespace.emplace("shop", b.there({"web.shop.kind"}));
    b.by_namespace.emplace("empty", b.there({}));
    b.by_namespace.emplace("far", b.tried_on());
    CHECK(b.start({"shop"}, {"web", "wbe"}).has_value());
    CHECK(b.start({"empty"}, {"we*"}).has_value()); // a pattern may be met later
    CHECK(b.start({"far"}, {"wbe"}).has_value());   // nobody knows yet
    const auto none = b.start({"empty"}, {"wbe"});
    REQUIRE(none.has_error());
    CHECK(none.error().is(errc::not_found));
}
