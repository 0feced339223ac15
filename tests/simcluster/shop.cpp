#include "tests/simcluster/shop.hpp"

#include "tests/simcluster/controllers.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::simcluster {

namespace {

struct container_port {
    std::string_view name; ///< "" unnamed
    std::uint16_t number;
    std::string_view app; ///< what answers there, see pod_apps.hpp
    std::string_view protocol = "TCP";
};

struct workload_plan {
    std::string_view name;
    int replicas = 1;
    std::vector<container_port> ports;
    std::string_view health = {};
    std::string_view image = "fwd.example/app:1";
    std::vector<std::pair<std::string_view, std::string_view>> environment = {};
    std::string_view app_label = {}; ///< "": name
    bool stateful = false;
};

struct service_port {
    std::string_view name;
    std::uint16_t port;
    json::value target = nullptr; ///< null: absent
    std::string_view protocol = "TCP";
};

void put(object_store& store, std::string_view group, std::string_view plural, json::object body)
{
    (void)store.put(*find_type(group, plural), std::move(body));
}

json::object metadata(std::string_view ns, std::string_view name, json::object labels = {})
{
    json::object meta{{"name", name}};
    if (!ns.empty()) meta["namespace"] = ns;
    if (!labels.empty()) meta["labels"] = labels;
    return meta;
}

json::object pod_template(const workload_plan& plan)
{
    json::array ports, environment;
    std::string apps;
    for (const auto& port : plan.ports) {
        json::object one{{"containerPort", port.number}, {"protocol", port.protocol}};
        if (!port.name.empty()) one["name"] = port.name;
        ports.push_back(one);
        if (port.protocol == "TCP" && !port.app.empty()) apps += fmt::format("{}{}={}", apps.empty() ? "" : " ", port.number, port.app);
    }
    for (const auto& [name, value] : plan.environment) environment.push_back(json::object{{"name", name}, {"value", value}});
    json::object container{{"name", plan.name}, {"image", plan.image}, {"ports", ports}};
    if (!environment.empty()) container["env"] = environment;
    json::object notes{{apps_annotation, apps}};
    if (!plan.health.empty()) notes[health_annotation] = plan.health;
    const auto app = plan.app_label.empty() ? plan.name : plan.app_label;
    json::object meta{{"labels", json::object{{"app", app}}}, {"annotations", notes}};
    return {{"metadata", meta}, {"spec", json::object{{"containers", json::array{container}}}}};
}

void put_workload(object_store& store, std::string_view ns, const workload_plan& plan)
{
    auto made = pod_template(plan);
    json::object spec{
        {"replicas", plan.replicas}, {"selector", json::object{{"matchLabels", made.at("metadata").at("labels")}}}, {"template", made}};
    if (plan.stateful) spec["serviceName"] = plan.name;
    put(store, "apps", plan.stateful ? "statefulsets" : "deployments",
        {{"metadata", metadata(ns, plan.name, {{"app", plan.name}})}, {"spec", spec}});
}

json::object service_body(std::string_view ns, std::string_view name, std::vector<service_port> ports, std::optional<std::string_view> app)
{
    json::array list;
    for (auto& port : ports) {
        json::object one{{"port", port.port}, {"protocol", port.protocol}};
        if (!port.name.empty()) one["name"] = port.name;
        if (!port.target.is_null()) one["targetPort"] = port.target;
        list.push_back(one);
    }
    json::object spec{{"type", "ClusterIP"}, {"ports", list}};
    if (app) spec["selector"] = json::object{{"app", *app}};
    return {{"metadata", metadata(ns, name, {{"app", name}})}, {"spec", spec}, {"status", json::object{{"loadBalancer", json::object{}}}}};
}

void put_service(object_store& store, std::string_view ns, std::string_view name, std::vector<service_port> ports,
                 std::optional<std::string_view> app, std::string_view cluster_ip = {})
{
    auto body = service_body(ns, name, std::move(ports), app);
    const auto number = store.count(*find_type("", "services")) + 10;
    const auto ip = cluster_ip.empty() ? fmt::format("10.96.{}.{}", number / 250, number % 250 + 1) : std::string{cluster_ip};
    body["spec"].get_object()["clusterIP"] = ip;
    put(store, "", "services", std::move(body));
}

void put_namespace(object_store& store, std::string_view name)
{
    put(store, "", "namespaces",
        {{"metadata", metadata("", name, {{"kubernetes.io/metadata.name", name}})},
         {"spec", json::object{{"finalizers", json::array{"kubernetes"}}}},
         {"status", json::object{{"phase", "Active"}}}});
}

void fill_basics(object_store& store)
{
    for (const auto* name : {"default", "kube-system"}) put_namespace(store, name);
    const json::object ready{{"type", "Ready"}, {"status", "True"}};
    put(store, "", "nodes", {{"metadata", metadata("", "sim-node")}, {"status", json::object{{"conditions", json::array{ready}}}}});
}

void fill_staging(object_store& store)
{
    put_namespace(store, "staging");
    put_workload(store, "staging", {.name = "web", .ports = {{"", 8080, "http"}}});
    put_service(store, "staging", "web", {{"http", 80, 8080}}, "web");
    put_workload(store, "staging", {.name = "api", .ports = {{"", 8080, "http"}}});
    put_service(store, "staging", "api", {{"http", 8080, 8080}}, "api");
    put_workload(store, "staging", {.name = "db", .ports = {{"postgres", 5432, "postgres"}}, .image = "postgres:16"});
    put_service(store, "staging", "db", {{"postgres", 5432, 5432}}, "db");
}

/// What cannot be forwarded, or not now, each for a reason of its own.
void fill_odd_ones(object_store& store)
{
    put_workload(store, "shop", {.name = "never-ready", .ports = {{"", 8080, "http"}}, .health = "never-ready"});
    put_service(store, "shop", "never-ready", {{"http", 80, 8080}}, "never-ready");
    put_workload(store, "shop", {.name = "crashing", .ports = {{"", 8080, ""}}, .health = "crash-loop"});
    put_service(store, "shop", "crashing", {{"http", 80, 8080}}, "crashing");
    put_service(store, "shop", "manual", {{"http", 80, 8080}}, std::nullopt);
    json::object endpoint{{"addresses", json::array{"198.51.100.7"}}, {"conditions", json::object{{"ready", true}}}};
    json::object port{{"name", "http"}, {"port", 8080}, {"protocol", "TCP"}};
    put(store, "discovery.k8s.io", "endpointslices",
        {{"metadata", metadata("shop", "manual-1", {{"kubernetes.io/service-name", "manual"}})},
         {"addressType", "IPv4"},
         {"ports", json::array{port}},
         {"endpoints", json::array{endpoint}}});
    auto external = service_body("shop", "external", {}, std::nullopt);
    external["spec"] = json::object{{"type", "ExternalName"}, {"externalName", "example.com"}};
    put(store, "", "services", std::move(external));
    put_workload(store, "shop", {.name = "dns-udp", .ports = {{"dns", 5353, "", "UDP"}, {"http", 8053, "http"}}});
    put_service(store, "shop", "dns-udp", {{"dns", 53, 5353, "UDP"}, {"http", 8053, 8053}}, "dns-udp");
    put_service(store, "shop", "empty", {{"http", 80, 8080}}, "nothing-has-this-label");
    put_workload(store, "shop", {.name = "idle", .replicas = 0, .ports = {{"", 8080, "http"}}});
    put_service(store, "shop", "idle", {{"http", 80, 8080}}, "idle");
}

} // namespace

