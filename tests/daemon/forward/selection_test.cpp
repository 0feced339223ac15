#include "daemon/forward/selection.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::forward;

namespace {

kube::service web()
{
    kube::service made;
    made.meta.namespace_name = "shop";
    made.meta.name = "web";
    made.cluster_ip = "10.0.0.1";
    made.selector = {{"app", "web"}};
    kube::service_port port;
    port.name = "http";
    port.port = 80;
    port.target = std::string{"http"};
    made.ports = {port};
    return made;
}

kube::pod ready_pod(const std::string& name, std::uint16_t port)
{
    kube::pod made;
    made.meta.namespace_name = "shop";
    made.meta.name = name;
    made.meta.uid = "uid-" + name;
    made.meta.labels = {{"app", "web"}};
    made.phase = "Running";
    made.node = "node";
    made.ip = "10.1.0.1";
    made.conditions = {{"Ready", "True", {}, {}, {}}};
    kube::container container;
    container.name = "main";
    container.ports = {{"http", "TCP", port}};
    made.containers = {container};
    return made;
}

service_plan planned(const kube::service& service, const std::vector<kube::pod>& pods, std::vector<catalog::wanted_port> ports = {},
                     std::vector<port_mapping> mappings = {})
{
    plan_question ask{service, {}, {}, true, true, std::move(ports), std::move(mappings)};
    for (const auto& pod : pods) ask.pods.push_back(&pod);
    return plan(ask);
}

} // namespace

TEST_CASE("a named target port is resolved for each pod", "[selection]")
{
    const auto made = planned(web(), {ready_pod("a", 8081), ready_pod("b", 8082)});
    REQUIRE(made.ports.size() == 1);
    CHECK(made.ports[0].local_port == 80);
    REQUIRE(made.ports[0].eligible.size() == 2);
    CHECK(made.ports[0].eligible[0].port == 8081);
    CHECK(made.ports[0].eligible[1].port == 8082);
    CHECK(made.pods.ready == 2);
    CHECK(made.reason.empty());
}

TEST_CASE("a port name that no container has is told with the pod's name", "[selection]")
{
    auto pod = ready_pod("a", 8080);
    pod.containers[0].ports[0].name = "other";
    const auto made = planned(web(), {pod});
    CHECK(made.ports[0].eligible.empty());
    CHECK(made.reason_code == "target_port_not_found");
    CHECK(made.reason == "no container of pod a has a port named 'http'");
}

TEST_CASE("mappings and wanted ports move or pick the local port", "[selection]")
{
    CHECK(planned(web(), {}, {}, {{"", 80, 8000}}).ports[0].local_port == 8000);
    CHECK(planned(web(), {}, {}, {{"other", 80, 8000}}).ports[0].local_port == 80);
    CHECK(planned(web(), {}, {{"http", 9000}}).ports[0].local_port == 9000);
    const auto none = planned(web(), {}, {{"81", {}}});
    CHECK(none.unsupported_code == "no_ports");
}

TEST_CASE("a headless service is reachable at the container's port as well, and has its stable pods apart", "[selection]")
{
    auto service = web();
    service.cluster_ip = "None";
    auto pod = ready_pod("web-0", 8080);
    pod.hostname = "web-0";
    pod.subdomain = "web";
    const auto made = planned(service, {pod, ready_pod("loose", 8080)});
    REQUIRE(made.ports.size() == 2);
    CHECK(made.ports[1].local_port == 8080);
    REQUIRE(made.stable.size() == 1);
    CHECK(made.stable[0].hostname == "web-0");
    REQUIRE(made.stable[0].ports[0].eligible.size() == 1);
    CHECK(made.stable[0].ports[0].eligible[0].pod.name == "web-0");
}

TEST_CASE("UDP is listed, not forwarded; a UDP-only service cannot be", "[selection]")
{
    auto service = web();
    kube::service_port dns;
    dns.protocol = "UDP";
    dns.port = 53;
    service.ports.push_back(dns);
    const auto mixed = planned(service, {});
    CHECK(mixed.ports.size() == 1);
    REQUIRE(mixed.unsupported.size() == 1);
    CHECK(mixed.unsupported[0].port == 53);
    service.ports = {dns};
    CHECK(planned(service, {}).unsupported_code == "not_tcp");
}

TEST_CASE("nobody eligible is told apart: no pods, not ready, still being read", "[selection]")
{
    CHECK(planned(web(), {}).reason_code == "no_pods");
    auto pod = ready_pod("a", 8080);
    pod.conditions[0].status = "False";
    const auto unready = planned(web(), {pod});
    CHECK(unready.reason_code == "not_ready");
    CHECK(unready.coming);
    const auto service = web();
    plan_question unread{service, {}, {}, false, false, {}, {}};
    CHECK(plan(unread).reason_code == "reading_pods");
    CHECK(plan(unread).coming);
}

TEST_CASE("a selector-less service follows its slices where they name pods", "[selection]")
{
    auto service = web();
    service.selector.clear();
    kube::endpoint_slice slice;
    slice.ports = {{"http", "TCP", {}, 8080}};
    kube::slice_endpoint outside;
    outside.addresses = {"192.0.2.1"};
    slice.endpoints = {outside};
    plan_question ask{service, {}, {&slice}, true, true, {}, {}};
    CHECK(plan(ask).unsupported_code == "no_selector");
    slice.endpoints[0].target_kind = "Pod";
    slice.endpoints[0].target_name = "manual-0";
    slice.endpoints[0].target_uid = "u";
    const auto made = plan(ask);
    CHECK(made.unsupported_code.empty());
    REQUIRE(made.ports[0].eligible.size() == 1);
    CHECK(made.ports[0].eligible[0].port == 8080);
}

TEST_CASE("a wish means services by pattern, and never an excluded one", "[selection]")
{
    wish all;
    all.namespace_name = "shop";
    all.services = {"w*", "api"};
    all.exclude = {"web-old"};
    auto service = web();
    CHECK(all.means(service));
    service.meta.name = "web-old";
    CHECK_FALSE(all.means(service));
    service.meta.name = "db";
    CHECK_FALSE(all.means(service));
}

TEST_CASE("a mapping is PORT:LOCAL or SERVICE:PORT:LOCAL", "[selection]")
{
    REQUIRE(port_mapping::parse("80:8080").has_value());
    const auto of = port_mapping::parse("web:80:8080");
    REQUIRE(of.has_value());
    CHECK(of->service == "web");
    CHECK(of->local == 8080);
    for (const auto* bad : {"80", "a:b", ":80:80", "web:80:0", "80:70000", "a:b:c:d", ""}) CHECK(port_mapping::parse(bad).has_error());
}
