// What is expected of each route: requests that work, and how to bring about each error that not every request can have.
#pragma once

#include "tests/daemon/api/running_api.hpp"

#include <functional>

namespace fwd::test {

/// A daemon with something for each route.
struct stocked : running_api {
    stocked()
    {
        auto& at = cluster.server.bodies;
        const std::string web = R"({"metadata":{"namespace":"shop","name":"web"},"spec":{"type":"ClusterIP","clusterIP":"10.0.0.7",
            "selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":"www","protocol":"TCP"}]}})";
        const std::string pod = R"({"metadata":{"namespace":"shop","name":"web-0","uid":"u","labels":{"app":"web"},
            "creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"containers":[{"name":"app","image":"shop/web:1",
            "ports":[{"name":"www","containerPort":8080}]}]},"status":{"phase":"Running"}})";
        at["/api/v1/namespaces/shop/services"] = at["/api/v1/services"] = list_of(web);
        at["/api/v1/namespaces/shop/services/web"] = web;
        at["/api/v1/namespaces/shop/pods"] = at["/api/v1/pods"] = list_of(pod);
        at["/api/v1/namespaces/shop/pods/web-0"] = pod;
        at["/api/v1/namespaces/shop/pods/web-0/log"] = "one\ntwo\n";
        at["/api/v1/namespaces/shop/events"] = list_of(R"({"metadata":{"namespace":"shop","name":"e"},"type":"Warning","reason":"BackOff",
            "message":"again","count":3,"involvedObject":{"kind":"Pod","name":"web-0"},"lastTimestamp":"2026-01-01T00:00:00Z"})");
        at["/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"] = list_of(R"({"metadata":{"namespace":"shop","name":"web-x",
            "labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4","ports":[{"name":"http","port":8080}],
            "endpoints":[{"addresses":["10.2.2.2"],"targetRef":{"kind":"Pod","name":"web-0"}}]})");
        for (const auto* context : {"other", odd_context}) {
            auto one = sample_service("odd", "shop", 80);
            one.context = one.forwards[0].context = context;
            if (context == odd_context) state.put(one);
            state.put(catalog::forwarded_namespace{.name = "shop", .context = context, .running = true});
        }
        past something{.id = 7, .when = clock.wall_now(), .type = "ServiceAdded", .service_key = "web.shop.kind"};
        for (const auto kind : {past_kind::event, past_kind::error, past_kind::reconnection, past_kind::asked})
            kept.all.emplace_back(kind, something);
        log.info("hello");
    }
    static std::string list_of(const std::string& item)
    {
        return R"({"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[)" + item + "]}";
    }
    static constexpr const char* odd_context = "arn:aws:eks:eu/west%1";
    static constexpr std::string_view odd_in_path = "arn%3Aaws%3Aeks%3Aeu%2Fwest%251";

    /// The id of a plan that `client` made.
    std::string plan(const std::string& body, const std::string& client = "")
    {
        auto made = request("POST", "/api/v1/plans", body);
        if (!client.empty()) made.fields.set("Fwd-Client", client);
        return std::string{std::string_view{data_of(ask(made)).at("planId").as_string()}};
    }
};

/// One error, and how it comes about.
struct failing {
    unsigned status;
    std::string code;
    std::function<void(stocked&)> before = {};
    std::string target = {}, body = {};               ///< absent: those of the first request that works
    std::function<http_request(stocked&)> asked = {}; ///< instead of both
};
struct working {
    std::string target, body = {};
    unsigned status = 200;
};
struct route_row {
    std::string route; ///< "GET /api/v1/services"
    std::vector<working> works;
    std::vector<failing> fails = {};
};

/// How an error reaches a route.
using error_way = void (*)(stocked&, const error&);
inline void by_opening(stocked& of, const error& why)
{
    of.cluster.refuses = why;
}
inline void by_cluster(stocked& of, const error& why)
{
    of.cluster.server.fails = kube::api_failure{why};
}
inline void by_engine(stocked& of, const error& why)
{
    of.engine.refuse = catalog::refusal{why};
}
inline void by_explainer(stocked& of, const error& why)
{
    of.why.refuse = catalog::refusal{why};
}

