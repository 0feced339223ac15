// Tools that make a service reachable, and tell how to connect to it.
#include "bridge/mcp/schema.hpp"
#include "bridge/service_words.hpp"
#include "bridge/tools/find.hpp"
#include "bridge/tools/planning.hpp"
#include "bridge/tools/registry.hpp"
#include "bridge/tools/shapes.hpp"
#include "bridge/while_running.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

constexpr auto progress_step = 1s;
constexpr std::size_t most_candidates = 20;

mcp::tool_problem ambiguous(const std::vector<wire::found_service>& matches, const std::string& query)
{
    mcp::tool_problem out{.code = "ambiguous",
                          .message = fmt::format("'{}' fits {} services", printable(query), matches.size()),
                          .cause = {},
                          .evidence = {},
                          .next = {},
                          .more = {}};
    json::array candidates;
    for (const auto& one : matches) {
        if (candidates.size() >= most_candidates) break;
        const auto why = printable(join(one.matched, ", "));
        candidates.push_back(json::object{{"service", one.name},
                                          {"namespace", one.namespace_name},
                                          {"context", one.context},
                                          {"forwarded", one.forwarded},
                                          {"why", why}});
        if (out.next.size() < 3) {
            json::object arguments{{"service", one.name}, {"namespace", one.namespace_name}, {"context", one.context}};
            out.next.push_back(call_of("add_service", std::move(arguments), "fits by " + why));
        }
    }
    out.more["candidates"] = std::move(candidates);
    return out;
}

mcp::tool_problem nothing_fits(const std::string& query, const service_search& search, const wire::found_services& there)
{
    mcp::tool_problem out{.code = "not_found",
                          .message = fmt::format("no service fits '{}'", printable(query)),
                          .cause = {},
                          .evidence = {},
                          .next = {},
                          .more = {}};
    std::vector<std::string> names;
    for (const auto& each : there.services) names.push_back(each.name);
    const auto close = close_names(search.words, names);
    if (!close.empty()) out.evidence.push_back("similar names: " + join(close, ", "));
    for (const auto& each : there.unreachable)
        out.evidence.push_back(fmt::format("context {} could not be asked: {}", printable(each.context), printable(each.error)));
    out.next.push_back(call_of("find_services", json::object{}, "lists the services of all clusters"));
    return out;
}

/// Whether some context that leads to the service has `place` in its name; that one is meant then.
bool is_in_cluster(wire::found_service& one, const std::string& place)
{
    auto all = one.contexts;
    all.push_back(one.context);
    const auto fits = std::find_if(all.begin(), all.end(), [&](const auto& each) { return lower(each).find(place) != std::string::npos; });
    if (fits != all.end()) one.context = *fits;
    return fits != all.end();
}

/// The one service that a query means, as words; or the answer that says why there is none. Looks into everything permitted.
awaitable<std::variant<bridge::service_words, mcp::tool_problem>> find_one(const bridge::rest_client& rest, std::string query,
                                                                           std::string name_space, std::string context)
{
    const auto search = parse_query(query);
    if (search.words.empty()) co_return invalid_arguments("query must say which service, such as \"postgres in staging\"");
    bridge::find_question asked{.query = search.words, .name_space = name_space.empty() ? search.place : name_space, .context = context};
    auto found = co_await rest.find(asked);
    if (!found) co_return problem_from(found.error());
    if (found->services.empty() && name_space.empty() && !search.place.empty()) {
        // "in staging" may mean a cluster as well as a namespace.
        asked.name_space.clear();
        if (auto wider = co_await rest.find(asked)) {
            std::erase_if(wider->services, [&](wire::found_service& each) { return !is_in_cluster(each, search.place); });
            found = std::move(wider);
        }
    }
    const auto matches = best_of(std::move(found->services));
    if (matches.size() > 1) co_return ambiguous(matches, query);
    if (!matches.empty()) {
        const auto& one = matches.front();
        co_return bridge::service_words{.service = one.name, .name_space = one.namespace_name, .context = one.context};
    }
    asked.query.clear();
    asked.name_space = name_space;
    auto all = co_await rest.find(asked);
    if (!all) co_return problem_from(all.error());
    co_return nothing_fits(query, search, *all);
}

