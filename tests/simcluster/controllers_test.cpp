#include "tests/simcluster/bed.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

using namespace fwd;
using namespace fwd::simcluster;
using namespace fwd::simcluster::test;

namespace {

std::vector<eligible_pod> behind(const bed& here, const std::string& service, std::uint16_t port, const std::string& space = "shop")
{
    for (const auto& one : here.cluster->truth())
        if (one.namespace_name == space && one.service == service && one.port == port) return one.pods;
    return {};
}

} // namespace

TEST_CASE("each service has the pods that its state allows", "[simcluster]")
{
    bed here;
    CHECK(behind(here, "web", 80).size() == 3);
    CHECK(behind(here, "api", 9090).at(0).port == 9090);
    CHECK(behind(here, "never-ready", 80).empty());
    CHECK(behind(here, "crashing", 80).empty());
    CHECK(behind(here, "idle", 80).empty());
    CHECK(behind(here, "empty", 80).empty());
    CHECK(behind(here, "orders", 8080).at(1).name == "orders-1");
    const auto mixed = behind(here, "mixed", 80);
    REQUIRE(mixed.size() == 2);
    CHECK(mixed[0].port == 8081);
    CHECK(mixed[1].port == 8082);
}

TEST_CASE("pods of different ports have slices of their own", "[simcluster]")
{
    bed here;
    const auto& type = *find_type("discovery.k8s.io", "endpointslices");
    const auto first = here.cluster->store().find(type, {"shop", "mixed-0"});
    const auto second = here.cluster->store().find(type, {"shop", "mixed-1"});
    REQUIRE(first);
    REQUIRE(second);
    CHECK(text_at(first->body.at("ports").at(0).get_object(), "port") == "8081");
    CHECK(text_at(second->body.at("ports").at(0).get_object(), "port") == "8082");
    const auto orders = here.cluster->store().find(type, {"shop", "orders-0"});
    REQUIRE(orders);
    CHECK(text_at(orders->body.at("endpoints").at(1).get_object(), "hostname") == "orders-1");
}

TEST_CASE("a deleted pod is replaced, and its successor becomes ready in time", "[simcluster]")
{
    bed here;
    const auto gone = here.pod_of("cart");
    const auto before = behind(here, "cart", 8080).at(0);
    here.cluster->control().delete_pod(gone, std::nullopt);
    CHECK(behind(here, "cart", 8080).empty());
    CHECK(pod_is_terminating(here.cluster->store().find(*find_type("", "pods"), gone)->body));
    here.clock.advance(299ms);
    CHECK(here.cluster->store().find(*find_type("", "pods"), gone) != nullptr);
    here.clock.advance(2ms);
    CHECK(here.cluster->store().find(*find_type("", "pods"), gone) == nullptr);
    CHECK(behind(here, "cart", 8080).empty());
    here.clock.advance(300ms);
    const auto after = behind(here, "cart", 8080);
    REQUIRE(after.size() == 1);
    CHECK(after[0].uid != before.uid);
}

TEST_CASE("a stateful pod comes back under its name after it is gone", "[simcluster]")
{
    bed here;
    const auto uid = behind(here, "orders", 8080).at(0).uid;
    here.cluster->control().delete_pod({"shop", "orders-0"}, 0ns);
    here.clock.advance(1s);
    const auto now = behind(here, "orders", 8080);
    REQUIRE(now.size() == 2);
    CHECK(now[0].name == "orders-0");
    CHECK(now[0].uid != uid);
}

TEST_CASE("a workload follows its scale", "[simcluster]")
{
    bed here;
    client asks{here};
    const auto path = "/apis/apps/v1/namespaces/shop/deployments/web/scale";
    CHECK(text_at(body_of(asks.ask("GET", path)), "spec.replicas") == "3");
    CHECK(asks.ask("PATCH", path, "Content-Type: application/merge-patch+json\r\n", R"({"spec":{"replicas":1}})")
              .starts_with("HTTP/1.1 200"));
    here.clock.advance(1s);
    CHECK(behind(here, "web", 80).size() == 1);
    here.cluster->control().scale(*find_type("apps", "deployments"), {"shop", "web"}, 4);
    here.clock.advance(1s);
    CHECK(behind(here, "web", 80).size() == 4);
}

TEST_CASE("readiness moves a pod out of its service and back", "[simcluster]")
{
    bed here;
    const auto pod = here.pod_of("web");
    here.cluster->control().set_ready(pod, false);
    CHECK(behind(here, "web", 80).size() == 2);
    here.cluster->control().set_ready(pod, true);
    CHECK(behind(here, "web", 80).size() == 3);
    here.cluster->restart_container(pod, 2s);
    CHECK(behind(here, "web", 80).size() == 2);
    here.clock.advance(2s);
    CHECK(behind(here, "web", 80).size() == 3);
}

TEST_CASE("bulk content has as many services as were asked for", "[simcluster]")
{
    auto options = bed::plain();
    options.bulk_services = 300;
    bed here{options};
    CHECK(here.cluster->truth().size() == 300);
    CHECK(behind(here, "svc-0299", 80, "bulk").at(0).port == 8080);
}
