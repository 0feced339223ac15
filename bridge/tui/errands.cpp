#include "bridge/tui/errands.hpp"

#include "bridge/json_look.hpp"
#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/object.hpp>

#include <fmt/core.h>

namespace fwd::tui {

namespace {

constexpr auto log_lines = "500";
constexpr auto requests = "200";
constexpr auto history = "500";
constexpr auto silence = 40s; ///< the daemon comments every 15 s on a log that has nothing to say

awaitable<bridge::answer<wire::service_list>> all_services(const bridge::rest_client& rest)
{
    wire::service_list all;
    for (;;) {
        bridge::service_query which;
        which.offset = static_cast<std::int64_t>(all.services.size());
        auto got = co_await rest.services(which);
        if (!got) co_return got.error();
        const bool last = got->services.empty();
        all.summary = got->summary;
        std::move(got->services.begin(), got->services.end(), std::back_inserter(all.services));
        if (last || static_cast<std::int64_t>(all.services.size()) >= got->total) co_return all;
    }
}

awaitable<void> load(const bridge::rest_client& rest, const effect& what, const post& to)
{
    if (what.all) {
        auto got = co_await all_services(rest);
        to(services_answer{std::move(got)});
    }
    for (const auto& key : what.keys) {
        auto got = co_await rest.service(key);
        to(service_answer{key, std::move(got)});
    }
    if (what.status) {
        auto got = co_await rest.status();
        to(status_answer{std::move(got)});
    }
    to(load_ended{});
}

awaitable<void> load_tab(const bridge::rest_client& rest, const effect& what, const post& to)
{
    const auto& key = what.keys.front();
    const auto answer = [&](auto got) {
        if (got)
            to(tab_answer{key, what.of, tab_data{std::move(*got)}});
        else
            to(tab_answer{key, what.of, got.error()});
    };
    if (what.of == tab::timeline) {
        auto got = co_await rest.explain(key, "");
        answer(std::move(got));
    } else if (what.of == tab::connections) {
        auto got = co_await rest.connections(key);
        answer(std::move(got));
    } else {
        const bridge::rest_client::parameters with{{"count", requests}};
        auto got = co_await rest.read(fmt::format("/services/{}/http", percent_encode(key)), with);
        if (got)
            to(tab_answer{key, what.of, tab_data{std::move(got->data)}});
        else
            to(tab_answer{key, what.of, got.error()});
    }
}

awaitable<void> load_history(const bridge::rest_client& rest, const post& to)
{
    const bridge::rest_client::parameters with{{"count", history}};
    const auto got = co_await rest.read("/history/events", with);
    if (!got) {
        to(history_answer{got.error()});
        co_return;
    }
    std::vector<wire::past_event> out;
    if (const auto* list = got->data.if_array())
        for (auto each = list->rbegin(); each != list->rend(); ++each)
            if (auto event = wire::from_json<wire::past_event>(*each)) out.push_back(std::move(*event));
    to(history_answer{std::move(out)});
}

std::string ports_text(const wire::k8s_service& of)
{
    std::string out;
    for (const auto& each : of.ports)
        out += fmt::format("{}{}{}", out.empty() ? "" : ", ", each.name.empty() ? "" : each.name + ":", each.port) +
               (each.protocol == "TCP" ? "" : "/" + each.protocol);
    return out;
}

awaitable<bridge::answer<std::vector<browse_item>>> contexts(const bridge::rest_client& rest)
{
    std::vector<browse_item> out;
    const auto got = co_await rest.contexts();
    if (!got) co_return got.error();
    for (const auto& each : got->contexts) {
        browse_item item{each.name, each.server, each.active, each.error};
        if (each.name == got->current_context) item.more += "  (current)";
        out.push_back(std::move(item));
    }
    co_return out;
}

awaitable<bridge::answer<std::vector<browse_item>>> namespaces(const bridge::rest_client& rest, std::string context)
{
    std::vector<browse_item> out;
    const auto got = co_await rest.k8s_namespaces(context);
    if (!got) co_return got.error();
    for (const auto& each : got->namespaces) out.push_back({each.name, each.status == "Active" ? "" : each.status, each.forwarded, {}});
    co_return out;
}

awaitable<bridge::answer<std::vector<browse_item>>> services(const bridge::rest_client& rest, std::string name_space, std::string context)
{
    std::vector<browse_item> out;
    const auto got = co_await rest.k8s_services(name_space, context);
    if (!got) co_return got.error();
    for (const auto& each : got->services)
        out.push_back({each.name, fmt::format("{}  {}", each.type, ports_text(each)), each.forwarded, {}});
    co_return out;
}

awaitable<void> browse(const bridge::rest_client& rest, const effect& what, const post& to)
{
    std::optional<bridge::answer<std::vector<browse_item>>> got;
    if (what.level == browse_level::contexts)
        got.emplace(co_await contexts(rest));
    else if (what.level == browse_level::namespaces)
        got.emplace(co_await namespaces(rest, what.context));
    else
        got.emplace(co_await services(rest, what.name_space, what.context));
    to(browse_answer{what.level, what.context, what.name_space, std::move(*got)});
}

std::string sentence(const bridge::rest_problem& why)
{
    return why.cause.empty() ? why.message : why.message + ": " + why.cause;
}

awaitable<void> add_services(const bridge::rest_client& rest, const effect& what, const post& to)
{
    for (const auto& name : what.keys) {
        wire::add_service ask;
        ask.service_name = name;
        ask.namespace_name = what.name_space;
        ask.context = what.context;
        ask.wait = "listening";
        ask.timeout_ms = 10000;
        const auto got = co_await rest.add(ask);
        if (got)
            to(told{fmt::format("{} is forwarded: {}", got->key, got->local_ip.empty() ? got->status : got->local_ip)});
        else
            to(told{sentence(got.error()), false});
    }
}

awaitable<void> add_namespaces(const bridge::rest_client& rest, const effect& what, const post& to)
{
    for (const auto& name : what.keys) {
        wire::add_namespace ask;
        ask.namespace_name = name;
        ask.context = what.context;
        ask.wait = "listening";
        ask.timeout_ms = 10000;
        const auto got = co_await rest.add(ask);
        if (got)
            to(told{fmt::format("{} is forwarded: {} services", got->key, got->services.size())});
        else
            to(told{sentence(got.error()), false});
    }
}

awaitable<void> remove(const bridge::rest_client& rest, const effect& what, const post& to)
{
    for (const auto& key : what.keys) {
        const auto got = co_await rest.remove_service(key);
        if (got)
            to(told{got->message.empty() ? key + " is no longer forwarded" : got->message});
        else
            to(told{sentence(got.error()), false});
    }
}

awaitable<void> reconnect(const bridge::rest_client& rest, const effect& what, const post& to)
{
    for (const auto& key : what.keys) {
        const auto path = fmt::format("/services/{}/reconnect", percent_encode(key));
        const auto got = co_await rest.change("POST", path);
        if (got)
            to(told{fmt::format("{} reconnects", key)});
        else
            to(told{sentence(got.error()), false});
    }
}

awaitable<void> reconnect_errors(const bridge::rest_client& rest, const post& to)
{
    const json::object body{{"scope", "errors"}};
    const auto got = co_await rest.change("POST", "/services/reconnect", body);
    if (!got) {
        to(told{sentence(got.error()), false});
        co_return;
    }
    const auto* services = got->data.is_object() ? got->data.get_object().if_contains("services") : nullptr;
    const auto count = services && services->is_array() ? services->get_array().size() : 0;
    to(told{count == 0 ? "nothing is in error" : fmt::format("{} services reconnect", count)});
}

} // namespace

awaitable<void> follow_log(bridge::rest_client rest, effect what, const post& to, const pause& room)
{
    const auto path = fmt::format("/kubernetes/pods/{}/{}/logs", percent_encode(what.name_space), percent_encode(what.text));
    bridge::rest_client::parameters with{{"context", what.context}, {"tail_lines", log_lines}, {"follow", "true"}};
    if (what.since) with.emplace_back("since_time", rfc3339(*what.since));
    auto stream = co_await rest.stream(path, with);
    if (!stream) {
        to(log_ended{what.number, sentence(stream.error())});
        co_return;
    }
    for (;;) {
        const auto next = co_await (*stream)->next(silence);
        if (!next || next->type == "end") {
            const auto end = next ? parse_json(next->data) : result<json::value>{next.error()};
            to(log_ended{what.number, end ? bridge::text_at(*end, "reason") : end.error().message()});
            co_return;
        }
        if (next->type != "log") continue;
        if (const auto one = parse_json(next->data)) to(log_came{what.number, {bridge::text_at(*one, "line")}});
        co_await room();
    }
}

awaitable<void> run_errand(const bridge::rest_client& rest, effect what, const post& to)
{
    switch (what.what) {
    case wish::load: co_await load(rest, what, to); break;
    case wish::load_connect: {
        auto got = co_await rest.connection_info(what.keys.front(), "");
        to(connect_answer{what.keys.front(), std::move(got)});
        break;
    }
    case wish::load_tab: co_await load_tab(rest, what, to); break;
    case wish::load_history: co_await load_history(rest, to); break;
    case wish::browse: co_await browse(rest, what, to); break;
    case wish::add_services: co_await add_services(rest, what, to); break;
    case wish::add_namespaces: co_await add_namespaces(rest, what, to); break;
    case wish::remove: co_await remove(rest, what, to); break;
    case wish::reconnect: co_await reconnect(rest, what, to); break;
    case wish::reconnect_errors: co_await reconnect_errors(rest, to); break;
    default: break;
    }
}

} // namespace fwd::tui