std::vector<wire::wanted_port> ports_argument(const json::object& given)
{
    std::vector<wire::wanted_port> out;
    const auto* list = given.if_contains("ports");
    if (!list) return out;
    for (const auto& each : list->get_array()) {
        const auto& one = each.get_object();
        const auto& port = one.at("port");
        wire::wanted_port wanted;
        wanted.port = port.is_string() ? std::string{port.get_string()} : std::to_string(port.to_number<std::int64_t>());
        if (const auto* local = one.if_contains("localPort"))
            wanted.local_port = static_cast<std::uint16_t>(local->to_number<std::int64_t>());
        out.push_back(std::move(wanted));
    }
    return out;
}

json::array port_list(const wire::added_service& of)
{
    json::array out;
    for (const auto& each : of.ports) {
        json::object port{{"localPort", each.local_port}, {"remotePort", each.remote_port}, {"protocol", each.protocol}};
        if (!each.name.empty()) port["name"] = each.name;
        out.push_back(std::move(port));
    }
    return out;
}

/// What an added service is, ready or not.
json::object added_json(const wire::added_service& of)
{
    json::object out{{"key", of.key}};
    if (!of.local_ip.empty()) out["address"] = of.local_ip;
    out["hostnames"] = json_texts(of.hostnames);
    out["ports"] = port_list(of);
    out["status"] = of.status;
    return out;
}

mcp::tool_problem not_ready(const wire::added_service& of, std::int64_t waited_s)
{
    mcp::tool_problem out{.code = "not_ready_in_time",
                          .message =
                              fmt::format("{} was not ready within {} s; the forward stays and serves as soon as it can", of.key, waited_s),
                          .cause = printable(of.reason),
                          .evidence = {},
                          .next = {},
                          .more = added_json(of)};
    if (!of.reason_code.empty()) out.evidence.push_back(of.reason_code);
    json::object listing{{"search", of.service_name}, {"namespace", of.namespace_name}, {"include_forwards", true}};
    out.next.push_back(call_of("list_services", std::move(listing), "shows its state and last error"));
    json::object again{{"service", of.key}, {"timeout_s", 300}};
    out.next.push_back(call_of("add_service", std::move(again), "waits longer"));
    return out;
}

/// Tells each second how the service is doing.
awaitable<void> tell_progress(const kit& with, mcp::tool_call& call, bridge::rest_client rest, std::string key, std::int64_t most_s)
{
    for (std::int64_t second = 0;; ++second) {
        std::string message = "waiting for " + key;
        if (second > 0)
            if (const auto now = co_await rest.service(key)) {
                message = fmt::format("{} is {}, {}/{} pods ready", now->key, now->status, now->pods.ready, now->pods.total);
                if (!now->reason.empty()) message += ": " + printable(now->reason);
            }
        call.progress(second, most_s, std::move(message));
        co_await with.clock.sleep_for(progress_step);
    }
}

