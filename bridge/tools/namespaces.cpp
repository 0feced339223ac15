// Tools about whole namespaces.
#include "bridge/mcp/schema.hpp"
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

constexpr auto progress_step = 500ms;

/// Counts what is ready while the daemon waits.
awaitable<void> tell_progress(const kit& with, mcp::tool_call& call, bridge::rest_client rest, bridge::service_query which)
{
    call.progress(0, 0, "asking the cluster for the services of " + which.name_space);
    for (;;) {
        co_await with.clock.sleep_for(progress_step);
        const auto page = co_await rest.services(which);
        if (!page || page->services.empty()) continue;
        const auto ready =
            std::count_if(page->services.begin(), page->services.end(), [](const wire::service& each) { return each.status == "active"; });
        call.progress(ready, page->total, fmt::format("{}/{} services ready", ready, page->total));
    }
}

mcp::next_call help_for(const std::string& key)
{
    json::object arguments{{"search", key.substr(0, key.find('.'))}, {"include_forwards", true}};
    return call_of("list_services", std::move(arguments), "shows its state and last error");
}

json::object short_service(const wire::service& of)
{
    auto whole = service_json(of, false);
    json::object out;
    for (const auto name : {"key", "address", "hostnames", "ports", "status", "why"})
        if (const auto* member = whole.if_contains(name)) out[name] = *member;
    return out;
}

awaitable<mcp::tool_answer> add_namespace(const kit& with, mcp::tool_call& call)
{
    const auto& given = call.arguments();
    const auto timeout_s = whole_argument(given, "timeout_s", 60);
    wire::add_namespace ask;
    ask.namespace_name = text_argument(given, "namespace");
    while (ask.namespace_name.ends_with('/')) ask.namespace_name.pop_back();
    if (!is_dns_label(ask.namespace_name)) co_return invalid_arguments("argument 'namespace' must be the name of a namespace");
    ask.context = text_argument(given, "context");
    ask.selector = text_argument(given, "selector");
    ask.services = texts_argument(given, "services");
    ask.exclude = texts_argument(given, "exclude");
    ask.wait = text_argument(given, "wait");
    ask.timeout_ms = timeout_s * 1000;
    ask.purpose = text_argument(given, "purpose");

    const auto rest = with.rest_for(call);
    bridge::service_query which;
    which.name_space = ask.namespace_name;
    which.context = ask.context;
    auto adding = add_by_word(rest, call, ask);
    std::optional<added_or_told<wire::added_namespace>> added;
    if (call.wants_progress() && ask.wait != "none") {
        const auto executor = co_await asio::this_coro::executor;
        auto telling = tell_progress(with, call, rest, which);
        added.emplace(co_await bridge::while_running(std::move(adding), std::move(telling), executor, with.log));
    } else {
        added.emplace(co_await std::move(adding));
    }
    if (auto* told = std::get_if<mcp::tool_answer>(&*added)) co_return std::move(*told);
    const auto& made = std::get<wire::added_namespace>(*added);

    which.context = made.context;
    const auto page = co_await rest.services(which);
    if (!page) co_return problem_from(page.error());
    auto services = as_many_as_fit(page->services, short_service);
    json::array waiting;
    for (const auto& each : made.not_ready) {
        json::object one{{"key", each.key}, {"why", printable(each.why)}, {"next", mcp::as_json(help_for(each.key))}};
        if (waiting.size() < 20) waiting.push_back(std::move(one));
    }
    const auto total = page->total;
    auto summary = fmt::format("{} service{} of {} {} reachable", total, total == 1 ? "" : "s", made.key, total == 1 ? "is" : "are");
    if (ask.wait == "none")
        summary = fmt::format("{} is being forwarded", made.key);
    else if (!made.ready)
        summary = fmt::format("{} of {} services of {} are not ready", made.not_ready.size(), total, made.key);
    json::object out{
        {"summary", summary + "."}, {"key", made.key}, {"namespace", made.namespace_name}, {"context", made.context}, {"ready", made.ready},
        {"count", services.size()}, {"total", total}};
    if (services.size() < static_cast<std::size_t>(total)) {
        json::object arguments{{"namespace", made.namespace_name}, {"cursor", cursor_at(static_cast<std::int64_t>(services.size()))}};
        json::array next{mcp::as_json(call_of("list_services", std::move(arguments), "lists the rest"))};
        out["next"] = std::move(next);
    }
    out["services"] = std::move(services);
    out["notReady"] = std::move(waiting);
    co_return out;
}

} // namespace

mcp::tool make_add_namespace(const kit& with)
{
    mcp::tool out;
    out.name = "add_namespace";
    out.title = "Forward a namespace";
    out.description =
        "Use to make every service of a namespace reachable on this machine under its own name and port, present ones and later ones. "
        "Returns when they are ready, or says exactly which are not and why. Safe to repeat. Asks the user first in a protected "
        "context.";
    out.input = s::object({s::must("namespace", s::text("")), s::may("context", s::text("kubeconfig context; default: the primary one")),
                           s::may("selector", s::text("label selector on services")),
                           s::may("services", s::list("only these; shell wildcards", s::text(""))),
                           s::may("exclude", s::list("all but these; shell wildcards", s::text(""))),
                           s::may("wait", s::choice("return when the services are ready, or at once", {"ready", "none"}, "ready")),
                           s::may("timeout_s", s::whole("seconds to wait at most", 1, 300, 60)),
                           s::may("purpose", s::text("shown to people beside the forwards")), token_argument()});
    out.output = s::object(
        {s::must("summary", s::text("")), s::may("key", s::text("")), s::may("namespace", s::text("")), s::may("context", s::text("")),
         s::may("ready", s::truth("every service is ready")), s::may("count", s::count("services in this answer")),
         s::may("total", s::count("")),
         s::may("services",
                s::list("", s::object({s::must("key", s::text("")), s::may("address", s::text("")),
                                       s::must("hostnames", s::list("", s::text(""))), s::must("ports", s::list("", port_schema())),
                                       s::must("status", s::text("")), s::may("why", s::text(""))}))),
         s::may("notReady",
                s::list("", s::object({s::must("key", s::text("")), s::must("why", s::text("")), s::must("next", next_schema())}))),
         s::may("next", s::list("", next_schema())),
         s::may("status", s::text("declined, not_confirmed or confirmation_required: nothing changed")), token_member()});
    out.hints = {.read_only = false, .destructive = false, .idempotent = true, .open_world = true};
    out.run = [&with](mcp::tool_call& call) { return add_namespace(with, call); };
    return out;
}

} // namespace fwd::tools
