#include "bridge/tools/kit.hpp"

#include "common/net/http_message.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::tools {

namespace {

std::string text_in(const json::value& object, std::string_view name)
{
    if (!object.is_object()) return {};
    const auto* member = object.get_object().if_contains(name);
    return member && member->is_string() ? std::string{member->get_string()} : std::string{};
}

void put(json::object& into, std::string_view name, const std::string& value)
{
    if (!value.empty()) into[name] = value;
}

} // namespace

mcp::next_call step_from(const wire::next_step& step)
{
    mcp::next_call out{.tool = {}, .arguments = {}, .command = step.command, .why = step.why};
    const auto target = parse_target(step.path);
    if (step.path.empty() || !target) return out;
    auto parts = target->segments;
    if (parts.size() >= 2 && parts[0] == "api" && parts[1] == "v1") parts.erase(parts.begin(), parts.begin() + 2);
    if (parts.empty()) return out;
    const auto& noun = parts.front();
    const auto query = [&](std::string_view name) { return target->parameter(name).value_or(""); };

    if (noun == "services" && parts.size() == 1 && step.method == "POST") {
        out.tool = "add_service";
        put(out.arguments, "service", text_in(step.body, "serviceName"));
        put(out.arguments, "namespace", text_in(step.body, "namespace"));
        put(out.arguments, "context", text_in(step.body, "context"));
    } else if (noun == "namespaces" && parts.size() == 1 && step.method == "POST") {
        out.tool = "add_namespace";
        put(out.arguments, "namespace", text_in(step.body, "namespace"));
        put(out.arguments, "context", text_in(step.body, "context"));
    } else if (noun == "services" && parts.size() == 1) {
        out.tool = "list_services";
        put(out.arguments, "namespace", query("namespace"));
        put(out.arguments, "search", query("search"));
    } else if (noun == "services" && parts.size() == 2 && step.method == "DELETE") {
        out.tool = "remove_service";
        out.arguments["service"] = parts[1];
    } else if (noun == "services" && parts.size() == 2 && parts[1] != "reconnect") {
        out.tool = "get_service";
        out.arguments["service"] = parts[1];
    } else if (noun == "services" && parts.size() == 3 && parts[2] == "env") {
        out.tool = "get_connection_info";
        out.arguments["service"] = parts[1];
    } else if (noun == "kubernetes" && parts.size() == 2 && parts[1] == "services") {
        out.tool = "list_k8s_services";
        put(out.arguments, "namespace", query("namespace"));
        put(out.arguments, "context", query("context"));
    } else if (noun == "kubernetes" && parts.size() == 2 && (parts[1] == "contexts" || parts[1] == "namespaces")) {
        out.tool = parts[1] == "contexts" ? "list_contexts" : "list_k8s_namespaces";
        if (parts[1] == "namespaces") put(out.arguments, "context", query("context"));
    } else if (noun == "kubernetes" && parts.size() == 2 && parts[1] == "find") {
        out.tool = "find_services";
        put(out.arguments, "query", query("query"));
    } else if (noun == "kubernetes" && parts.size() >= 3 && parts[1] == "pods") {
        out.tool = parts.size() == 3 ? "list_pods" : parts.size() == 4 ? "get_pod" : "get_pod_logs";
        out.arguments["namespace"] = parts[2];
        if (parts.size() > 3) out.arguments["pod"] = parts[3];
        put(out.arguments, "context", query("context"));
        if (parts.size() > 4 && query("previous") == "true") out.arguments["previous"] = true;
    } else if (noun == "kubernetes" && parts.size() == 3 && parts[1] == "events") {
        out.tool = "get_events";
        out.arguments["namespace"] = parts[2];
        put(out.arguments, "kind", query("resource_kind"));
        put(out.arguments, "name", query("resource_name"));
        put(out.arguments, "context", query("context"));
    } else if (noun == "kubernetes" && parts.size() == 4 && (parts[1] == "endpoints" || parts[1] == "ports")) {
        out.tool = parts[1] == "endpoints" ? "get_endpoints" : "list_ports";
        out.arguments["namespace"] = parts[2];
        out.arguments["service"] = parts[3];
        put(out.arguments, "context", query("context"));
    } else if (noun == "explain") {
        out.tool = "explain_service";
        if (parts.size() > 1) out.arguments["service"] = parts[1];
    } else if (noun == "services" && parts.size() == 2 && parts[1] == "reconnect") {
        out.tool = "reconnect_all_errors";
    } else if (noun == "services" && parts.size() == 3 && (parts[2] == "reconnect" || parts[2] == "sync" || parts[2] == "check")) {
        out.tool = parts[2] == "reconnect" ? "reconnect_service" : parts[2] == "sync" ? "sync_service" : "check_connection";
        out.arguments["service"] = parts[1];
    } else if (noun == "namespaces" && parts.size() == 2 && step.method == "DELETE") {
        out.tool = "remove_namespace";
        out.arguments["namespace"] = parts[1].substr(0, parts[1].find('.'));
    } else if (noun == "doctor") {
        out.tool = "doctor";
        if (const auto port = to_number<std::int64_t>(query("port"))) out.arguments["port"] = *port;
    } else if (noun == "diagnostics" || noun == "analyze") {
        out.tool = noun == "analyze" ? "get_analysis" : "diagnose_errors";
    } else if (noun == "logs") {
        out.tool = "get_logs";
    } else if (noun == "status" || noun == "info") {
        out.tool = "get_health";
    }
    return out;
}

