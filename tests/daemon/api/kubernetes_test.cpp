#include "common/api/wire_cluster.hpp"
#include "daemon/api/service_kind.hpp"
#include "tests/daemon/api/running_api.hpp"

using namespace fwd;
using namespace fwd::test;

namespace {

std::string list_of(std::initializer_list<std::string_view> items, std::string more = {})
{
    std::string text = R"({"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":")" + more + R"("},"items":[)";
    bool first = true;
    for (const auto one : items) {
        text += (first ? "" : ",") + std::string{one};
        first = false;
    }
    return text + "]}";
}

constexpr std::string_view web_service = R"({"metadata":{"namespace":"shop","name":"web"},"spec":{"type":"ClusterIP","clusterIP":"10.0.0.7",
 "selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":"www","protocol":"TCP"}]}})";
constexpr std::string_view db_service =
    R"({"metadata":{"namespace":"data","name":"orders"},"spec":{"type":"ClusterIP","clusterIP":"10.0.0.9",
 "selector":{"app":"orders"},"ports":[{"port":9876,"protocol":"TCP"}]}})";

std::string pod(std::string name, std::string created, bool ready, std::string image = "shop/web:1")
{
    return R"({"metadata":{"namespace":"shop","name":")" + name + R"(","uid":"u-)" + name +
           R"(","labels":{"app":"web"},"creationTimestamp":")" + created +
           R"(","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"PASSWORD\":\"hunter2\"}","team":"cart",
 "kubectl.kubernetes.io/default-container":"app"}},
 "spec":{"nodeName":"n1","initContainers":[{"name":"migrate","image":"m:1"}],
  "containers":[{"name":"proxy","image":"p:1"},{"name":"app","image":")" +
           image + R"(","ports":[{"name":"www","containerPort":8080}],"resources":{"limits":{"cpu":"1","memory":"1Gi"}},
   "env":[{"name":"MODE","value":"live"},{"name":"API_TOKEN","value":"hunter2"},{"name":"DB","value":"postgres://u:hunter2@db/x"},
          {"name":"PW","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}},{"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}]}],
  "volumes":[{"name":"tls","secret":{"secretName":"web-tls"}},{"name":"tmp","emptyDir":{}}]},
 "status":{"phase":"Running","hostIP":"10.1.1.1","podIP":"10.2.2.2","qosClass":"Burstable","startTime":"2026-01-01T00:00:00Z",
  "conditions":[{"type":"Ready","status":")" +
           (ready ? "True" : "False") + R"("}],
  "initContainerStatuses":[{"name":"migrate","state":{"terminated":{"exitCode":0,"reason":"Completed"}}}],
  "containerStatuses":[{"name":"app","ready":)" +
           (ready ? "true" : "false") + R"(,"restartCount":2,"state":{"running":{}},
    "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}},{"name":"proxy","ready":true,"state":{"running":{}}}]}})";
}

std::string event(std::string name, std::string object, std::string last)
{
    return R"({"metadata":{"namespace":"shop","name":")" + name + R"("},"type":"Warning","reason":"BackOff","message":"again","count":3,
 "involvedObject":{"kind":"Pod","name":")" +
           object + R"("},"lastTimestamp":")" + last + R"("})";
}

