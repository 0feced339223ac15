// Verdicts as values: what is known of a service in, one sentence and one suggestion out.
#include "daemon/forward/explain.hpp"
#include "daemon/forward/explainer.hpp"
#include "daemon/forward/recorder.hpp"
#include "daemon/forward/timeline.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::forward;
using Catch::Matchers::Contains;
using kube::container_status;

namespace {

const wall_time now{std::chrono::seconds{1'800'000'000}};

/// A service web.shop with one port and one pod that is ready; forwarded, and proved.
struct case_of {
    catalog::service shown;
    catalog::forwarded_namespace space;
    explain_facts facts;

    case_of()
    {
        facts.now = now;
        facts.service = "web";
        facts.namespace_name = "shop";
        facts.context = facts.kubeconfig_context = "kind";
        facts.hosts_path = "/etc/hosts";
        auto& object = facts.object.emplace();
        object.meta.name = "web";
        object.meta.namespace_name = "shop";
        object.selector = {{"app", "web"}};
        kube::service_port port;
        port.port = 80;
        port.target = std::uint16_t{8080};
        object.ports.push_back(port);
        kube::pod pod;
        pod.meta.name = "web-1";
        pod.meta.namespace_name = "shop";
        pod.meta.labels = {{"app", "web"}};
        pod.meta.created = now - 1h;
        pod.phase = "Running";
        pod.node = "node";
        kube::container container;
        container.name = "app";
        container.image = "example/web:1";
        container.ports.push_back({"http", "TCP", 9090});
        pod.containers.push_back(container);
        container_status status;
        status.name = "app";
        status.ready = true;
        status.state = container_status::state_kind::running;
        pod.statuses.push_back(status);
        pod.conditions.push_back({"Ready", "True", "", "", now - 30min});
        facts.pods.push_back(pod);
        facts.pods_known = true;
        shown.service = "web";
        shown.namespace_name = "shop";
        shown.context = "kind";
        shown.local_ip = ipv4{0x7f011b01};
        shown.hostnames = {"web", "web.shop", "web.shop.svc"};
        shown.pods = {1, 1};
        catalog::forward one;
        one.local_ip = *shown.local_ip;
        one.local_port = one.service_port = 80;
        one.pod = "web-1";
        one.container = "app";
        one.pod_port = 8080;
        one.state = catalog::forward_state::active;
        one.verified = true;
        shown.forwards.push_back(one);
        shown.state = catalog::service_state::active;
        facts.forwarded = &shown;
    }
    case_of(const case_of&) = delete;

    kube::pod& pod() { return facts.pods.front(); }
    container_status& status() { return pod().statuses.front(); }
    catalog::forward& port() { return shown.forwards.front(); }
    void unready()
    {
        status().ready = false;
        pod().conditions = {{"Ready", "False", "ContainersNotReady", "containers with unready status: [app]", now - 10min}};
        shown.pods = {0, 1};
        fail("not_ready", "pod web-1: container app is not ready", catalog::forward_state::pending);
    }
    void fail(std::string code, std::string why, catalog::forward_state state = catalog::forward_state::error)
    {
        port().state = state;
        port().verified = false;
        port().reason_code = std::move(code);
        port().reason = std::move(why);
        shown.state = catalog::catalog::add_up(shown);
    }
    void event(std::string object, std::string reason, std::string message, std::uint64_t count = 1)
    {
        kube::event one;
        one.type = "Warning";
        one.reason = std::move(reason);
        one.message = std::move(message);
        one.object_kind = "Pod";
        one.object_name = std::move(object);
        one.source = "kubelet";
        one.count = count;
        one.last = now - 10s;
        facts.events.push_back(one);
    }
    void cluster_fails(std::string code, std::string message)
    {
        auto& state = facts.cluster.emplace();
        state.name = state.shown = "kind";
        state.server = "https://10.0.0.1:6443";
        state.user = "ann";
        state.last_error = catalog::failure{now, std::move(code), std::move(message), 3, {}};
    }
};

} // namespace

TEST_CASE("what works says where and how often, and asks for nothing", "[explain]")
{
    case_of one;
    one.port().traffic->connections = 3;
    const auto got = judge(one.facts);
    CHECK(got.code == "works");
    CHECK(got.ok);
    CHECK(got.sentence == "web.shop works: 127.1.27.1:80 (web, web.shop), 1 of 1 pods ready, 3 connections so far");
    CHECK(got.suggestion.empty());
    one.facts.primary_context = false;
    CHECK_THAT(judge(one.facts).sentence, Contains("web.shop.kind works"));
}

TEST_CASE("what is in place but never was connected does not claim to work", "[explain]")
{
    case_of one;
    one.port().verified = false;
    const auto got = judge(one.facts);
    CHECK(got.code == "no_connections_yet");
    CHECK(got.ok);
    REQUIRE(got.next.size() == 1);
    CHECK(got.next[0].command == "fwd check web.shop");
    CHECK(got.next[0].path == "/api/v1/services/web.shop.kind/check");
}

TEST_CASE("pods that do not come up are explained by their worst trouble", "[explain]")
{
    case_of one;
    one.unready();
    auto& s = one.status();
    using kind = container_status::state_kind;
    SECTION("a crash loop, with exit code, restarts and last words")
    {
        s.state = kind::waiting;
        s.reason = "CrashLoopBackOff";
        s.restarts = 7;
        s.last_exit_code = 1;
        s.last_reason = "Error";
        s.last_message = "cannot connect to db:5432\n";
        const auto got = judge(one.facts);
        CHECK(got.code == "crash_loop");
        CHECK(got.sentence ==
              "pod web-1 keeps crashing: container app ends with exit code 1, 7 restarts so far; its last words: cannot connect to "
              "db:5432");
        REQUIRE_FALSE(got.next.empty());
        CHECK(got.next[0].command == "kubectl --context kind -n shop logs web-1 -c app --previous");
        CHECK(got.next[0].path == "/api/v1/kubernetes/pods/shop/web-1/logs?container=app&previous=true");
    }
    SECTION("between two runs of it")
    {
        s.state = kind::terminated;
        s.reason = "Error";
        s.exit_code = 127;
        s.restarts = 4;
        const auto got = judge(one.facts);
        CHECK(got.code == "crash_loop");
        CHECK_THAT(got.sentence, Contains("exit code 127 (its command was not found in the image)"));
    }
    SECTION("out of memory")
    {
        s.state = kind::waiting;
        s.reason = "CrashLoopBackOff";
        s.restarts = 2;
        s.last_exit_code = 137;
        s.last_reason = "OOMKilled";
        const auto got = judge(one.facts);
        CHECK_THAT(got.sentence, Contains("more memory than its limit"));
        CHECK_THAT(got.suggestion, Contains("memory limit of container app"));
    }
    SECTION("an image that cannot be pulled")
    {
        one.pod().phase = "Pending";
        s.state = kind::waiting;
        s.reason = "ImagePullBackOff";
        s.message = "Back-off pulling image";
        one.event("web-1", "Failed", "Failed to pull image: not found");
        const auto got = judge(one.facts);
        CHECK(got.code == "image_pull");
        CHECK_THAT(got.sentence, Contains("example/web:1") && Contains("not found"));
        CHECK_THAT(got.suggestion, Contains("imagePullSecrets"));
    }
    SECTION("no node for it")
    {
        one.pod().node.clear();
        one.pod().phase = "Pending";
        one.pod().conditions = {{"PodScheduled", "False", "Unschedulable", "0/3 nodes are available: 3 Insufficient memory.", now}};
        const auto got = judge(one.facts);
        CHECK(got.code == "unschedulable");
        CHECK_THAT(got.sentence, Contains("Insufficient memory"));
    }
    SECTION("a readiness probe that does not pass, in its own words")
    {
        one.event("web-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 42);
        const auto got = judge(one.facts);
        CHECK(got.code == "not_ready");
        CHECK(got.sentence ==
              "pod web-1: container app is not ready: Readiness probe failed: HTTP probe failed with statuscode: 503 (42 times, last 10 "
              "s ago)");
    }
    SECTION("a configuration that is missing")
    {
        s.state = kind::waiting;
        s.reason = "CreateContainerConfigError";
        s.message = "secret \"db\" not found";
        const auto got = judge(one.facts);
        CHECK(got.code == "config_error");
        CHECK_THAT(got.sentence, Contains("secret \"db\" not found"));
    }
    SECTION("several pods: the count, and the worst")
    {
        auto second = one.pod();
        second.meta.name = "web-2";
        second.statuses.front().state = kind::waiting;
        second.statuses.front().reason = "CrashLoopBackOff";
        one.facts.pods.push_back(second);
        const auto got = judge(one.facts);
        CHECK(got.code == "crash_loop");
        CHECK_THAT(got.sentence, Contains("none of its 2 pods is ready; pod web-2"));
    }
    SECTION("waiting connections are counted")
    {
        one.port().traffic->waiting = 2;
        CHECK_THAT(judge(one.facts).sentence, Contains("2 connections wait for it"));
    }
}

TEST_CASE("no pods at all: scaled to zero, not creatable, or a selector that means nobody", "[explain]")
{
    case_of one;
    one.facts.pods.clear();
    one.fail("no_pods", "no pod matches its selector app=web", catalog::forward_state::pending);
    kube::workload work;
    work.name = "web";
    work.pod_labels = {{"app", "web"}, {"tier", "front"}};
    SECTION("scaled to zero")
    {
        work.replicas = 0;
        one.facts.workloads = {work};
        const auto got = judge(one.facts);
        CHECK(got.code == "scaled_to_zero");
        CHECK(got.sentence == "Deployment web is scaled to 0, so web.shop has no pods");
        CHECK(got.next.at(0).command == "kubectl --context kind -n shop scale deployment/web --replicas=1");
    }
    SECTION("a quota in the way")
    {
        work.replicas = 2;
        work.trouble = "pods \"web-x\" is forbidden: exceeded quota";
        one.facts.workloads = {work};
        const auto got = judge(one.facts);
        CHECK(got.code == "no_pods");
        CHECK_THAT(got.sentence, Contains("is to have 2 pods") && Contains("exceeded quota"));
    }
    SECTION("labels that differ by a slip")
    {
        work.pod_labels = {{"app", "wbe"}};
        one.facts.workloads = {work};
        kube::pod other;
        other.meta.name = "wbe-1";
        other.meta.labels = {{"app", "wbe"}};
        one.facts.neighbours = {other};
        const auto got = judge(one.facts);
        CHECK(got.code == "selector_matches_nothing");
        CHECK(got.sentence == "no pod matches the selector app=web of web.shop; closest is pod wbe-1 with app=wbe");
    }
    SECTION("a selector of two labels, of which a pod has one")
    {
        one.facts.object->selector = {{"app", "web"}, {"tier", "front"}};
        kube::pod other;
        other.meta.name = "web-9";
        other.meta.labels = {{"app", "web"}};
        one.facts.neighbours = {other};
        CHECK_THAT(judge(one.facts).sentence, Contains("closest is pod web-9 with no tier"));
    }
}

TEST_CASE("a port that leads nowhere is told with what there is instead", "[explain]")
{
    case_of one;
    SECTION("a name that no container has")
    {
        one.facts.object->ports[0].target = std::string{"web"};
        one.fail("target_port_not_found", "no container of pod web-1 has a port named 'web'");
        const auto got = judge(one.facts);
        CHECK(got.code == "target_port_not_found");
        CHECK(got.sentence ==
              "port 80 of web.shop goes to the container port named 'web', and pod web-1 has none of that name; it has 9090 (http)");
    }
    SECTION("a number that nothing listens on")
    {
        one.fail("port_refused", "connection refused");
        const auto got = judge(one.facts);
        CHECK(got.code == "port_refused");
        CHECK(got.sentence == "nothing listens on port 8080 in pod web-1, where port 80 of web.shop leads; its containers declare 9090");
        CHECK_THAT(got.suggestion, Contains("targetPort"));
        one.pod().containers.front().ports.push_back({"", "TCP", 8080});
        CHECK_THAT(judge(one.facts).sentence, Contains("though a container declares it"));
        CHECK_THAT(judge(one.facts).suggestion, Contains("localhost or on all addresses"));
    }
}

TEST_CASE("an application that resets is named as the one who does, while that is fresh", "[explain]")
{
    case_of one;
    one.port().last_reset = catalog::failure{now - 5s, "reset_by_pod", "reset", 4, {}};
    const auto got = judge(one.facts);
    CHECK(got.code == "reset_by_application");
    CHECK_FALSE(got.ok);
    CHECK(got.sentence ==
          "the way to port 80 of web.shop works, but the application in pod web-1 reset 4 connections or more, last 5 s ago");
    one.port().last_reset->at = now - 1h;
    CHECK(judge(one.facts).code == "works");
}

TEST_CASE("what the cluster refuses is told with what would end it", "[explain]")
{
    case_of one;
    SECTION("port-forwards: the rule, and how an administrator makes it")
    {
        one.fail("forbidden", "pods/portforward (verbs get and create) is not allowed in namespace shop");
        const auto got = judge(one.facts);
        CHECK(got.code == "forbidden");
        CHECK_THAT(
            got.suggestion,
            Contains("a Role in namespace shop with apiGroups [\"\"], resources [\"pods/portforward\"], verbs [\"get\", \"create\"]"));
        CHECK_THAT(got.next.at(0).command, Contains("create role port-forward --verb=get,create --resource=pods/portforward"));
    }
    SECTION("lists: the rule that the refusal names")
    {
        one.cluster_fails(
            "forbidden",
            "list pods in shop: pods is forbidden; it needs a Role in namespace shop with apiGroups [\"\"], resources [\"pods\"], "
            "verbs [\"list\"], bound to User ann");
        const auto got = judge(one.facts);
        CHECK(got.code == "forbidden");
        CHECK_THAT(got.suggestion, Contains("for a Role in namespace shop") && Contains("verbs [\"list\"]"));
    }
    SECTION("unreachable")
    {
        one.cluster_fails("refused", "connect 10.0.0.1:6443: Connection refused");
        const auto got = judge(one.facts);
        CHECK(got.code == "cluster_unreachable");
        CHECK(got.sentence ==
              "context kind (https://10.0.0.1:6443) cannot be reached: connect 10.0.0.1:6443: Connection refused, 3 times in a row");
        CHECK_THAT(got.next.at(0).command, Contains("kubectl --context kind get --raw /version"));
    }
    SECTION("each other way of failing has a code and a remedy of its own")
    {
        const auto row = GENERATE(values<std::pair<std::string, std::string>>({{"unauthorized", "Log in again"},
                                                                               {"credentials_failed", "credential plugin"},
                                                                               {"tls_failed", "certificate-authority"},
                                                                               {"waiting_for_login", "Finish the login"}}));
        one.cluster_fails(row.first, "it says so");
        const auto got = judge(one.facts);
        CHECK(got.code == row.first);
        CHECK_THAT(got.sentence, Contains("it says so"));
        CHECK_THAT(got.suggestion, Contains(row.second));
    }
    SECTION("a cluster that did not answer the question itself")
    {
        one.facts.object.reset();
        one.facts.forwarded = nullptr;
        one.facts.unanswered = error{errc::timed_out, "get service shop/web"};
        CHECK(judge(one.facts).code == "cluster_unreachable");
    }
}

TEST_CASE("what this machine refuses is told as such", "[explain]")
{
    case_of one;
    SECTION("a port that another program has")
    {
        one.fail("port_shadowed", "node (pid 4711) listens on all addresses");
        const auto got = judge(one.facts);
        CHECK(got.code == "port_shadowed");
        CHECK_THAT(got.sentence, Contains("127.1.27.1:80") && Contains("node (pid 4711)"));
        CHECK(got.next.at(0).command == "fwd add web.shop -p 80:10080");
    }
    SECTION("a name that is another's")
    {
        one.shown.conflicts = {{"web", "hosts file line 12"}};
        one.shown.hostnames = {"web.shop"};
        const auto got = judge(one.facts);
        CHECK(got.code == "name_conflict");
        CHECK(got.ok);
        CHECK_THAT(got.sentence, Contains("hosts file line 12 holds it"));
        CHECK_THAT(got.suggestion, Contains("Use web.shop"));
    }
    SECTION("a hosts file that cannot be written")
    {
        one.shown.hostnames.clear();
        CHECK(judge(one.facts).code == "names_not_written");
        one.facts.hosts_path.clear(); // names are left alone on purpose
        CHECK(judge(one.facts).code == "works");
    }
    SECTION("the agent is gone")
    {
        one.facts.agent_alive = false;
        CHECK(judge(one.facts).code == "agent_gone");
    }
}

TEST_CASE("what is not forwarded says so, and whether it would work", "[explain]")
{
    case_of one;
    one.facts.forwarded = nullptr;
    auto got = judge(one.facts);
    CHECK(got.code == "not_forwarded");
    CHECK(got.sentence == "web.shop is not forwarded; 1 of 1 pods ready");
    REQUIRE_FALSE(got.next.empty());
    CHECK(got.next[0].command == "fwd add web.shop");
    CHECK(got.next[0].method == "POST");
    CHECK_THAT(got.next[0].body, Contains(R"("serviceName":"web","namespace":"shop","context":"kind")"));
    one.unready();
    CHECK_THAT(judge(one.facts).sentence, Contains("would not work yet: pod web-1: container app is not ready"));
    one.space.name = "shop";
    one.space.label_selector = "team=a";
    one.facts.name_space = &one.space;
    CHECK_THAT(judge(one.facts).sentence, Contains("namespace shop is, but without this service (selector team=a)"));
}

TEST_CASE("what can never be forwarded is told with what to do instead", "[explain]")
{
    case_of one;
    one.facts.forwarded = nullptr;
    auto& object = *one.facts.object;
    object.type = "ExternalName";
    object.external_name = "db.example.com";
    CHECK(judge(one.facts).code == "external_name");
    CHECK_THAT(judge(one.facts).suggestion, Contains("db.example.com"));
    object.type = "ClusterIP";
    object.ports[0].protocol = "UDP";
    CHECK(judge(one.facts).code == "not_tcp");
    object.ports[0].protocol = "TCP";
    object.selector.clear();
    CHECK(judge(one.facts).code == "no_selector");
}

TEST_CASE("a name that nobody has leads to those that are close", "[explain]")
{
    case_of one;
    one.facts.forwarded = nullptr;
    one.facts.object.reset();
    one.facts.service = "wbe";
    one.facts.close = {"web.shop.kind"};
    auto got = judge(one.facts);
    CHECK(got.code == "unknown_service");
    CHECK(got.suggestion == "Did you mean web.shop.kind?");
    CHECK(got.next.at(0).command == "fwd explain web.shop.kind");
    one.facts.elsewhere = {"wbe.staging.kind"};
    CHECK_THAT(judge(one.facts).sentence, Contains("there is wbe.staging.kind"));
    one.facts.namespace_unknown = true;
    CHECK(judge(one.facts).code == "unknown_namespace");
}

TEST_CASE("of several ports the one that does not work is named", "[explain]")
{
    case_of one;
    auto second = one.port();
    second.local_port = second.service_port = 81;
    second.state = catalog::forward_state::error;
    second.reason_code = "port_refused";
    second.pod_port = 8081;
    one.shown.forwards.push_back(second);
    one.shown.state = catalog::service_state::partial;
    const auto got = judge(one.facts);
    CHECK(got.code == "port_refused");
    CHECK_THAT(got.sentence, Contains("port 81 does not work, others do: nothing listens on port 8081"));
}

TEST_CASE("the timeline joins history, pods, containers, endpoints and events in order of time", "[explain]")
{
    case_of one;
    one.unready();
    one.status().restarts = 2;
    one.status().last_exit_code = 137;
    one.status().last_reason = "OOMKilled";
    one.status().last_finished = now - 11min;
    one.event("web-1", "BackOff", "Back-off restarting failed container", 9);
    one.facts.events.back().last = now - 9min;
    kube::event rollout;
    rollout.object_kind = "Deployment";
    rollout.object_name = "web";
    rollout.reason = "ScalingReplicaSet";
    rollout.message = "Scaled up replica set web-7d to 1";
    rollout.last = now - 2h;
    one.facts.events.push_back(rollout);
    past error;
    error.when = now - 5min;
    error.message = "the pod refuses port 8080";
    error.code = "port_refused";
    error.pod = "web-1";
    error.service_key = "web.shop.kind";
    error.resolved = now - 4min;
    one.facts.errors = {error};
    past back = error;
    back.when = now - 3min;
    back.code = "tunnel_lost";
    back.message = "connection reset";
    back.took = 2s;
    one.facts.returns = {back};
    past added;
    added.when = now - 1min;
    added.type = "ServiceAdded";
    added.message = "forwarded at 127.1.27.1";
    added.client = "claude/2; x";
    one.facts.changes = {added};
    kube::endpoint_slice slice;
    slice.endpoints.resize(2);
    slice.endpoints[1].ready = false;
    one.facts.slices = {slice};

    std::vector<std::string> seen;
    const auto all = timeline(one.facts, {});
    for (const auto& entry : all) seen.push_back(entry.source + " " + entry.kind);
    CHECK(seen == std::vector<std::string>{"rollout scaling_replica_set", "pod created", "container out_of_memory", "pod not_ready",
                                           "event back_off", "fwd error", "fwd resolved", "fwd reconnected", "fwd service_added",
                                           "endpoints now"});
    CHECK(all[2].message == "container app ended with exit code 137 (OOMKilled), restart 2");
    CHECK_THAT(all[4].evidence, Contains("kubelet/BackOff") && Contains("9 times"));
    CHECK(all[7].message == "connected again to pod web-1, 2 s after: connection reset");
    CHECK(all[8].message == "forwarded at 127.1.27.1 by claude/2; x");
    CHECK(all[9].message == "1 of 2 endpoints ready");
    CHECK(timeline(one.facts, now - 6min).size() == 5);
    CHECK(timeline(one.facts, {}, 3).size() == 3);
    one.facts.events.front().reason = "MissingClusterDNS";
    CHECK(timeline(one.facts, {}).at(4).kind == "missing_cluster_dns");
}

TEST_CASE("a service may be meant by any of its names, with port and path", "[explain]")
{
    struct row {
        std::string_view text, host, service, name_space, context;
    };
    const auto row = GENERATE(values<struct row>({
        {"web", "web", "web", "", ""},
        {"web.shop", "web.shop", "web", "shop", ""},
        {" web.shop.kind-a.example.com ", "web.shop.kind-a.example.com", "web", "shop", "kind-a.example.com"},
        {"shop/web", "web", "web", "shop", ""},
        {"shop/web:80", "web", "web", "shop", ""},
        {"web:8080", "web", "web", "", ""},
        {"http://web.shop:8080/a/b?c=d", "web.shop", "web", "shop", ""},
        {"postgresql://user:secret@db.shop/name", "db.shop", "db", "shop", ""},
        {"web.shop.svc", "web.shop.svc", "web", "shop", ""},
        {"web.shop.svc.cluster.local:80", "web.shop.svc.cluster.local", "web", "shop", ""},
        {"web.shop.svc.kind", "web.shop.svc.kind", "web", "shop", "kind"},
    }));
    const auto got = parse_asked(row.text);
    CHECK(got.host == row.host);
    CHECK(got.service == row.service);
    CHECK(got.namespace_name == row.name_space);
    CHECK(got.context == row.context);
}

TEST_CASE("each event has its place in history, and passing ones have none", "[explain]")
{
    using type = catalog::event_type;
    catalog::event raised{.type = type::error_raised};
    raised.when = now;
    raised.service_key = "web.shop.kind";
    raised.forward_key = "web.shop.kind.web-1.80";
    raised.local_ip = "127.1.27.1";
    raised.local_port = 80;
    raised.error = "refused";
    raised.reason = "unused";
    raised.code = "port_refused";
    const auto error = record_of(raised);
    CHECK(error.is_event);
    CHECK(error.is_error);
    CHECK_FALSE(error.ends_errors);
    CHECK(error.what.place == "127.1.27.1:80");
    CHECK(error.what.message == "refused");
    CHECK(error.what.code == "port_refused");
    CHECK(record_of({.type = type::error_resolved}).ends_errors);
    CHECK(record_of({.type = type::service_removed}).ends_errors);
    CHECK(record_of({.type = type::reconnected}).is_return);
    for (const auto passing : {type::bandwidth_update, type::connection_opened, type::connection_closed})
        CHECK_FALSE(record_of({.type = passing}).is_event);
}