awaitable<mcp::tool_answer> add_service(const kit& with, mcp::tool_call& call)
{
    const auto& given = call.arguments();
    const auto named = text_argument(given, "service"), query = text_argument(given, "query");
    if (named.empty() == query.empty()) co_return invalid_arguments("give either service (a name) or query (what you look for)");
    const auto rest = with.rest_for(call);
    auto name_space = text_argument(given, "namespace"), context = text_argument(given, "context");
    bridge::service_words words;
    if (!named.empty()) {
        auto said = bridge::parse_service_words(named);
        if (said) said = bridge::with_place(std::move(*said), name_space, context);
        if (said && said->service.empty()) co_return invalid_arguments("to forward a whole namespace, call add_namespace");
        if (!said) co_return invalid_arguments(said.error().message());
        words = std::move(*said);
    } else {
        auto found = co_await find_one(rest, query, std::move(name_space), std::move(context));
        if (auto* why = std::get_if<mcp::tool_problem>(&found)) co_return std::move(*why);
        words = std::move(std::get<bridge::service_words>(found));
    }

    const auto timeout_s = whole_argument(given, "timeout_s", 60);
    wire::add_service ask;
    ask.service_name = words.service;
    ask.namespace_name = words.name_space;
    ask.context = words.context;
    ask.ports = ports_argument(given);
    ask.wait = text_argument(given, "wait");
    ask.timeout_ms = timeout_s * 1000;
    ask.purpose = text_argument(given, "purpose");

    auto adding = add_by_word(rest, call, ask);
    std::optional<added_or_told<wire::added_service>> added;
    if (call.wants_progress() && ask.wait != "none") {
        const auto executor = co_await asio::this_coro::executor;
        auto telling = tell_progress(with, call, rest, words.key(), timeout_s);
        added.emplace(co_await bridge::while_running(std::move(adding), std::move(telling), executor, with.log));
    } else {
        added.emplace(co_await std::move(adding));
    }
    if (auto* told = std::get_if<mcp::tool_answer>(&*added)) {
        auto* why = std::get_if<mcp::tool_problem>(told);
        if (why && why->code == "not_found" && why->next.empty() && !words.name_space.empty()) {
            json::object arguments{{"namespace", words.name_space}};
            why->next.push_back(call_of("list_k8s_services", std::move(arguments), "tells what the namespace has"));
        }
        co_return std::move(*told);
    }
    const auto& service = std::get<wire::added_service>(*added);
    if (ask.wait != "none" && !service.ready) co_return not_ready(service, timeout_s);

    json::object out{{"summary", ""}}; // first, as that is what is read first
    for (auto& [name, value] : added_json(service)) out[name] = value;
    out["ready"] = service.ready;
    out["summary"] = service.local_ip.empty() ? fmt::format("{} is {}.", service.key, service.status)
                                              : fmt::format("{} is {} at {}{}.", service.key, service.status, service.local_ip,
                                                            service.hostnames.empty() ? "" : " as " + service.hostnames.front());
    if (const auto info = co_await rest.connection_info(service.key, "json")) {
        out["connection"] = connection_json(*info);
        if (!info->url.empty()) out["summary"] = fmt::format("{} Connect to {}", std::string_view{out["summary"].get_string()}, info->url);
    }
    json::array checks;
    for (const auto& each : service.checks) {
        json::object one{{"stage", each.stage}, {"ok", each.ok}, {"durationMs", each.duration_ms}};
        if (!each.detail.empty()) one["detail"] = printable(each.detail);
        checks.push_back(std::move(one));
    }
    out["checks"] = std::move(checks);
    co_return out;
}

/// The port that an argument means, by number or name.
const wire::connection_port* pick_port(const wire::connection_info& info, std::string_view wanted)
{
    const auto number = to_number<std::uint16_t>(wanted);
    for (const auto& each : info.ports)
        if (each.name == wanted || (number && (each.remote_port == *number || each.local_port == *number))) return &each;
    return nullptr;
}

awaitable<mcp::tool_answer> get_connection_info(const kit& with, mcp::tool_call& call)
{
    const auto& given = call.arguments();
    const auto words = bridge::parse_service_words(text_argument(given, "service"));
    if (!words) co_return invalid_arguments(words.error().message());
    const auto format = text_argument(given, "format");
    const auto rest = with.rest_for(call);
    auto info = co_await rest.connection_info(words->key(), format);
    if (!info) {
        auto why = problem_from(info.error());
        if (why.code == "not_found") {
            json::object arguments{{"service", words->key()}};
            why.next.insert(why.next.begin(), call_of("add_service", std::move(arguments), "forwards it and returns the same"));
        }
        co_return why;
    }
    if (const auto* wanted = given.if_contains("port")) {
        const auto name = wanted->is_string() ? std::string{wanted->get_string()} : std::to_string(wanted->to_number<std::int64_t>());
        const auto* port = pick_port(*info, name);
        if (!port) co_return invalid_arguments(fmt::format("{} has no port '{}'", info->key, printable(name)));
        const auto only = *port;
        info->url = only.url;
        info->ports = {only};
    }
    json::object out{{"summary", ""}, {"key", info->key}};
    for (auto& [name, value] : connection_json(*info)) out[name] = value;
    if (!info->text.empty()) out["text"] = info->text;
    const auto* host = info->hostnames.empty() ? &info->address : &info->hostnames.front();
    out["summary"] = !info->url.empty() ? fmt::format("{} is {}: {}", info->key, info->status, info->url)
                     : info->ports.empty()
                         ? fmt::format("{} is {} and has no port to connect to.", info->key, info->status)
                         : fmt::format("{} is {} at {}:{}.", info->key, info->status, *host, info->ports.front().local_port);
    co_return out;
}

} // namespace