/// A cluster with two services, three pods of a deployment, and their events.
struct filled : running_api {
    filled()
    {
        auto& at = cluster.server.bodies;
        at["/api/v1/namespaces/shop/services"] = list_of({web_service});
        at["/api/v1/namespaces/shop/services?limit=1"] = list_of({web_service}, "next");
        at["/api/v1/namespaces/shop/services/web"] = web_service;
        at["/api/v1/services"] = list_of({db_service, web_service});
        at["/api/v1/namespaces"] = list_of({R"({"metadata":{"name":"shop"}})", R"({"metadata":{"name":"data"}})"});
        at["/api/v1/namespaces/shop"] = R"({"metadata":{"name":"shop"}})";
        at["/api/v1/namespaces/nowhere/services"] = list_of({});
        at["/api/v1/namespaces/shpo/pods"] = list_of({});
        at["/api/v1/namespaces/shop/pods"] =
            list_of({pod("web-0", "2026-01-01T00:00:00Z", true), pod("web-1", "2026-01-02T00:00:00Z", true),
                     pod("web-2", "2026-01-03T00:00:00Z", false)});
        at["/api/v1/pods"] = list_of({R"({"metadata":{"namespace":"data","name":"orders-0","labels":{"app":"orders"}},
            "spec":{"containers":[{"name":"db","image":"registry.example/library/postgres:16"}]}})"});
        at["/api/v1/namespaces/shop/pods/web-0"] = pod("web-0", "2026-01-01T00:00:00Z", true);
        at["/api/v1/namespaces/shop/pods/web-1"] = pod("web-1", "2026-01-02T00:00:00Z", true);
        at["/apis/apps/v1/namespaces/shop/deployments/web"] = R"({"spec":{"selector":{"matchLabels":{"app":"web"},
            "matchExpressions":[{"key":"tier","operator":"In","values":["a","b"]}]}}})";
        at["/api/v1/namespaces/shop/events"] =
            list_of({event("a", "web-0", "2026-01-01T00:00:00Z"), event("b", "web-1", "2026-01-02T00:00:00Z")});
        at["/api/v1/namespaces/shop/pods/web-0/log"] = "one\ntwo\nth\x1bree\n";
        at["/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"] = list_of({R"({"metadata":{"namespace":"shop","name":"web-x",
            "labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4","ports":[{"name":"http","port":8080}],
            "endpoints":[{"addresses":["10.2.2.2"],"targetRef":{"kind":"Pod","name":"web-0"}},
                         {"addresses":["10.2.2.3"],"conditions":{"ready":false}}]})"});
    }
    [[nodiscard]] bool was_asked(std::string_view part) const
    {
        const auto& all = cluster.server.asked;
        return std::any_of(all.begin(), all.end(), [&](const std::string& one) { return one.find(part) != std::string::npos; });
    }
};

const std::string base = "/api/v1/kubernetes/";

} // namespace

TEST_CASE("all contexts of the kubeconfig are listed, used or not", "[api]")
{
    filled daemon;
    const auto list = read<wire::context_list>(daemon.ask("GET", base + "contexts"));
    REQUIRE(list.contexts.size() == 2);
    CHECK(list.contexts[0].reachable);
    CHECK(list.contexts[1].name == "far");
    CHECK_FALSE(list.contexts[1].reachable);
    CHECK(list.current_context == "kind");
}

TEST_CASE("services of a namespace come in pages, each telling whether it is forwarded", "[api]")
{
    filled daemon;
    const auto got = daemon.ask("GET", base + "services?namespace=shop&limit=1");
    const auto list = read<wire::k8s_service_list>(got);
    REQUIRE(list.services.size() == 1);
    CHECK(list.services[0].forward_key == "web.shop.kind");
    CHECK(list.services[0].ports.at(0).target_port == "www");
    CHECK(list.services[0].ports.at(0).kind == "http");
    CHECK(wire::parse_envelope(got.body)->about->more == "next");
    daemon.ask("GET", base + "services?namespace=shop&continue=next");
    CHECK(daemon.was_asked("services?continue=next"));
    CHECK(read<wire::k8s_service>(daemon.ask("GET", base + "services/shop/web")).cluster_ip == "10.0.0.7");
    const auto none = problem_of(daemon.ask("GET", base + "services/shop/wbe"));
    CHECK(none.code == "not_found");
    REQUIRE(none.next.size() == 1);
}

TEST_CASE("an empty list of a namespace that is not there is an error with close names", "[api]")
{
    filled daemon;
    CHECK(problem_of(daemon.ask("GET", base + "services?namespace=nowhere")).code == "not_found");
    CHECK_THAT(problem_of(daemon.ask("GET", base + "pods/shpo")).message, Catch::Contains("did you mean shop"));
}

TEST_CASE("ports are those of the service, or of the pods that labels select", "[api]")
{
    filled daemon;
    const auto by_name = read<wire::k8s_ports>(daemon.ask("GET", base + "ports/shop/web"));
    CHECK(by_name.source == "service");
    CHECK(by_name.ports.at(0).port == 80);
    const auto by_label = read<wire::k8s_ports>(daemon.ask("GET", base + "ports/shop/app%3Dweb"));
    CHECK(by_label.source == "pods");
    CHECK(by_label.ports.at(0).port == 8080);
    CHECK(daemon.was_asked("labelSelector=app%3Dweb"));
}

TEST_CASE("pods show what kubectl shows, and which forward uses them", "[api]")
{
    filled daemon;
    const auto list = read<wire::k8s_pod_list>(daemon.ask("GET", base + "pods/shop?service_name=web&field_selector=x%3Dy&limit=3"));
    REQUIRE(list.pods.size() == 3);
    CHECK(daemon.was_asked("limit=3&labelSelector=app%3Dweb&fieldSelector=x%3Dy"));
    CHECK(list.pods[0].ready == "2/2");
    CHECK(list.pods[0].status == "Running");
    CHECK(list.pods[0].restarts == 2);
    CHECK(list.pods[0].is_forwarded);
    CHECK(list.pods[0].forwarded_port == 80);
    CHECK_FALSE(list.pods[1].is_forwarded);
    CHECK(list.pods[2].ready == "1/2");
    CHECK(list.pods[0].containers == std::vector<std::string>{"proxy", "app"});
}

