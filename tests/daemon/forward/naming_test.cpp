#include "daemon/forward/naming.hpp"

#include <catch2/catch.hpp>

using namespace fwd::forward;
using names = std::vector<std::string>;

TEST_CASE("a service of the primary namespace and context has its bare name and all of Kubernetes' own", "[naming]")
{
    name_question ask{"web", "shop", "kind", true, true, false, false, {}, {}};
    CHECK(names_of(ask) ==
          names{"web", "web.shop", "web.shop.svc", "web.shop.svc.cluster.local", "web.kind", "web.shop.kind", "web.shop.svc.kind"});
}

TEST_CASE("another namespace gets no bare name, another context no cluster.local", "[naming]")
{
    name_question ask{"web", "staging", "kind", true, false, false, false, {}, {}};
    CHECK(names_of(ask) ==
          names{"web.staging", "web.staging.svc", "web.staging.svc.cluster.local", "web.staging.kind", "web.staging.svc.kind"});
    ask.primary_context = false;
    ask.primary_namespace = true;
    CHECK(names_of(ask) == names{"web.kind", "web.staging.kind", "web.staging.svc.kind"});
}

TEST_CASE("a domain adds its names, a stable pod stands in front of each", "[naming]")
{
    name_question ask{"db", "shop", "kind", true, true, false, false, "local.dev", "db-0"};
    const auto all = names_of(ask);
    CHECK(all.front() == "db-0.db");
    CHECK(std::find(all.begin(), all.end(), "db-0.db.local.dev") != all.end());
    CHECK(std::find(all.begin(), all.end(), "db-0.db.shop.local.dev") != all.end());
}

TEST_CASE("a context's name is reduced to what a host name may hold", "[naming]")
{
    CHECK(reduced_context("kind-dev") == "kind-dev");
    CHECK(reduced_context("arn:aws:eks:eu-west-1:123:cluster/Prod_1") == "prod-1");
    CHECK(reduced_context("gke_project_zone_name") == "gke-project-zone-name");
    CHECK(reduced_context("admin@cluster.local") == "admin-cluster-local");
    CHECK(reduced_context("___") == "context");
}

TEST_CASE("contexts that reduce alike get the shortest suffix that tells them apart", "[naming]")
{
    const auto shown = shown_contexts({"a_b", "a.b", "other"});
    CHECK(shown[2] == "other");
    CHECK(shown[0] != shown[1]);
    const auto arns = shown_contexts({"arn:x:1:cluster/dev", "arn:x:2:cluster/dev"});
    CHECK(arns[0] != arns[1]);
    CHECK(arns[0].starts_with("dev-"));
}

TEST_CASE("a name belongs to the first who claims it, and goes to the next when it is given back", "[naming]")
{
    name_table table;
    CHECK(table.claim("one", {"web", "web.shop"}).names == names{"web", "web.shop"});
    const auto second = table.claim("two", {"web", "web.staging"});
    CHECK(second.names == names{"web.staging"});
    REQUIRE(second.conflicts.size() == 1);
    CHECK(second.conflicts[0].name == "web");
    CHECK(second.conflicts[0].held_by == "one");
    CHECK(second.conflicts[0].wanted_by == "two");
    CHECK(table.take_stale() == names{"one"}); // the holder is to show it as well
    const auto told = table.claim("one", {"web", "web.shop"});
    REQUIRE(told.conflicts.size() == 1);
    CHECK(told.conflicts[0].held_by == "one");
    CHECK(told.conflicts[0].wanted_by == "two");
    CHECK(table.take_stale().empty());
    table.release("one");
    CHECK(table.take_stale() == names{"two"});
    CHECK(table.claim("two", {"web", "web.staging"}).names == names{"web", "web.staging"});
}

TEST_CASE("a protected context gets no bare name, even for what was added by itself", "[naming]")
{
    name_question ask{"web", "shop", "prod", true, true, true, true, {}, {}};
    CHECK(names_of(ask).front() == "web.shop");
    CHECK(weak_names_of(ask).empty());
}

TEST_CASE("the bare name of what was added by itself yields to the primary namespace, and comes back", "[naming]")
{
    name_table table;
    const name_question alone{"web", "staging", "kind", true, false, true, false, {}, {}};
    CHECK(table.claim("alone", names_of(alone), weak_names_of(alone)).names.front() == "web");
    CHECK(table.claim("primary", {"web"}).names == names{"web"});
    CHECK(table.take_stale() == names{"alone"});
    const auto now = table.claim("alone", names_of(alone), weak_names_of(alone));
    CHECK(now.names.front() == "web.staging");
    REQUIRE(now.conflicts.size() == 1);
    CHECK(now.conflicts[0].held_by == "primary");
    table.release("primary");
    CHECK(table.take_stale() == names{"alone"});
    CHECK(table.claim("alone", names_of(alone), weak_names_of(alone)).names.front() == "web");
    CHECK(table.claim("late", {"web"}, {"web"}).names.empty()); // weak does not displace weak
}

TEST_CASE("who no longer wants a name is no longer shown as a claimant", "[naming]")
{
    name_table table;
    (void)table.claim("one", {"web"});
    (void)table.claim("two", {"web"});
    (void)table.take_stale();
    (void)table.claim("two", {"api"});
    CHECK(table.take_stale() == names{"one"});
    CHECK(table.claim("one", {"web"}).conflicts.empty());
}
