#include "bridge/mcp/http_rules.hpp"

#include "bridge/mcp/protocol.hpp"
#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace fwd::mcp {

namespace {

constexpr std::string_view version_header = "MCP-Protocol-Version";
constexpr std::string_view version_key = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view capabilities_key = "io.modelcontextprotocol/clientCapabilities";

bool is_ours(std::string_view name, const std::vector<std::string>& more)
{
    if (iequals(name, "localhost") || name == "127.0.0.1" || name == "[::1]") return true;
    return std::any_of(more.begin(), more.end(), [&](const std::string& each) { return iequals(each, name); });
}

/// Name and port of "name:port", where a port is given.
std::pair<std::string_view, std::optional<std::uint16_t>> parts_of(std::string_view authority)
{
    const auto colon = authority.rfind(':');
    if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos) return {authority, std::nullopt};
    return {authority.substr(0, colon), to_number<std::uint16_t>(authority.substr(colon + 1)).value_or(0)};
}

bool good_host(std::string_view host, const http_guard& guard)
{
    const auto [name, port] = parts_of(host);
    return is_ours(name, guard.host_names) && port.value_or(80) == guard.port;
}

bool good_origin(std::string_view origin, const http_guard& guard)
{
    const auto scheme = origin.find("://");
    return scheme != std::string_view::npos && is_ours(parts_of(origin.substr(scheme + 3)).first, guard.host_names);
}

/// In a time that does not depend on where they differ.
bool same_secret(std::string_view given, std::string_view right)
{
    if (right.empty() || given.size() != right.size()) return false;
    unsigned char differs = 0;
    for (std::size_t i = 0; i < given.size(); ++i) differs |= static_cast<unsigned char>(given[i] ^ right[i]);
    return differs == 0;
}

bool good_token(const http_request& request, const http_guard& guard)
{
    if (!guard.token) return true;
    const auto given = request.fields.get("Authorization");
    return given.size() > 7 && iequals(given.substr(0, 7), "Bearer ") && same_secret(trim(given.substr(7)), guard.token());
}

bool accepts(const http_request& request, std::string_view type)
{
    const auto accept = request.fields.get("Accept");
    for (const auto& each : split(accept, ',')) {
        const auto what = trim(std::string_view{each}.substr(0, each.find(';')));
        const auto family = std::string{type.substr(0, type.find('/'))} + "/*";
        if (iequals(what, type) || what == "*/*" || iequals(what, family)) return true;
    }
    return false;
}

http_response refusal(unsigned status, std::string why)
{
    return error_response(status, {}, {rpc_code::invalid_request, std::move(why), nullptr});
}

/// One value of a header, or nothing where it is missing or stands several times.
std::optional<std::string_view> only(const http_request& request, std::string_view name)
{
    std::optional<std::string_view> found;
    for (const auto& [key, value] : request.fields) {
        if (!iequals(key, name)) continue;
        if (found) return std::nullopt;
        found = trim(value);
    }
    return found;
}

header_problem mismatch(std::string why)
{
    return {400, {rpc_code::header_mismatch, std::move(why), nullptr}};
}

header_problem malformed(std::string why)
{
    return {400, {rpc_code::invalid_params, std::move(why), nullptr}};
}

const json::object* object_in(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_object() ? &member->get_object() : nullptr;
}

/// Where the name that Mcp-Name repeats stands; empty: nowhere.
std::string_view name_source(std::string_view method)
{
    if (method == "tools/call" || method == "prompts/get") return "name";
    if (method == "resources/read") return "uri";
    return {};
}

bool same_value(const json::value& argument, const std::string& header)
{
    if (argument.is_string()) return header == std::string_view{argument.get_string()};
    if (argument.is_bool()) return header == (argument.get_bool() ? "true" : "false");
    if (!argument.is_number()) return false;
    const auto number = to_number<double>(header);
    return number && *number == argument.to_number<double>();
}

std::optional<header_problem> check_parameters(const http_request& request, const json::object& params, const json::object& input)
{
    const auto* properties = object_in(input, "properties");
    if (!properties) return {};
    static const json::object none;
    const auto* given = object_in(params, "arguments");
    const auto& arguments = given ? *given : none;
    for (const auto& [name, what] : *properties) {
        const auto* as = what.is_object() ? what.get_object().if_contains("x-mcp-header") : nullptr;
        if (!as || !as->is_string()) continue;
        const auto header = "Mcp-Param-" + std::string{as->get_string()};
        const auto value = only(request, header);
        const auto* argument = arguments.if_contains(name);
        if (!argument || argument->is_null()) {
            if (request.fields.has(header))
                return mismatch(fmt::format("{} is there, but not the argument '{}'", header, std::string_view{name}));
            continue;
        }
        const auto text = value ? header_text(*value) : std::nullopt;
        if (!text || !same_value(*argument, *text))
            return mismatch(fmt::format("{} must repeat the argument '{}'", header, std::string_view{name}));
    }
    return {};
}

} // namespace