TEST_CASE("a pod in detail has everything but secrets", "[api]")
{
    filled daemon;
    const auto got = daemon.ask("GET", base + "pods/shop/web-0");
    CHECK(got.body.find("hunter2") == std::string::npos);
    const auto one = read<wire::k8s_pod_detail>(got);
    REQUIRE(one.details.size() == 3);
    CHECK(one.details[0].init);
    const auto& app = one.details[2];
    CHECK(app.last_state == "terminated: OOMKilled (exit code 137)");
    CHECK(app.limits.at("memory") == "1Gi");
    REQUIRE(app.env.size() == 5);
    CHECK(app.env[0].value == "live");
    CHECK(app.env[1].withheld);
    CHECK(app.env[2].withheld);
    CHECK(app.env[3].from == "secret db key password");
    CHECK(app.env[4].from == "field status.podIP");
    CHECK(one.qos_class == "Burstable");
    CHECK(one.host_ip == "10.1.1.1");
    CHECK(one.annotations.at("team") == "cart");
    REQUIRE(one.volumes.size() == 2);
    CHECK(one.volumes[0].source == "web-tls");
    CHECK(one.events.at(0).object_name == "web-1"); // newest first
    CHECK(daemon.was_asked("involvedObject.kind%3DPod%2CinvolvedObject.name%3Dweb-0"));
}

TEST_CASE("a workload stands for its newest ready pod", "[api]")
{
    filled daemon;
    CHECK(read<wire::k8s_pod_detail>(daemon.ask("GET", base + "pods/shop/deploy%2Fweb")).name == "web-1");
    CHECK(daemon.was_asked("labelSelector=app%3Dweb%2Ctier%20in%20%28a%2Cb%29"));
    CHECK(problem_of(daemon.ask("GET", base + "pods/shop/deploy%2Fnone")).code == "not_found");
    CHECK(problem_of(daemon.ask("GET", base + "pods/shop/heap%2Fweb")).code == "invalid_request");
}

TEST_CASE("logs are read to their end and say whether there was more before", "[api]")
{
    filled daemon;
    const auto two = read<wire::pod_logs>(daemon.ask("GET", base + "pods/shop/web-0/logs?tail_lines=2&previous=true&timestamps=1"));
    CHECK(two.logs == std::vector<std::string>{"two", "th\xEF\xBF\xBDree"});
    CHECK(two.line_count == 2);
    CHECK(two.truncated);
    CHECK(two.container_name == "app");
    CHECK(daemon.was_asked("container=app&tailLines=3&previous=true&timestamps=true"));
    const auto all =
        read<wire::pod_logs>(daemon.ask("GET", base + "pods/shop/web-0/logs?container=proxy&tail_lines=3&since_time=2026-01-01T00:00:00Z"));
    CHECK(all.line_count == 3);
    CHECK_FALSE(all.truncated);
    CHECK(daemon.was_asked("sinceTime=2026-01-01T00%3A00%3A00"));
    for (const auto* wrong : {"tail_lines=0", "tail_lines=1001", "since_time=yesterday", "follow=maybe"})
        CHECK(daemon.ask("GET", base + "pods/shop/web-0/logs?" + wrong).status == 400);
}

TEST_CASE("a log that is followed comes line by line, then its end", "[api]")
{
    filled daemon;
    daemon.cluster.server.pieces = {"one\ntw", "o\nthree"};
    const auto over = daemon.connect();
    daemon.send(*over, wire_text(daemon.request("GET", base + "pods/shop/web-0/logs?follow=true")));
    const auto text = daemon.read_for(*over, 100ms);
    CHECK_THAT(text, Catch::Contains("text/event-stream"));
    for (const auto* line : {R"(data: {"line":"one"})", R"(data: {"line":"two"})", R"(data: {"line":"three"})", "event: end"})
        CHECK_THAT(text, Catch::Contains(line));
    CHECK(daemon.closed);
}

TEST_CASE("events come newest first, by kind or name alone", "[api]")
{
    filled daemon;
    const auto list = read<wire::k8s_event_list>(daemon.ask("GET", base + "events/shop?resource_name=web-1&limit=1"));
    REQUIRE(list.events.size() == 1);
    CHECK(list.events[0].object_name == "web-1");
    CHECK(list.events[0].count == 3);
    CHECK(daemon.was_asked("fieldSelector=involvedObject.name%3Dweb-1"));
    CHECK(daemon.ask("GET", base + "events/shop?limit=0").status == 400);
    CHECK(daemon.ask("GET", base + "events/shop?limit=1001").status == 400);
}

