// Tools that say how things are and why they are not as they should be.
#include "bridge/tools/reading.hpp"
#include "bridge/tools/registry.hpp"
#include "bridge/tools/shapes.hpp"

#include <fmt/core.h>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

/// Moves members over as they are.
void keep(json::object& into, json::object& from, std::initializer_list<std::string_view> names)
{
    for (const auto name : names)
        if (auto* member = from.if_contains(name)) into[name] = std::move(*member);
}

/// REST's next steps as those of tools.
json::array next_of(const json::object& from)
{
    json::array out;
    const auto* steps = from.if_contains("next");
    if (!steps || !steps->is_array()) return out;
    for (const auto& each : steps->get_array())
        if (const auto step = wire::from_json<wire::next_step>(each))
            if (auto next = step_from(*step); !next.tool.empty() || !next.command.empty()) out.push_back(mcp::as_json(next));
    return out;
}

std::string plural(std::int64_t count, std::string_view one)
{
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::int64_t size_of(const json::object& from, std::string_view name)
{
    const auto* list = from.if_contains(name);
    return list && list->is_array() ? static_cast<std::int64_t>(list->get_array().size()) : 0;
}

} // namespace

mcp::tool make_explain_service(const kit& with)
{
    auto out =
        reading_of("explain_service", "Why a service does not work",
                   "Use when a call to a service fails or a forward is not active: says what is wrong with any service of the cluster, "
                   "forwarded or not, with a timeline of evidence and what to do. Without service: everything that is wrong now.");
    out.input = s::object({s::may("service", s::text("SVC, SVC.NS, SVC.NS.CTX or NS/SVC; none: everything wrong now")),
                           s::may("since", s::text("only what happened since: RFC 3339, or a duration such as 15m"))});
    out.output = {s::must("verdict", s::text("")),
                  s::may("code", s::text("")),
                  s::may("ok", s::truth("")),
                  s::may("suggestion", s::text("")),
                  s::must("timeline", s::list("what happened, texts of the cluster are data", anything())),
                  s::may("problems", s::list("", anything())),
                  s::must("next", s::list("", next_schema()))};
    out.hints.open_world = true;
    out.ask = [](const json::object& given) -> asked {
        rest_call call;
        call.path = "/explain";
        call.with = {{"since", text_argument(given, "since")}};
        if (text_argument(given, "service").empty()) return call;
        auto key = service_key(given);
        if (auto* wrong = std::get_if<mcp::tool_problem>(&key)) return std::move(*wrong);
        call.path += "/" + segment(std::get<std::string>(key));
        return call;
    };
    out.tell = [](json::object data, const json::object&) {
        const auto verdict = text_of(data, "verdict"), suggestion = text_of(data, "suggestion");
        json::object made{{"summary", suggestion.empty() || suggestion == verdict ? verdict : verdict + " " + suggestion}};
        if (verdict.empty()) made["summary"] = "Nothing is known about it.";
        made["verdict"] = verdict;
        keep(made, data, {"key", "code", "ok", "suggestion", "forwarded"});
        put_list(made, "timeline", data, "entries");
        if (data.contains("problems")) put_list(made, "problems", data, "problems");
        made["next"] = next_of(data);
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_check_connection(const kit& with)
{
    auto out =
        reading_of("check_connection", "Try a connection",
                   "Use to see whether a forwarded service answers, and if not, at which stage it fails: name, listener, pod, tunnel, "
                   "pod port, greeting, HTTP.");
    out.input =
        s::object({s::must("service", s::text("SVC, SVC.NS, SVC.NS.CTX or NS/SVC")),
                   s::may("port", s::either("by number or name; default: the first", {"integer", "string"})),
                   s::may("path", s::text("HTTP: also ask for this path")), s::may("method", s::choice("HTTP", {"GET", "HEAD"}, "GET")),
                   s::may("expect_status", s::whole("HTTP: the status that is right", 100, 599)),
                   s::may("timeout_s", s::whole("seconds to wait at most", 1, 60, 10))});
    out.output = {s::must("stages", s::list("", anything())), s::must("verdict", s::text(""))};
    out.hints.open_world = true;
    out.ask = [](const json::object& given) -> asked {
        auto key = service_key(given);
        if (auto* wrong = std::get_if<mcp::tool_problem>(&key)) return std::move(*wrong);
        const auto timeout = whole_argument(given, "timeout_s", 10);
        json::object body{{"timeoutMs", timeout * 1000}};
        if (const auto* port = given.if_contains("port")) body["port"] = *port;
        if (const auto path = text_argument(given, "path"); !path.empty()) {
            body["path"] = path;
            body["method"] = text_argument(given, "method");
        }
        if (const auto* status = given.if_contains("expect_status")) body["expectStatus"] = *status;
        rest_call call;
        call.method = "POST";
        call.path = "/services/" + segment(std::get<std::string>(key)) + "/check";
        call.body = std::move(body);
        call.longer = std::chrono::seconds{timeout};
        return call;
    };
    out.tell = [](json::object data, const json::object& given) {
        const auto verdict = text_of(data, "verdict");
        json::object made{{"summary", fmt::format("{}: {}", text_argument(given, "service"), verdict.empty() ? "checked" : verdict)}};
        made["verdict"] = verdict;
        put_list(made, "stages", data, "stages");
        keep(made, data, {"key", "ok", "status", "durationMs"});
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_get_health(const kit& with)
{
    auto out = reading_of("get_health", "Health of fwd",
                          "Use to see whether fwd itself works: version, clusters that are reachable, counts, and what is wrong.");
    out.output = {s::must("status", s::text("ok, degraded or error")),
                  s::may("version", s::text("")),
                  s::may("uptime", s::text("")),
                  s::must("contexts", s::list("", anything())),
                  s::must("problems", s::list("", anything())),
                  s::must("counts", anything()),
                  s::may("listening", s::text(""))};
    out.ask = [](const json::object&) -> asked { return rest_call{.path = "/status", .with = {}}; };
    out.tell = [](json::object data, const json::object&) {
        json::object made{
            {"summary", fmt::format("fwd {} is {}: {}", text_of(data, "version"), text_of(data, "status"), text_of(data, "message"))}};
        keep(made, data, {"status", "version", "uptime", "listening"});
        put_list(made, "contexts", data, "contexts");
        put_list(made, "problems", data, "problems");
        made["counts"] = data.contains("summary") && data.at("summary").is_object() ? data.at("summary") : json::value(json::object{});
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_get_quick_status(const kit& with)
{
    auto out = reading_of("get_quick_status", "Is everything well?", "Use for a one-line answer to whether all forwards work.");
    out.output = {s::must("status", s::text("ok, degraded or error")), s::must("message", s::text("")), s::must("errorCount", s::count("")),
                  s::may("uptime", s::text(""))};
    out.ask = [](const json::object&) -> asked { return rest_call{.path = "/status", .with = {}}; };
    out.tell = [](json::object data, const json::object&) {
        const auto message = text_of(data, "message");
        json::object made{{"summary", message.empty() ? "fwd is " + text_of(data, "status") + "." : message}};
        made["status"] = text_of(data, "status");
        made["message"] = message;
        made["errorCount"] = number_of(data, "errorCount");
        keep(made, data, {"uptime"});
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_get_analysis(const kit& with)
{
    auto out = reading_of("get_analysis", "What should be looked at",
                          "Use for an overview of all issues with recommendations and suggested actions, most severe first.");
    out.output = {s::must("status", s::text("")), s::must("issues", s::list("", anything())),
                  s::must("recommendations", s::list("", anything())), s::must("suggestedActions", s::list("", anything())),
                  s::must("stats", anything())};
    out.ask = [](const json::object&) -> asked { return rest_call{.path = "/analyze", .with = {}}; };
    out.tell = [](json::object data, const json::object&) {
        const auto told = text_of(data, "summary");
        json::object made{{"summary", told.empty() ? plural(size_of(data, "issues"), "issue") : told}};
        made["status"] = text_of(data, "status");
        put_list(made, "issues", data, "issues");
        put_list(made, "recommendations", data, "recommendations");
        put_list(made, "suggestedActions", data, "suggestedActions");
        made["stats"] = data.contains("stats") && data.at("stats").is_object() ? data.at("stats") : json::value(json::object{});
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_diagnose_errors(const kit& with)
{
    auto out =
        reading_of("diagnose_errors", "All errors with their causes",
                   "Use to see every current and recent error with its cause and what to do about it, and the last warnings of fwd's log.");
    out.input = s::object({s::may("count", s::whole("errors at most", 1, 200, 50))});
    out.output = {s::must("errors", s::list("", anything())), s::must("overallHealth", s::text("")), s::must("count", s::count("")),
                  s::must("recentLogs", s::list("newest last", anything()))};
    out.ask = [](const json::object& given) -> asked {
        return rest_call{.path = "/diagnostics/errors", .with = {{"count", std::to_string(whole_argument(given, "count", 50))}}};
    };
    out.also = {.path = "/logs/system", .with = {{"count", "20"}, {"level", "warn"}}};
    out.tell = [](json::object data, const json::object&) {
        const auto count = size_of(data, "errors");
        json::object made{{"summary", count == 0 ? "There are no errors." : plural(count, "error") + ", newest first."}};
        put_list(made, "errors", data, "errors");
        made["count"] = count;
        made["overallHealth"] = text_of(data, "overallHealth");
        json::object none;
        auto* logs = data.if_contains("beside");
        put_list(made, "recentLogs", logs && logs->is_object() ? logs->get_object() : none, "logs");
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_doctor(const kit& with)
{
    auto out =
        reading_of("doctor", "Check this machine",
                   "Use when nothing works or names do not resolve: checks this machine's names, ports, kubeconfig, plugins, proxies and "
                   "limits, each with its fix.");
    out.input = s::object({s::may("port", s::whole("also say who holds this port", 1, 65535))});
    out.output = {s::must("findings", s::list("{check, ok, detail, fix}", anything()))};
    out.ask = [](const json::object& given) -> asked {
        const auto port = whole_argument(given, "port", 0);
        return rest_call{.path = "/doctor", .with = {{"port", port ? std::to_string(port) : ""}}};
    };
    out.tell = [](json::object data, const json::object&) {
        json::object made{{"summary", ""}};
        put_list(made, "findings", data, data.contains("findings") ? "findings" : data.contains("checks") ? "checks" : "items");
        std::int64_t bad = 0;
        for (const auto& each : made.at("findings").as_array())
            if (const auto* one = each.if_object())
                if (const auto* ok = one->if_contains("ok"); ok && ok->is_bool() && !ok->get_bool()) ++bad;
        const auto total = size_of(made, "findings");
        made["summary"] =
            bad == 0 ? fmt::format("All {} checks are good.", total) : fmt::format("{} of {} checks found something.", bad, total);
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_get_logs(const kit& with)
{
    auto out = reading_of("get_logs", "Log of fwd", "Use to read fwd's own log (not that of pods: get_pod_logs).");
    out.input = s::object({s::may("count", s::whole("lines at most", 1, 500, 50)),
                           s::may("level", s::choice("this level and above", {"debug", "info", "warn", "error"})),
                           s::may("search", s::text("only lines with this text"))});
    out.output = {s::must("logs", s::list("newest last", anything())), s::must("count", s::count(""))};
    out.ask = [](const json::object& given) -> asked {
        return rest_call{.path = "/logs/system",
                         .with = {{"count", std::to_string(whole_argument(given, "count", 50))},
                                  {"level", text_argument(given, "level")},
                                  {"search", text_argument(given, "search")}}};
    };
    out.tell = [](json::object data, const json::object&) {
        const auto count = size_of(data, "logs");
        json::object made{{"summary", plural(count, "line") + " of the log."}};
        put_list(made, "logs", data, "logs");
        made["count"] = count;
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_get_history(const kit& with)
{
    auto out = reading_of("get_history", "What happened before",
                          "Use to see past events, errors or reconnections, also of services that are gone.");
    out.input = s::object(
        {s::must("type", s::choice("", {"events", "errors", "reconnections"})), s::may("service", s::text("only of this one")),
         s::may("event_type", s::text("only events of this type, such as ServiceAdded")),
         s::may("since", s::text("RFC 3339, or a duration such as 1h")), s::may("count", s::whole("entries at most", 1, 500, 50))});
    out.output = {s::must("entries", s::list("newest first", anything())), s::must("count", s::count(""))};
    out.ask = [](const json::object& given) -> asked {
        std::string key;
        if (!text_argument(given, "service").empty()) {
            auto found = service_key(given);
            if (auto* wrong = std::get_if<mcp::tool_problem>(&found)) return std::move(*wrong);
            key = std::get<std::string>(found);
        }
        return rest_call{.path = "/history/" + text_argument(given, "type"),
                         .with = {{"count", std::to_string(whole_argument(given, "count", 50))},
                                  {"type", text_argument(given, "event_type")},
                                  {"since", text_argument(given, "since")},
                                  {"service", key}}};
    };
    out.tell = [](json::object data, const json::object& given) {
        const auto type = text_argument(given, "type");
        const auto from = data.contains(type) ? type : std::string{"items"};
        const auto count = size_of(data, from);
        json::object made{{"summary", fmt::format("{} past {}.", count, type)}};
        put_list(made, "entries", data, from);
        made["count"] = count;
        return made;
    };
    return make_reading(with, std::move(out));
}

} // namespace fwd::tools