bridge::rest_client kit::rest_for(const mcp::tool_call& call) const
{
    const auto name = call.client();
    return rest.in_the_name_of(fmt::format("{}; {}", name.empty() ? "mcp" : name, session));
}

mcp::tool_problem problem_from(const bridge::rest_problem& why)
{
    const auto command = [](std::string text, std::string reason) {
        return mcp::next_call{.tool = {}, .arguments = {}, .command = std::move(text), .why = std::move(reason)};
    };
    mcp::tool_problem out{.code = why.code, .message = why.message, .cause = why.cause, .evidence = why.evidence, .next = {}, .more = {}};
    for (const auto& step : why.next)
        if (auto next = step_from(step); !next.tool.empty() || !next.command.empty()) out.next.push_back(std::move(next));
    if (why.status == 0 && why.is(errc::timed_out)) {
        out.next.push_back(command("fwd status", "tells whether the daemon answers anything"));
        out.next.push_back(command("fwd stop --force", "ends it; its forwards end with it, fwd start begins anew"));
    }
    return out;
}

mcp::tool_problem invalid_arguments(std::string message)
{
    return {.code = "invalid_arguments", .message = std::move(message), .cause = {}, .evidence = {}, .next = {}, .more = {}};
}

mcp::next_call call_of(std::string tool, json::object arguments, std::string why)
{
    return {.tool = std::move(tool), .arguments = std::move(arguments), .command = {}, .why = std::move(why)};
}

std::string cursor_at(std::int64_t offset)
{
    return fmt::format("at-{}", offset);
}

result<std::int64_t> read_cursor(const json::object& arguments)
{
    const auto text = text_argument(arguments, "cursor");
    if (text.empty()) return 0;
    const auto offset = text.starts_with("at-") ? to_number<std::int64_t>(std::string_view{text}.substr(3)) : std::nullopt;
    if (!offset || *offset < 0) return error{errc::invalid_request, "argument 'cursor' is none that was given out"};
    return *offset;
}

std::string text_argument(const json::object& arguments, std::string_view name)
{
    const auto* given = arguments.if_contains(name);
    return given && given->is_string() ? std::string{given->get_string()} : std::string{};
}

std::vector<std::string> texts_argument(const json::object& arguments, std::string_view name)
{
    std::vector<std::string> out;
    if (const auto* given = arguments.if_contains(name); given && given->is_array())
        for (const auto& each : given->get_array())
            if (each.is_string()) out.emplace_back(each.get_string());
    return out;
}

std::int64_t whole_argument(const json::object& arguments, std::string_view name, std::int64_t other)
{
    const auto* given = arguments.if_contains(name);
    return given && given->is_number() ? given->to_number<std::int64_t>() : other;
}

json::array json_texts(const std::vector<std::string>& texts)
{
    json::array out;
    for (const auto& each : texts) out.push_back(json::value(each));
    return out;
}

} // namespace fwd::tools