TEST_CASE("endpoints are those of the slices, ready and not", "[api]")
{
    filled daemon;
    const auto got = read<wire::k8s_endpoints>(daemon.ask("GET", base + "endpoints/shop/web"));
    REQUIRE(got.subsets.size() == 1);
    CHECK(got.ready.at(0).pod == "web-0");
    CHECK(got.not_ready.at(0).ip == "10.2.2.3");
    CHECK(got.ports.at(0).port == 8080);
}

TEST_CASE("find goes over contexts by words, kind and port, and says which context is silent", "[api]")
{
    filled daemon;
    struct row {
        std::string query, name, why;
        int score;
    };
    const auto row = GENERATE(values<struct row>({
        {"query=WEB", "web", "name", 3},
        {"query=web%20shop", "web", "namespace", 3},
        {"query=order", "orders", "name", 1},
        {"kind=http", "web", "port name http", 2},
        {"port=9876", "orders", "port 9876", 1},
        {"kind=postgresql", "orders", "image registry.example/library/postgres:16", 2},
        {"query=postgres%20data", "orders", "image registry.example/library/postgres:16", 2},
    }));
    INFO(row.query);
    const auto found = read<wire::found_services>(daemon.ask("GET", base + "find?" + row.query));
    REQUIRE(found.services.size() == 1);
    CHECK(found.services[0].name == row.name);
    CHECK(std::count(found.services[0].matched.begin(), found.services[0].matched.end(), row.why) == 1);
    CHECK(found.services[0].score == row.score);
    CHECK(found.services[0].forwarded == (row.name == "web"));
    REQUIRE(found.unreachable.size() == 1);
    CHECK(found.unreachable[0].context == "far");
}

TEST_CASE("find asks namespace by namespace where the whole may not be read", "[api]")
{
    filled daemon;
    daemon.cluster.server.failures.emplace("/api/v1/services",
                                           kube::api_failure{error{errc::forbidden, "list services"}, 403, "Forbidden"});
    const auto found = read<wire::found_services>(daemon.ask("GET", base + "find?query=web&context=kind"));
    REQUIRE(found.services.size() == 1);
    CHECK(found.unreachable.empty());
    CHECK(problem_of(daemon.ask("GET", base + "find?kind=pigeon")).code == "invalid_request");
    CHECK(problem_of(daemon.ask("GET", base + "find?port=65536")).code == "invalid_request");
    CHECK(problem_of(daemon.ask("GET", base + "find?context=nope")).code == "not_found");
}

TEST_CASE("a metrics port beside a database is no database", "[api]")
{
    CHECK(api::kind_of({{}, "metrics", "postgres:16", 9187, false}).kind.empty());
    CHECK(api::kind_of({{}, "", "postgres:16", 5432, false}).because == "image postgres:16");
    CHECK(api::kind_of({{}, "", "acme/pgvector:pg16", 7000, true}).kind == "postgres");
    CHECK(api::kind_of({{}, "tcp", "redis", 1, true}).kind == "redis");
}

TEST_CASE("find tells of each service once, however many contexts lead to its cluster", "[api]")
{
    filled daemon;
    const std::string server = "https://127.0.0.1:6443";
    daemon.cluster.more = {{.name = "admin", .shown = "admin", .server = server}, {.name = "twin", .shown = "twin", .server = server}};
    const auto all = read<wire::found_services>(daemon.ask("GET", base + "find"));
    REQUIRE(all.services.size() == 2);
    for (const auto& one : all.services) {
        CHECK(one.context == "kind"); // the primary one
        CHECK(one.contexts == std::vector<std::string>{"kind", "admin", "twin"});
    }
    auto elsewhere = sample_service("orders", "data", 9876);
    elsewhere.context = "twin";
    daemon.state.put(elsewhere);
    const auto found = read<wire::found_services>(daemon.ask("GET", base + "find?query=orders"));
    REQUIRE(found.services.size() == 1);
    CHECK(found.services[0].contexts == std::vector<std::string>{"twin", "kind", "admin"});
    CHECK(found.services[0].forward_key == "orders.data.twin");
    const auto one = read<wire::found_services>(daemon.ask("GET", base + "find?query=orders&context=admin"));
    REQUIRE(one.services.size() == 1);
    CHECK(one.services[0].contexts == std::vector<std::string>{"admin"});
}
