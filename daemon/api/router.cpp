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
    route{verb::get, "/api/health", access::open, get_health},
    route{verb::get, "/api/v1/info", access::read, get_info},
    route{verb::get, "/api/v1/status", access::read, get_status},
    route{verb::post, "/api/v1/shutdown", access::write, post_shutdown},
    route{verb::post, "/api/v1/token/rotate", access::write, post_token_rotate},
    route{verb::get, "/api/v1/services", access::read, get_services},
    route{verb::post, "/api/v1/services", access::write, post_service},
    route{verb::get, "/api/v1/services/:key", access::read, get_service},
    route{verb::del, "/api/v1/services/:key", access::write, delete_service},
    route{verb::get, "/api/v1/services/:key/env", access::read, get_service_env},
    route{verb::get, "/api/v1/forwards", access::read, get_forwards},
    route{verb::get, "/api/v1/forwards/:key", access::read, get_forward},
    route{verb::get, "/api/v1/namespaces", access::read, get_namespaces},
    route{verb::post, "/api/v1/namespaces", access::write, post_namespace},
    route{verb::get, "/api/v1/namespaces/:key", access::read, get_namespace},
    route{verb::del, "/api/v1/namespaces/:key", access::write, delete_namespace},
    route{verb::get, "/api/v1/events", access::read, get_events},
    route{verb::get, "/api/v1/kubernetes/contexts", access::read, get_k8s_contexts},
    route{verb::get, "/api/v1/kubernetes/namespaces", access::read, get_k8s_namespaces},
    route{verb::get, "/api/v1/kubernetes/services", access::read, get_k8s_services},
};

/// The variables of `pattern` when the segments fit it.
std::optional<std::vector<std::string>> fit(std::string_view pattern, const std::vector<std::string>& segments)
{
    const auto wanted = split(pattern.substr(1), '/');
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
