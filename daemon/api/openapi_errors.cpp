// How requests fail: what all have in common, and what each adds. A test provokes every one of these, and finds no other.
#include "daemon/api/openapi.hpp"

#include <algorithm>

namespace fwd::api {

namespace {

using errors = std::vector<error_doc>;

errors operator+(errors some, const errors& more)
{
    some.insert(some.end(), more.begin(), more.end());
    return some;
}

/// Before it is known what is asked.
const errors any_request = {{400, "invalid_request"}, {403, "forbidden_host"}, {403, "forbidden_origin"}, {403, "forbidden_user"},
                            {408, "timed_out"},       {413, "too_large"},      {431, "too_large"},        {503, "too_many_connections"}};
const errors key = {{404, "not_found"}, {409, "ambiguous"}};
/// A context that is not in the kubeconfig, or is but cannot be used.
const errors opening = {{400, "invalid_request"}, {404, "not_found"},  {422, "unsupported"}, {502, "credentials_failed"},
                        {502, "parse_error"},     {502, "tls_failed"}, {502, "too_large"},   {503, "unreachable"}};
/// What a cluster may answer with, or fail with.
const errors asking = opening + errors{{403, "forbidden"},    {410, "gone"},         {429, "too_many_requests"}, {502, "closed"},
                                       {502, "dns_failed"},   {502, "proxy_failed"}, {502, "protocol_error"},    {502, "refused"},
                                       {502, "unauthorized"}, {503, "unavailable"},  {504, "timed_out"}};
const errors adding = asking + errors{{503, "waiting_for_login"}};
const errors adding_one = adding + errors{{409, "conflict"}, {503, "addresses_exhausted"}};
const errors unplanned = {{409, "confirmation_required"}};
const errors no_history = {{503, "unavailable"}};

struct own_errors {
    verb method;
    std::string_view pattern; ///< of the route; with a * at the end of those that begin so
    errors are;
};

/// Besides those that follow from parameters, bodies and keys.
const std::vector<own_errors>& table()
{
    static const std::vector<own_errors> all = {
        {verb::post, "/api/v1/services", adding_one + unplanned},
        {verb::post, "/api/v1/namespaces", adding + unplanned},
        {verb::del, "/api/v1/services/:key", {{504, "timed_out"}}},
        {verb::del, "/api/v1/namespaces/:key", {{504, "timed_out"}}},
        {verb::post, "/api/v1/services/:key/sync", asking},
        {verb::put, "/api/v1/primary", asking},
        {verb::post, "/api/v1/token/rotate", {{500, "internal_error"}}},
        {verb::post, "/api/v1/plans", key},
        {verb::post, "/api/v1/plans/:id/apply",
         adding_one + key + errors{{403, "forbidden"}, {409, "plan_mismatch"}, {410, "gone"}, {504, "timed_out"}}},
        {verb::get, "/api/v1/explain/:any", opening + errors{{409, "ambiguous"}}},
        {verb::get, "/api/v1/diagnostics/services/:key", opening},
        {verb::get, "/api/v1/history/*", no_history},
        {verb::get, "/api/v1/services/:key/history/*", no_history},
        {verb::get, "/api/v1/kubernetes/namespaces", asking},
        {verb::get, "/api/v1/kubernetes/find", opening},
        {verb::get, "/api/v1/kubernetes/services*", asking},
        {verb::get, "/api/v1/kubernetes/ports/*", asking},
        {verb::get, "/api/v1/kubernetes/endpoints/*", asking},
        {verb::get, "/api/v1/kubernetes/events/*", asking},
        {verb::get, "/api/v1/kubernetes/pods/*", asking},
    };
    return all;
}

bool is_for(const own_errors& one, const route_doc& of)
{
    if (one.method != of.method) return false;
    if (!one.pattern.ends_with('*')) return one.pattern == of.pattern;
    return of.pattern.starts_with(one.pattern.substr(0, one.pattern.size() - 1));
}

} // namespace

std::vector<error_doc> errors_of(const route_doc& of, access right)
{
    auto all = any_request;
    if (right != access::open) all.push_back({401, "unauthorized"});
    if (!of.body.name.empty()) all.push_back({415, "unsupported_media_type"});
    if (of.pattern.find(":key") != std::string_view::npos) all = all + key;
    const auto names_service = [](const parameter_doc& one) { return one.name == "service"; };
    if (of.pattern.starts_with("/api/v1/history/") && std::any_of(of.parameters.begin(), of.parameters.end(), names_service))
        all.push_back({409, "ambiguous"});
    for (const auto& one : table())
        if (is_for(one, of)) all = all + one.are;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

} // namespace fwd::api
