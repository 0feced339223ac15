#include "daemon/forward/naming.hpp"

#include <catch2/catch.hpp>

using namespace fwd::forward;
using names = std::vector<std::string>;

TEST_CASE("a service of the primary namespace and context has its bare name and all of Kubernetes' own", "[naming]")
{
    name_question ask{"web", "shop", "kind", true, true, false, {}, {}};
    CHECK(names_of(ask) ==
          names{"web", "web.shop", "web.shop.svc", "web.shop.svc.cluster.local", "web.kind", "web.shop.kind", "web.shop.svc.kind"});
}

TEST_CASE("another namespace gets no bare name, another context no cluster.local", "[naming]")
{
    name_question ask{"web", "staging", "kind", true, false, false, {}, {}};
    CHECK(names_of(ask) ==
          names{"web.staging", "web.staging.svc", "web.staging.svc.cluster.local", "web.staging.kind", "web.staging.svc.kind"});
    ask.primary_context = false;
    ask.primary_namespace = true;
    CHECK(names_of(ask) == names{"web.kind", "web.staging.kind", "web.staging.svc.kind"});
}

TEST_CASE("a domain adds its names, a stable pod stands in front of each", "[naming]")
{
    name_question ask{"db", "shop", "kind", true, true, false, "local.dev", "db-0"};
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
    CHECK(table.take_hopeful().empty());
    table.release("one");
    CHECK(table.take_hopeful() == names{"two"});
    CHECK(table.claim("two", {"web", "web.staging"}).names == names{"web", "web.staging"});
}
