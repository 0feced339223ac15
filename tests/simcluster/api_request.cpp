#include "tests/simcluster/api_request.hpp"

#include "common/text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::simcluster {

namespace {

std::string verb_of(const api_request& request)
{
    const auto& method = request.http.method;
    const bool named = !request.question.name.empty();
    if (method == "GET" || method == "HEAD") {
        if (!request.question.subresource.empty()) return "get";
        if (request.watch) return "watch";
        return named ? "get" : "list";
    }
    if (method == "POST") return "create";
    if (method == "PUT") return "update";
    if (method == "PATCH") return "patch";
    if (method == "DELETE") return named ? "delete" : "deletecollection";
    return lower(method);
}

void place(api_request& request, std::vector<std::string> parts, std::string group)
{
    auto& asked = request.question;
    asked.group = std::move(group);
    std::size_t at = 0;
    if (parts.size() >= 3 && parts[0] == "namespaces") {
        asked.namespace_name = parts[1];
        request.path_class += "/namespaces/{namespace}";
        at = 2;
    }
    asked.resource = parts[at];
    request.path_class += "/" + parts[at];
    if (parts.size() > at + 1) {
        asked.name = parts[at + 1];
        request.path_class += "/{name}";
    }
    if (parts.size() > at + 2) {
        asked.subresource = parts[at + 2];
        request.path_class += "/" + parts[at + 2];
    }
    // A namespace's own rights are looked up in itself.
    if (asked.resource == "namespaces" && !asked.name.empty()) asked.namespace_name = asked.name;
    request.type = find_type(asked.group, asked.resource);
}

std::string transport_of(const http_request& request)
{
    if (request.fields.lists("Upgrade", "websocket")) {
        const auto offered = request.fields.get("Sec-WebSocket-Protocol");
        return offered.find("SPDY/3.1+") != std::string_view::npos ? "websocket" : "legacy";
    }
    if (request.fields.lists("Upgrade", "SPDY/3.1")) return "spdy";
    return {};
}

} // namespace

bool api_request::truth(std::string_view name) const
{
    const auto value = target.parameter(name);
    return value && (value->empty() || *value == "true" || *value == "1");
}

result<api_request> understand(http_request http)
{
    auto target = parse_target(http.target);
    if (!target) return target.error();
    api_request request;
    request.http = std::move(http);
    request.target = std::move(*target);
    auto parts = request.target.segments;
    for (auto& part : parts)
        if (auto plain = percent_decode(part)) part = *plain;
    while (!parts.empty() && parts.back().empty()) parts.pop_back();
    request.watch = request.truth("watch");
    request.transport = transport_of(request.http);
    if (parts.size() >= 3 && parts[0] == "api") {
        request.path_class = "/api/" + parts[1];
        place(request, {parts.begin() + 2, parts.end()}, "");
    } else if (parts.size() >= 4 && parts[0] == "apis") {
        request.path_class = "/apis/" + parts[1] + "/" + parts[2];
        place(request, {parts.begin() + 3, parts.end()}, parts[1]);
    } else {
        request.path_class = request.target.path;
        request.question.resource = join(parts, "/");
    }
    request.question.verb = request.type ? verb_of(request) : "get";
    return request;
}

std::string_view reason_of(unsigned code)
{
    switch (code) {
    case 400: return "BadRequest";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "NotFound";
    case 405: return "MethodNotAllowed";
    case 409: return "Conflict";
    case 410: return "Expired";
    case 422: return "Invalid";
    case 429: return "TooManyRequests";
    case 500: return "InternalError";
    case 503: return "ServiceUnavailable";
    case 504: return "Timeout";
    default: return "";
    }
}

std::string status_body(unsigned code, std::string_view reason, std::string_view message, const access_question* about,
                        std::optional<int> retry_after)
{
    json::object details;
    if (about && !about->resource.empty()) {
        if (!about->name.empty()) details["name"] = about->name;
        if (!about->group.empty()) details["group"] = about->group;
        details["kind"] = about->resource;
    }
    if (retry_after) details["retryAfterSeconds"] = *retry_after;
    json::object status{
        {"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", json::object{}}, {"status", "Failure"}, {"message", message}};
    if (!reason.empty()) status["reason"] = reason;
    if (!details.empty()) status["details"] = details;
    status["code"] = code;
    return json::serialize(status);
}

std::string forbidden_message(const access_question& question)
{
    const auto resource = question.group.empty() ? question.target() : question.target() + "." + question.group;
    const auto what = question.name.empty() ? question.resource : fmt::format("{} \"{}\"", question.resource, question.name);
    const auto where = question.namespace_name.empty() ? std::string{"at the cluster scope"}
                                                       : fmt::format("in the namespace \"{}\"", question.namespace_name);
    return fmt::format("{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {}", what, question.user, question.verb,
                       question.target(), question.group, where);
}

} // namespace fwd::simcluster