mcp::tool make_add_service(const kit& with)
{
    mcp::tool out;
    out.name = "add_service";
    out.title = "Forward a service";
    out.description =
        "Use to connect to a service of the cluster: it becomes reachable on this machine under its own name and port, and stays so "
        "while pods come and go. Takes a name (service) or what you look for (query, e.g. \"postgres in staging\"); returns address, "
        "names, "
        "ports and connection strings once it is ready. Safe to repeat. Asks the user first in a protected context.";
    out.input = s::object(
        {s::may("service", s::text("SVC, SVC.NS, SVC.NS.CTX or NS/SVC")),
         s::may("query", s::text("instead of service: a name, a kind such as postgres or redis, with or without \"in NAMESPACE\"")),
         s::may("namespace", s::text("default: the primary namespace; for a query: all that may be read")),
         s::may("context", s::text("kubeconfig context; default: the primary one; for a query: all")),
         s::may("ports", s::list("default: all ports of the service",
                                 s::object({s::must("port", s::either("number or name of a port of the service", {"integer", "string"})),
                                            s::may("localPort", s::whole("port here, if it must differ", 1, 65535))}))),
         s::may("wait", s::choice("return when a connection was tried (reachable), when a pod is ready, or at once",
                                  {"reachable", "ready", "none"}, "ready")),
         s::may("timeout_s", s::whole("seconds to wait at most", 1, 300, 60)),
         s::may("purpose", s::text("shown to people beside the forward")), token_argument()});
    out.output =
        s::object({s::must("summary", s::text("")),
                   s::must("status", s::text("of the service; or declined, not_confirmed, confirmation_required: nothing changed")),
                   s::may("key", s::text("")), s::may("address", s::text("")), s::may("hostnames", s::list("", s::text(""))),
                   s::may("ports", s::list("", port_schema())), s::may("ready", s::truth("")), s::may("connection", connection_schema()),
                   s::may("checks", s::list("", check_schema())), token_member()});
    out.hints = {.read_only = false, .destructive = false, .idempotent = true, .open_world = true};
    out.run = [&with](mcp::tool_call& call) { return add_service(with, call); };
    return out;
}

mcp::tool make_get_connection_info(const kit& with)
{
    mcp::tool out;
    out.name = "get_connection_info";
    out.title = "How to connect to a forwarded service";
    out.description = "Use to get the address, host names, ports, connection string and environment variables of a forwarded service. "
                      "Never contains passwords: ${...} stands for one, with the Secret it is in and the command a person would run.";
    out.input = s::object({s::must("service", s::text("SVC, SVC.NS, SVC.NS.CTX or NS/SVC")),
                           s::may("port", s::either("only this port, by number or name", {"integer", "string"})),
                           s::may("format", s::choice("dotenv and shell add text to paste", {"json", "dotenv", "shell"}, "json"))});
    out.output = connection_schema();
    auto& properties = out.output["properties"].get_object();
    properties["summary"] = s::text("");
    properties["key"] = s::text("");
    properties["text"] = s::text("lines of the format asked for");
    out.output["required"].get_array().push_back("summary");
    out.output["required"].get_array().push_back("key");
    out.hints = {.read_only = true, .destructive = false, .idempotent = true, .open_world = false};
    out.run = [&with](mcp::tool_call& call) { return get_connection_info(with, call); };
    return out;
}

} // namespace fwd::tools
