#include "daemon/api/router.hpp"

#include "common/text.hpp"
#include "daemon/api/handlers/handlers.hpp"

namespace fwd::api {

std::string_view name_of(verb method)
{
    switch (method) {
    case verb::get: return "GET";
    case verb::post: return "POST";
    case verb::put: return "PUT";
    case verb::del: return "DELETE";
    }
    return "GET";
}

namespace {

constexpr std::array table = {
    route{verb::get, "/", access::open, get_docs},
    route{verb::get, "/docs", access::open, get_docs},
    route{verb::get, "/openapi.yaml", access::open, get_openapi},
    route{verb::get, "/api/health", access::open, get_health},
    route{verb::get, "/api/v1/info", access::read, get_info},
    route{verb::get, "/api/v1/status", access::read, get_status},
    route{verb::post, "/api/v1/shutdown", access::write, post_shutdown},
    route{verb::post, "/api/v1/token/rotate", access::write, post_token_rotate},
    route{verb::get, "/api/v1/services", access::read, get_services},
    route{verb::post, "/api/v1/services", access::write, post_service},
    route{verb::get, "/api/v1/services/:key", access::read, get_service},
    route{verb::del, "/api/v1/services/:key", access::write, delete_service},
    route{verb::post, "/api/v1/services/reconnect", access::write, post_services_reconnect},
    route{verb::post, "/api/v1/services/:key/reconnect", access::write, post_service_reconnect},
    route{verb::post, "/api/v1/services/:key/sync", access::write, post_service_sync},
    route{verb::post, "/api/v1/services/:key/check", access::write, post_service_check},
    route{verb::get, "/api/v1/services/:key/env", access::read, get_service_env},
    route{verb::get, "/api/v1/env", access::read, get_env},
    route{verb::get, "/api/v1/doctor", access::read, get_doctor},
    route{verb::post, "/api/v1/plans", access::write, post_plan},
    route{verb::post, "/api/v1/plans/:id/apply", access::write, post_plan_apply},
    route{verb::get, "/metrics", access::read, get_prometheus},
    route{verb::get, "/api/v1/metrics", access::read, get_metrics},
    route{verb::get, "/api/v1/metrics/services", access::read, get_service_metrics_list},
    route{verb::get, "/api/v1/metrics/services/:key", access::read, get_service_metrics},
    route{verb::get, "/api/v1/metrics/services/:key/history", access::read, get_service_metrics_history},
    route{verb::get, "/api/v1/services/:key/connections", access::read, get_service_connections},
    route{verb::get, "/api/v1/connections", access::read, get_connections},
    route{verb::get, "/api/v1/services/:key/http", access::read, get_service_http},
    route{verb::get, "/api/v1/forwards/:key/http", access::read, get_forward_http},
    route{verb::get, "/api/v1/http", access::read, get_http},
    route{verb::get, "/api/v1/forwards", access::read, get_forwards},
    route{verb::get, "/api/v1/forwards/:key", access::read, get_forward},
    route{verb::get, "/api/v1/namespaces", access::read, get_namespaces},
    route{verb::post, "/api/v1/namespaces", access::write, post_namespace},
    route{verb::get, "/api/v1/namespaces/:key", access::read, get_namespace},
    route{verb::del, "/api/v1/namespaces/:key", access::write, delete_namespace},
    route{verb::put, "/api/v1/primary", access::write, put_primary},
    route{verb::get, "/api/v1/events", access::read, get_events},
    route{verb::get, "/api/v1/explain", access::read, get_explain},
    route{verb::get, "/api/v1/explain/:any", access::read, get_explain_any},
    route{verb::get, "/api/v1/history/events", access::read, get_history_events},
    route{verb::get, "/api/v1/history/errors", access::read, get_history_errors},
    route{verb::get, "/api/v1/history/reconnections", access::read, get_history_reconnections},
    route{verb::get, "/api/v1/history/requests", access::read, get_history_requests},
    route{verb::get, "/api/v1/history/stats", access::read, get_history_stats},
    route{verb::get, "/api/v1/services/:key/history/reconnections", access::read, get_service_reconnections},
    route{verb::get, "/api/v1/logs", access::read, get_logs},
    route{verb::get, "/api/v1/logs/system", access::read, get_logs},
    route{verb::del, "/api/v1/logs/system", access::write, delete_logs},
    route{verb::get, "/api/v1/logs/stream", access::read, get_logs_stream},
    route{verb::get, "/api/v1/analyze", access::read, get_analyze},
    route{verb::get, "/api/v1/diagnostics", access::read, get_diagnostics},
    route{verb::get, "/api/v1/diagnostics/services/:key", access::read, get_service_diagnostics},
    route{verb::get, "/api/v1/diagnostics/forwards/:key", access::read, get_forward_diagnostics},
    route{verb::get, "/api/v1/diagnostics/network", access::read, get_network_diagnostics},
    route{verb::get, "/api/v1/diagnostics/errors", access::read, get_error_diagnostics},
    route{verb::get, "/api/v1/kubernetes/contexts", access::read, get_k8s_contexts},
    route{verb::get, "/api/v1/kubernetes/namespaces", access::read, get_k8s_namespaces},
    route{verb::get, "/api/v1/kubernetes/find", access::read, get_k8s_find},
    route{verb::get, "/api/v1/kubernetes/services", access::read, get_k8s_services},
    route{verb::get, "/api/v1/kubernetes/services/:ns/:name", access::read, get_k8s_service},
    route{verb::get, "/api/v1/kubernetes/ports/:ns/:svc", access::read, get_k8s_ports},
    route{verb::get, "/api/v1/kubernetes/endpoints/:ns/:svc", access::read, get_k8s_endpoints},
    route{verb::get, "/api/v1/kubernetes/events/:ns", access::read, get_k8s_events},
    route{verb::get, "/api/v1/kubernetes/pods/:ns", access::read, get_k8s_pods},
    route{verb::get, "/api/v1/kubernetes/pods/:ns/:pod", access::read, get_k8s_pod},
    route{verb::get, "/api/v1/kubernetes/pods/:ns/:pod/logs", access::read, get_k8s_pod_logs},
};

/// The variables of `pattern` when the segments fit it.
std::optional<std::vector<std::string>> fit(std::string_view pattern, const std::vector<std::string>& segments)
{
    const auto wanted = pattern == "/" ? std::vector<std::string>{} : split(pattern.substr(1), '/');
    if (wanted.size() != segments.size()) return std::nullopt;
    std::vector<std::string> variables;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i].starts_with(':') && !segments[i].empty())
            variables.push_back(segments[i]);
        else if (wanted[i] != segments[i])
            return std::nullopt;
    }
    return variables;
}

} // namespace

std::span<const route> routes()
{
    return table;
}

route_match match(std::string_view method, const std::vector<std::string>& segments)
{
    route_match made;
    for (const auto& one : table) {
        auto variables = fit(one.pattern, segments);
        if (!variables) continue;
        made.allow += (made.allow.empty() ? "" : ", ") + std::string{name_of(one.method)} + (one.method == verb::get ? ", HEAD" : "");
        if (method == name_of(one.method) || (method == "HEAD" && one.method == verb::get)) {
            made.found = &one;
            made.variables = std::move(*variables);
        }
    }
    return made;
}

std::string api_request::client() const
{
    return printable(message.fields.get("Fwd-Client").substr(0, 200));
}

} // namespace fwd::api
