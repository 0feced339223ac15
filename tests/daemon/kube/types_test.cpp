#include "daemon/kube/types.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/value.hpp>
#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;

namespace {

boost::json::value json_of(std::string_view text)
{
    auto made = parse_json(text);
    REQUIRE(made.has_value());
    return *made;
}

} // namespace

TEST_CASE("the fields of a service are read", "[types]")
{
    const auto s = read_service(json_of(R"({
        "metadata":{"name":"web","namespace":"shop","uid":"u1","resourceVersion":"5","creationTimestamp":"2026-01-02T03:04:05Z",
          "labels":{"app":"web"},"annotations":{"fwd.dev/sticky":"true","fwd.dev/url":"x","other":"y"}},
        "spec":{"type":"NodePort","clusterIP":"10.0.0.7","selector":{"app":"web","tier":"a"},"publishNotReadyAddresses":true,
          "ports":[{"name":"http","port":80,"targetPort":8080,"nodePort":30080,"appProtocol":"http"},
                   {"name":"named","port":81,"protocol":"TCP","targetPort":"admin"},
                   {"name":"dns","port":53,"protocol":"UDP"}, {"port":0}, {"port":70000,"targetPort":0}]}})"));
    CHECK(s.meta.key() == "shop/web");
    CHECK(s.meta.uid == "u1");
    CHECK(s.meta.resource_version == "5");
    CHECK(s.meta.created == parse_rfc3339("2026-01-02T03:04:05Z"));
    CHECK(s.meta.annotations == labels{{"fwd.dev/sticky", "true"}, {"fwd.dev/url", "x"}});
    CHECK(s.type == "NodePort");
    CHECK(s.cluster_ip == "10.0.0.7");
    CHECK_FALSE(s.headless());
    CHECK(s.selector == labels{{"app", "web"}, {"tier", "a"}});
    CHECK(s.publish_not_ready);
    CHECK(s.sticky());
    REQUIRE(s.ports.size() == 5);
    CHECK(s.ports[0] == service_port{"http", "TCP", "http", 80, std::uint16_t{8080}, 30080});
    CHECK(s.ports[0].target_text() == "8080");
    CHECK(s.ports[1].target_text() == "admin");
    CHECK(s.ports[2].protocol == "UDP");
    CHECK(s.ports[2].target_text() == "53");
    CHECK(s.ports[3].port == 0);
    CHECK(s.ports[4].port == 0);
}

TEST_CASE("headless, external and sticky services are known", "[types]")
{
    CHECK(read_service(json_of(R"({"spec":{"clusterIP":"None"}})")).headless());
    const auto external = read_service(json_of(R"({"spec":{"type":"ExternalName","externalName":"db.example.com"}})"));
    CHECK(external.is_external_name());
    CHECK(external.external_name == "db.example.com");
    CHECK(read_service(json_of(R"({"spec":{"sessionAffinity":"ClientIP"}})")).sticky());
    CHECK_FALSE(read_service(json_of(R"({"spec":{"sessionAffinity":"None"}})")).sticky());
}

TEST_CASE("the fields of a pod are read", "[types]")
{
    const auto p = read_pod(json_of(R"({
        "metadata":{"name":"api-1","namespace":"shop","uid":"u","labels":{"app":"api"},"deletionTimestamp":"2026-01-02T03:04:05Z",
          "ownerReferences":[{"kind":"Node","name":"x"},{"kind":"ReplicaSet","name":"api-5d","controller":true}]},
        "spec":{"nodeName":"n1","hostname":"h","subdomain":"s","hostNetwork":true,
          "initContainers":[{"name":"wait","image":"w"},{"name":"proxy","image":"p","restartPolicy":"Always","ports":[{"name":"mesh","containerPort":15001}]}],
          "containers":[{"name":"api","image":"registry/api:1","ports":[{"name":"http","containerPort":8080},{"name":"http","protocol":"UDP","containerPort":8081}],
            "env":[{"name":"POSTGRES_USER","value":"shop"},{"name":"POSTGRES_DB","value":"orders"},{"name":"POSTGRES_PASSWORD","value":"hidden"},
                   {"name":"PATH","value":"/bin"},{"name":"MYSQL_PASSWORD","valueFrom":{"secretKeyRef":{"name":"db","key":"pw"}}}]}]},
        "status":{"phase":"Running","podIP":"10.1.1.1","startTime":"2026-01-01T00:00:00Z",
          "conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:05Z"},{"type":"PodScheduled","status":"True"}],
          "initContainerStatuses":[{"name":"wait","ready":true,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}},{"name":"proxy","ready":true,"started":true,"state":{"running":{}}}],
          "containerStatuses":[{"name":"api","ready":true,"started":true,"restartCount":3,"state":{"running":{"startedAt":"2026-01-01T00:00:01Z"}},
            "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","finishedAt":"2026-01-01T00:00:00Z"}}}]}})"));
    CHECK(p.ref() == pod_ref{"shop", "api-1", "u"});
    CHECK(p.deleting());
    CHECK(p.ready());
    CHECK(p.ready_since() == parse_rfc3339("2026-01-01T00:00:05Z"));
    CHECK(p.node == "n1");
    CHECK(p.hostname == "h");
    CHECK(p.subdomain == "s");
    CHECK(p.host_network);
    CHECK(p.owner_kind == "ReplicaSet");
    CHECK(p.owner_name == "api-5d");
    CHECK(p.restarts() == 3);
    CHECK(p.ready_count() == std::pair{2U, 2U});
    REQUIRE(p.containers.size() == 3);
    CHECK(p.containers[0].ports.size() == 2);
    CHECK(p.containers[1].init);
    CHECK_FALSE(p.containers[1].restartable);
    CHECK(p.containers[2].restartable);
    const auto& api = p.containers[0];
    CHECK(api.hints == std::vector<std::pair<std::string, std::string>>{{"POSTGRES_USER", "shop"}, {"POSTGRES_DB", "orders"}});
    REQUIRE(api.secrets.size() == 1);
    CHECK(api.secrets[0].secret == "db");
    CHECK(api.secrets[0].key == "pw");
    const auto& status = p.statuses.back();
    CHECK(status.state == container_status::state_kind::running);
    CHECK(status.last_exit_code == 137);
    CHECK(status.last_reason == "OOMKilled");
}