void fill_with_shop(object_store& store)
{
    fill_basics(store);
    put_namespace(store, "shop");
    put_workload(store, "shop", {.name = "web", .replicas = 3, .ports = {{"", 8080, "http"}}});
    put_service(store, "shop", "web", {{"http", 80, 8080}}, "web");
    put_workload(store, "shop", {.name = "api", .replicas = 2, .ports = {{"http", 8080, "http"}, {"metrics", 9090, "http"}}});
    put_service(store, "shop", "api", {{"http", 8080, "http"}, {"metrics", 9090, "metrics"}}, "api");
    put_workload(store, "shop", {.name = "cart", .ports = {{"", 8080, "http"}}});
    put_service(store, "shop", "cart", {{"http", 8080, 8080}}, "cart");
    put_workload(store, "shop",
                 {.name = "db",
                  .ports = {{"postgres", 5432, "postgres"}},
                  .image = "postgres:16",
                  .environment = {{"POSTGRES_USER", "shop"}, {"POSTGRES_DB", "shop"}}});
    put_service(store, "shop", "db", {{"postgres", 5432, 5432}}, "db");
    put_workload(store, "shop", {.name = "cache", .ports = {{"redis", 6379, "redis"}}, .image = "redis:7"});
    put_service(store, "shop", "cache", {{"redis", 6379, 6379}}, "cache");
    put_workload(store, "shop", {.name = "greeter", .ports = {{"", 2525, "greeter"}}});
    put_service(store, "shop", "greeter", {{"smtp", 2525, 2525}}, "greeter");
    put_workload(store, "shop", {.name = "echo", .ports = {{"", 7000, "echo"}}});
    put_service(store, "shop", "echo", {{"echo", 7000, 7000}}, "echo");
    put_workload(store, "shop", {.name = "sink", .ports = {{"", 7001, "sink"}}});
    put_service(store, "shop", "sink", {{"sink", 7001, 7001}}, "sink");
    put_workload(store, "shop", {.name = "source", .ports = {{"", 7002, "source"}}});
    put_service(store, "shop", "source", {{"source", 7002, 7002}}, "source");
    put_workload(store, "shop", {.name = "orders", .replicas = 2, .ports = {{"http", 8080, "http"}}, .stateful = true});
    put_service(store, "shop", "orders", {{"http", 8080, "http"}}, "orders", "None");
    put_workload(store, "shop", {.name = "mixed-a", .ports = {{"web", 8081, "http"}}, .app_label = "mixed"});
    put_workload(store, "shop", {.name = "mixed-b", .ports = {{"web", 8082, "http"}}, .app_label = "mixed"});
    put_service(store, "shop", "mixed", {{"web", 80, "web"}}, "mixed");
    fill_odd_ones(store);
    fill_staging(store);
}

void fill_with_bulk(object_store& store, std::size_t services)
{
    fill_basics(store);
    put_namespace(store, "bulk");
    const auto& pods = *find_type("", "pods");
    for (std::size_t i = 0; i < services; ++i) {
        const auto name = fmt::format("svc-{:04}", i);
        const workload_plan plan{.name = name, .ports = {{"http", 8080, "http"}}};
        const auto ip = fmt::format("10.245.{}.{}", i / 250, i % 250 + 2);
        (void)store.put(pods, running_pod(pod_template(plan), {"bulk", name + "-0"}, ip, "2026-01-01T00:00:00Z", true));
    }
    for (std::size_t i = 0; i < services; ++i) {
        const auto name = fmt::format("svc-{:04}", i);
        put_service(store, "bulk", name, {{"http", 80, 8080}}, name);
    }
}

} // namespace fwd::simcluster