http_response error_response(unsigned status, const std::optional<json::value>& id, const rpc_error& why)
{
    http_response out;
    out.status = status;
    out.fields.add("Content-Type", "application/json");
    out.body = json::serialize(reply_error(id, why));
    return out;
}

std::optional<http_response> refuse(const http_request& request, const http_guard& guard)
{
    if (!good_host(request.fields.get("Host"), guard))
        return refusal(403, fmt::format("Host must be localhost, 127.0.0.1 or [::1] with port {}", guard.port));
    if (request.fields.has("Origin") && !good_origin(request.fields.get("Origin"), guard))
        return refusal(403, "this Origin may not ask here");
    const auto path = std::string_view{request.target}.substr(0, request.target.find('?'));
    if (path == "/health" && (request.method == "GET" || request.method == "HEAD")) return std::nullopt;
    if (!good_token(request, guard)) {
        auto out = refusal(401, "the token of the fwd daemon is needed: Authorization: Bearer fwd_... (fwd token prints it)");
        out.fields.add("WWW-Authenticate", "Bearer");
        return out;
    }
    if (path != mcp_path) return refusal(404, "there is only /mcp here");
    if (request.method != "POST" && request.method != "GET" && request.method != "DELETE") {
        auto out = refusal(405, "POST, GET or DELETE");
        out.fields.add("Allow", "POST, GET, DELETE");
        return out;
    }
    if (request.method == "POST") {
        const auto type = request.fields.get("Content-Type");
        if (!iequals(trim(type.substr(0, type.find(';'))), "application/json"))
            return refusal(415, "Content-Type must be application/json");
        if (!accepts(request, "application/json") || !accepts(request, "text/event-stream"))
            return refusal(406, "Accept must name application/json and text/event-stream");
    }
    if (request.method == "GET" && !accepts(request, "text/event-stream")) return refusal(406, "Accept must name text/event-stream");
    return std::nullopt;
}

std::optional<std::string> header_text(std::string_view value)
{
    constexpr std::string_view begin = "=?base64?", end = "?=";
    if (!value.starts_with(begin) || !value.ends_with(end) || value.size() < begin.size() + end.size()) return std::string{value};
    const auto inner = value.substr(begin.size(), value.size() - begin.size() - end.size());
    auto text = from_base64(inner);
    // Exactly what an encoder writes: padded, nothing foreign, no bits left over.
    if (!text || base64(std::as_bytes(std::span{*text})) != inner) return std::nullopt;
    return text;
}

bool is_modern(const http_request& request, const rpc_message& message)
{
    const auto header = request.fields.get(version_header);
    if (!header.empty() && std::find(legacy_versions.begin(), legacy_versions.end(), trim(header)) == legacy_versions.end()) return true;
    if (const auto* asked = std::get_if<rpc_request>(&message)) return era_of(asked->method, asked->params) == era::modern;
    if (const auto* told = std::get_if<rpc_notification>(&message)) return era_of(told->method, told->params) == era::modern;
    return false;
}

std::optional<header_problem> check_modern(const http_request& request, std::string_view method, const json::object& params,
                                           const json::object* parameters)
{
    const auto header = only(request, version_header);
    if (!header) return mismatch("the header MCP-Protocol-Version must be there once");
    const auto* meta = object_in(params, "_meta");
    const auto* version = meta ? meta->if_contains(version_key) : nullptr;
    if (!version || !version->is_string()) return malformed(fmt::format("params._meta must have {}, a text", version_key));
    if (!object_in(*meta, capabilities_key)) return malformed(fmt::format("params._meta must have {}, an object", capabilities_key));
    if (*header != std::string_view{version->get_string()}) return mismatch("the header MCP-Protocol-Version and the body differ");
    // Only the version that there is has rules for the other headers.
    if (*header != modern_version) return std::nullopt;
    const auto named = only(request, "Mcp-Method");
    if (!named || *named != method) return mismatch(fmt::format("the header Mcp-Method must be '{}'", printable(method)));
    if (const auto source = name_source(method); !source.empty()) {
        const auto* right = params.if_contains(source);
        const auto value = only(request, "Mcp-Name");
        const auto text = value ? header_text(*value) : std::nullopt;
        if (!text || !right || !right->is_string() || *text != std::string_view{right->get_string()})
            return mismatch(fmt::format("the header Mcp-Name must repeat params.{}", source));
    }
    return parameters ? check_parameters(request, params, *parameters) : std::nullopt;
}

unsigned status_of(const json::object& answer)
{
    const auto* wrong = object_in(answer, "error");
    if (!wrong) return 200;
    switch (static_cast<rpc_code>(wrong->at("code").to_number<int>())) {
    case rpc_code::method_not_found: return 404;
    case rpc_code::parse_error:
    case rpc_code::invalid_request:
    case rpc_code::header_mismatch:
    case rpc_code::missing_client_capability:
    case rpc_code::unsupported_version: return 400;
    default: return 200;
    }
}

} // namespace fwd::mcp