struct error_case {
    error why;
    unsigned status;
    std::string code;
};
/// A context that cannot be used: not there, its entry wrong, its files missing or unreadable, its plugin failing.
inline std::vector<error_case> opening_errors()
{
    return {{errc::invalid_request, 400, "invalid_request"},
            {errc::not_found, 404, "not_found"},
            {errc::unsupported, 422, "unsupported"},
            {errc::credentials_failed, 502, "credentials_failed"},
            {errc::parse_error, 502, "parse_error"},
            {errc::tls_failed, 502, "tls_failed"},
            {errc::too_large, 502, "too_large"},
            {make_error_code(boost::system::errc::no_such_file_or_directory), 503, "unreachable"}};
}
/// What comes of asking a cluster besides: its refusals, and what happens on the way there.
inline std::vector<error_case> asking_errors()
{
    auto all = opening_errors();
    const std::vector<error_case> more = {{errc::forbidden, 403, "forbidden"},
                                          {errc::gone, 410, "gone"},
                                          {errc::too_many_requests, 429, "too_many_requests"},
                                          {errc::closed, 502, "closed"},
                                          {errc::dns_failed, 502, "dns_failed"},
                                          {errc::proxy_failed, 502, "proxy_failed"},
                                          {errc::protocol_error, 502, "protocol_error"},
                                          {errc::refused, 502, "refused"},
                                          {errc::unauthorized, 502, "unauthorized"},
                                          {errc::unavailable, 503, "unavailable"},
                                          {errc::timed_out, 504, "timed_out"},
                                          {make_error_code(boost::system::errc::connection_refused), 503, "unreachable"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}
inline std::vector<failing> each(const std::vector<error_case>& all, error_way how, const std::string& target = {})
{
    std::vector<failing> made;
    for (const auto& one : all) made.push_back({one.status, one.code, [how, why = one.why](stocked& of) { how(of, why); }, target});
    return made;
}
inline std::vector<failing> operator+(std::vector<failing> some, std::vector<failing> more)
{
    some.insert(some.end(), more.begin(), more.end());
    return some;
}
/// A question to a cluster: it may fail before and while it is asked.
inline std::vector<failing> of_cluster()
{
    return each(opening_errors(), by_opening) + each(asking_errors(), by_cluster);
}
inline std::vector<failing> of_engine()
{
    auto waits = [](stocked& of) { of.engine.refuse = catalog::refusal{"waiting_for_login", error{errc::unavailable, "kind"}}; };
    return each(asking_errors(), by_engine) + std::vector<failing>{{503, "waiting_for_login", waits}};
}
inline std::vector<failing> of_one_added()
{
    return of_engine() + each({{errc::conflict, 409, "conflict"}, {errc::addresses_exhausted, 503, "addresses_exhausted"}}, by_engine);
}
inline std::vector<failing> of_history(bool names_service)
{
    auto closed = [](stocked& of) { of.kept.refuse = catalog::refusal{error{errc::parse_error, "the database is damaged"}}; };
    std::vector<failing> made{{503, "unavailable", closed}};
    if (names_service) made.push_back({409, "ambiguous", {}, "?service=web"});
    return made;
}
inline std::vector<failing> guarded()
{
    return {{409, "confirmation_required", [](stocked& of) { of.cluster.guarded = {"kind"}; }}};
}

inline const std::string plan_of_addition = R"({"operation":"add_service","arguments":{"serviceName":"cart"}})";

/// Those of an apply: its own, and those of the call that was planned.
inline std::vector<failing> of_apply()
{
    const auto apply = [](stocked& of, const std::string& id, const std::string& body = "") {
        return of.request("POST", "/api/v1/plans/" + id + "/apply", body);
    };
    const auto stale = [apply](stocked& of) {
        const auto id = of.plan(plan_of_addition);
        CHECK(of.ask(apply(of, id)).status == 201);
        return apply(of, id);
    };
    const auto other = [apply](stocked& of) { return apply(of, of.plan(plan_of_addition, "claude/1")); };
    const auto changed = [apply](stocked& of) { return apply(of, of.plan(plan_of_addition), R"({"operation":"shutdown"})"); };
    const auto twin = [apply](stocked& of) {
        const auto id = of.plan(R"({"operation":"remove_service","arguments":{"key":"db"}})");
        of.state.put(sample_service("db", "staging", 80));
        return apply(of, id);
    };
    return of_one_added() + std::vector<failing>{{410, "gone", {}, {}, {}, stale},
                                                 {403, "forbidden", {}, {}, {}, other},
                                                 {409, "plan_mismatch", {}, {}, {}, changed},
                                                 {409, "ambiguous", {}, {}, {}, twin},
                                                 {404, "not_found", {}, "/api/v1/plans/none/apply"}};
}

/// One for each route; "{plan}" in a target stands for the id of a new plan.
inline std::vector<route_row> route_rows()
{
    const std::string v1 = "/api/v1";
    const std::vector<failing> slow = {{504, "timed_out", [](stocked& of) { by_engine(of, errc::timed_out); }}};
    const auto broken_folder = [](stocked& of) {
        std::filesystem::remove_all(of.folder.path + "/state");
        std::ofstream{of.folder.path + "/state"} << "a file";
    };
    const std::string remove_db = R"({"operation":"remove_service","arguments":{"key":"db"}})";
    const auto removal_of = [](const std::string& key) { return R"({"operation":"remove_service","arguments":{"key":")" + key + "\"}}"; };
    return {
        {"GET /", {{"/"}}},
        {"GET /docs", {{"/docs"}}},
        {"GET /openapi.yaml", {{"/openapi.yaml"}}},
        {"GET /api/health", {{"/api/health"}}},
        {"GET /api/v1/info", {{v1 + "/info"}}},
        {"GET /api/v1/status", {{v1 + "/status"}}},
        {"POST /api/v1/shutdown", {{v1 + "/shutdown", "{}"}, {v1 + "/shutdown"}, {v1 + "/shutdown", R"({"force":true})"}}},
        {"POST /api/v1/token/rotate", {{v1 + "/token/rotate"}}, {{500, "internal_error", broken_folder}}},
        {"GET /api/v1/services", {{v1 + "/services"}, {v1 + "/services?namespace=shop&context=kind&search=we&offset=1"}}},
        {"POST /api/v1/services",
         {{v1 + "/services", R"({"serviceName":"cart"})", 201},
          {v1 + "/services", R"({"serviceName":"web","namespace":"shop"})", 200},
          {v1 + "/services", R"({"serviceName":"cart","localIP":"127.1.30.1","purpose":"a test","more":["unknown"]})", 201}},
         of_one_added() + guarded() + std::vector<failing>{{410, "gone", {}, v1 + "/services", R"({"serviceName":"fleeting"})"}}},
        {"GET /api/v1/services/:key", {{v1 + "/services/web.shop.kind"}, {v1 + "/services/shop%2Fweb"}}},
        {"DELETE /api/v1/services/:key", {{v1 + "/services/web.shop.kind"}, {v1 + "/services/db"}}, slow},
        {"POST /api/v1/services/reconnect", {{v1 + "/services/reconnect", "{}"}, {v1 + "/services/reconnect"}}},
        {"POST /api/v1/services/:key/reconnect", {{v1 + "/services/db/reconnect"}}},
        {"POST /api/v1/services/:key/sync", {{v1 + "/services/db/sync", "{}"}}, each(asking_errors(), by_engine)},
        {"POST /api/v1/services/:key/check", {{v1 + "/services/db/check", "{}"}, {v1 + "/services/db/check", R"({"path":"/"})"}}},
        {"GET /api/v1/services/:key/env", {{v1 + "/services/db/env"}}},
        {"GET /api/v1/env", {{v1 + "/env"}}},
        {"GET /api/v1/services/:key/http", {{v1 + "/services/db/http"}}},
        {"GET /api/v1/forwards/:key/http", {{v1 + "/forwards/db/http"}}},
        {"GET /api/v1/http", {{v1 + "/http"}}},
        {"GET /api/v1/doctor", {{v1 + "/doctor"}}},
        {"POST /api/v1/plans",
         {{v1 + "/plans", plan_of_addition, 201},
          {v1 + "/plans", remove_db, 201},
          {v1 + "/plans", R"({"operation":"remove_namespace","arguments":{"key":"shop.kind"}})", 201},
          {v1 + "/plans", R"({"operation":"add_namespace","arguments":{"namespace":"shop"}})", 201},
          {v1 + "/plans", R"({"operation":"shutdown"})", 201}},
         {{404, "not_found", {}, v1 + "/plans", removal_of("none")}, {409, "ambiguous", {}, v1 + "/plans", removal_of("web")}}},
        {"POST /api/v1/plans/:id/apply",
         {{v1 + "/plans/{plan}/apply", "", 201}, {v1 + "/plans/{plan}/apply", plan_of_addition, 201}},
         of_apply()},
        {"GET /metrics", {{"/metrics"}}},
        {"GET /api/v1/metrics", {{v1 + "/metrics"}}},
        {"GET /api/v1/metrics/services", {{v1 + "/metrics/services"}}},
        {"GET /api/v1/metrics/services/:key", {{v1 + "/metrics/services/db"}}},
        {"GET /api/v1/metrics/services/:key/history", {{v1 + "/metrics/services/db/history"}}},
        {"GET /api/v1/services/:key/connections", {{v1 + "/services/db/connections"}}},
        {"GET /api/v1/connections", {{v1 + "/connections"}}},
        {"GET /api/v1/forwards", {{v1 + "/forwards"}, {v1 + "/forwards?search=web-0"}}},
        {"GET /api/v1/forwards/:key", {{v1 + "/forwards/web.shop.kind.web-0.80"}, {v1 + "/forwards/db"}}},
        {"GET /api/v1/namespaces", {{v1 + "/namespaces"}}},
        {"POST /api/v1/namespaces",
         {{v1 + "/namespaces", R"({"namespace":"data"})", 201},
          {v1 + "/namespaces", R"({"namespace":"shop"})", 200},
          {v1 + "/namespaces", R"({"namespace":"data","selector":"a=b","services":["w*"],"exclude":["x"],"purpose":"a test"})", 201}},
         of_engine() + guarded()},
        {"GET /api/v1/namespaces/:key", {{v1 + "/namespaces/shop.kind"}}},
        {"DELETE /api/v1/namespaces/:key", {{v1 + "/namespaces/shop.kind"}}, slow},
        {"PUT /api/v1/primary", {{v1 + "/primary", R"({"namespace":"staging"})"}}, each(asking_errors(), by_engine)},
        {"GET /api/v1/events", {{v1 + "/events"}, {v1 + "/events?type=ServiceAdded,serviceremoved&service=web"}}},
        {"GET /api/v1/explain", {{v1 + "/explain"}}},
        {"GET /api/v1/explain/:any",
         {{v1 + "/explain/web.shop"}},
         each(opening_errors(), by_explainer) + each({{errc::ambiguous, 409, "ambiguous"}}, by_explainer)},
        {"GET /api/v1/history/events", {{v1 + "/history/events"}}, of_history(true)},
        {"GET /api/v1/history/errors", {{v1 + "/history/errors"}}, of_history(true)},
        {"GET /api/v1/history/reconnections", {{v1 + "/history/reconnections"}}, of_history(true)},
        {"GET /api/v1/history/requests", {{v1 + "/history/requests"}}, of_history(true)},
        {"GET /api/v1/history/stats", {{v1 + "/history/stats"}}, of_history(false)},
        {"GET /api/v1/services/:key/history/reconnections", {{v1 + "/services/db/history/reconnections"}}, of_history(false)},
        {"GET /api/v1/logs", {{v1 + "/logs"}, {v1 + "/logs?search=hello"}}},
        {"GET /api/v1/logs/system", {{v1 + "/logs/system"}}},
        {"DELETE /api/v1/logs/system", {{v1 + "/logs/system"}}},
        {"GET /api/v1/logs/stream", {{v1 + "/logs/stream"}}},
        {"GET /api/v1/analyze", {{v1 + "/analyze"}}},
        {"GET /api/v1/diagnostics", {{v1 + "/diagnostics"}}},
        {"GET /api/v1/diagnostics/services/:key", {{v1 + "/diagnostics/services/db"}}, each(opening_errors(), by_explainer)},
        {"GET /api/v1/diagnostics/forwards/:key", {{v1 + "/diagnostics/forwards/db"}}},
        {"GET /api/v1/diagnostics/network", {{v1 + "/diagnostics/network"}}},
        {"GET /api/v1/diagnostics/errors", {{v1 + "/diagnostics/errors"}}},
        {"GET /api/v1/kubernetes/contexts", {{v1 + "/kubernetes/contexts"}}},
        {"GET /api/v1/kubernetes/namespaces", {{v1 + "/kubernetes/namespaces"}}, of_cluster()},
        {"GET /api/v1/kubernetes/find",
         {{v1 + "/kubernetes/find"}, {v1 + "/kubernetes/find?query=web&port=80&namespace=shop"}},
         each(opening_errors(), by_opening, v1 + "/kubernetes/find?context=kind")},
        {"GET /api/v1/kubernetes/services", {{v1 + "/kubernetes/services?namespace=shop"}}, of_cluster()},
        {"GET /api/v1/kubernetes/services/:ns/:name", {{v1 + "/kubernetes/services/shop/web"}}, of_cluster()},
        {"GET /api/v1/kubernetes/ports/:ns/:svc",
         {{v1 + "/kubernetes/ports/shop/web"}, {v1 + "/kubernetes/ports/shop/app%3Dweb"}},
         of_cluster()},
        {"GET /api/v1/kubernetes/endpoints/:ns/:svc", {{v1 + "/kubernetes/endpoints/shop/web"}}, of_cluster()},
        {"GET /api/v1/kubernetes/events/:ns", {{v1 + "/kubernetes/events/shop"}}, of_cluster()},
        {"GET /api/v1/kubernetes/pods/:ns", {{v1 + "/kubernetes/pods/shop"}}, of_cluster()},
        {"GET /api/v1/kubernetes/pods/:ns/:pod", {{v1 + "/kubernetes/pods/shop/web-0"}}, of_cluster()},
        {"GET /api/v1/kubernetes/pods/:ns/:pod/logs", {{v1 + "/kubernetes/pods/shop/web-0/logs"}}, of_cluster()},
    };
}

} // namespace fwd::test