TEST_CASE("the fields of namespaces, slices and events are read", "[types]")
{
    CHECK(read_namespace(json_of(R"({"metadata":{"name":"a"},"status":{"phase":"Terminating"}})")).phase == "Terminating");
    CHECK(read_namespace(json_of(R"({"metadata":{"name":"a"}})")).phase == "Active");

    const auto slice =
        read_endpoint_slice(json_of(R"({"metadata":{"name":"db-x","labels":{"kubernetes.io/service-name":"db"}},"addressType":"IPv4",
        "endpoints":[{"addresses":["10.1.1.1"],"targetRef":{"kind":"Pod","namespace":"shop","name":"db-0","uid":"u"}},
                     {"addresses":["10.1.1.2"],"conditions":{"ready":false,"serving":true,"terminating":true},"hostname":"db-1"}],
        "ports":[{"name":"pg","port":5432,"protocol":"TCP"},{"name":""}]})"));
    CHECK(slice.service_name == "db");
    REQUIRE(slice.endpoints.size() == 2);
    CHECK(slice.endpoints[0].ready);
    CHECK(slice.endpoints[0].serving);
    CHECK_FALSE(slice.endpoints[0].terminating);
    CHECK(slice.endpoints[0].target_name == "db-0");
    CHECK_FALSE(slice.endpoints[1].ready);
    CHECK(slice.endpoints[1].terminating);
    CHECK(slice.ports[0].port == 5432);
    CHECK(slice.ports[1].port == 0);

    const auto old = read_event(
        json_of(R"({"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"},"type":"Warning","reason":"BackOff","message":"m","count":4,
        "source":{"component":"kubelet"},"involvedObject":{"kind":"Pod","name":"p","uid":"u"},"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T01:00:00Z","eventTime":null})"));
    CHECK(old.count == 4);
    CHECK(old.source == "kubelet");
    CHECK(old.object_kind == "Pod");
    CHECK(old.last == parse_rfc3339("2026-01-01T01:00:00Z"));
    const auto series =
        read_event(json_of(R"({"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"},"eventTime":"2026-01-01T00:00:01.123456Z",
        "series":{"count":9,"lastObservedTime":"2026-01-01T02:00:00.000000Z"},"reportingComponent":"c"})"));
    CHECK(series.count == 9);
    CHECK(series.last == parse_rfc3339("2026-01-01T02:00:00Z"));
    CHECK(series.source == "c");
    CHECK(read_event(json_of(R"({"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"}})")).last ==
          parse_rfc3339("2026-01-01T00:00:00Z"));
}

TEST_CASE("fields of the wrong type are as if they were not there", "[types]")
{
    const auto text = GENERATE(
        as<std::string>{}, "null", "[]", "7", R"({"metadata":[],"spec":7,"status":"x"})",
        R"({"metadata":{"name":7,"labels":[1],"deletionTimestamp":"never"},"spec":{"ports":{},"containers":[1,null,{"ports":7,"env":[{"name":1}]}],"selector":"x","nodeName":{}},
                                   "status":{"phase":1,"conditions":[{}],"containerStatuses":[{"restartCount":-5,"state":{"waiting":7}}]},"endpoints":[{"addresses":7}],"ports":[[]]})");
    const auto value = json_of(text);
    CHECK(read_service(value).selector.empty());
    CHECK_FALSE(read_pod(value).ready());
    CHECK(read_pod(value).restarts() == 0);
    CHECK_FALSE(read_pod(value).deleting());
    CHECK(read_endpoint_slice(value).ports.empty());
    CHECK(read_event(value).count == 1);
    CHECK(read_namespace(value).meta.name.empty());
}
