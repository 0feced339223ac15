// Tools that take forwards away: the daemon says what would happen, a person agrees where that is called for, then it happens.
#include "bridge/service_words.hpp"
#include "bridge/tools/planning.hpp"
#include "bridge/tools/reading.hpp"
#include "bridge/tools/registry.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

/// How long open connections may take to end by themselves before somebody is asked about them. A container runtime keeps a
/// connection for a second or two after the client has gone: not worth a question.
constexpr auto lingering = 3s;
constexpr auto look_again = 500ms;

std::string name_in(const planned& of)
{
    return text_of(of.what, of.operation == "remove_service" ? "key" : "namespace");
}

json::object removed_json(const planned& of, json::value said)
{
    auto data = cleaned(said);
    json::object answer = data.is_object() ? std::move(data.get_object()) : json::object{};
    const auto message = text_of(answer, "message");
    json::object out{{"summary", message.empty() ? name_in(of) + " is no longer forwarded." : message}, {"status", "removed"}};
    out["key"] = text_of(answer, "key").empty() ? name_in(of) : text_of(answer, "key");
    put_list(out, "removed", answer, "services");
    if (out["removed"].get_array().empty() && of.operation == "remove_service") out["removed"].get_array().push_back(out["key"]);
    put_list(out, "kept", answer, "kept");
    fit(out);
    return out;
}

awaitable<mcp::tool_answer> apply(const bridge::rest_client& rest, mcp::tool_call& call, planned of, std::string id)
{
    auto done = co_await apply_plan(rest, call, of, std::move(id));
    if (auto* why = std::get_if<mcp::tool_problem>(&done)) co_return std::move(*why);
    co_return removed_json(of, std::get<json::value>(std::move(done)));
}

/// Whether somebody has to be asked, and connections are what would end.
bool waits_for_connections(const wire::plan& made)
{
    const auto has_some = [](const wire::affected& each) { return each.connections > 0; };
    return made.needs_confirmation && std::any_of(made.affected.begin(), made.affected.end(), has_some);
}

awaitable<mcp::tool_answer> remove(const kit& with, mcp::tool_call& call, planned of)
{
    const auto rest = with.rest_for(call);
    if (!call.plan().empty()) co_return co_await apply(rest, call, of, call.plan());
    auto made = co_await make_plan(rest, of);
    const auto until = with.clock.now() + lingering;
    while (made && waits_for_connections(*made) && !call.confirmed() && with.clock.now() < until) {
        co_await with.clock.sleep_for(look_again);
        made = co_await make_plan(rest, of);
    }
    if (!made) co_return problem_from(made.error());
    if (made->needs_confirmation && !call.confirmed()) co_return question_of(*made, of);
    co_return co_await apply(rest, call, of, made->plan_id);
}

awaitable<mcp::tool_answer> remove_service(const kit& with, mcp::tool_call& call)
{
    auto key = service_key(call.arguments());
    if (auto* wrong = std::get_if<mcp::tool_problem>(&key)) co_return std::move(*wrong);
    const auto name = std::get<std::string>(key);
    planned of{.tool = "remove_service", .operation = "remove_service", .what = {{"key", name}}, .title = "Stop forwarding " + name};
    co_return co_await remove(with, call, std::move(of));
}

awaitable<mcp::tool_answer> remove_namespace(const kit& with, mcp::tool_call& call)
{
    auto name = text_argument(call.arguments(), "namespace");
    while (name.ends_with('/')) name.pop_back();
    if (!is_dns_label(name)) co_return invalid_arguments("argument 'namespace' must be the name of a namespace");
    json::object what{{"namespace", name}};
    if (const auto context = text_argument(call.arguments(), "context"); !context.empty()) what["context"] = context;
    planned of{.tool = "remove_namespace", .operation = "remove_namespace", .what = std::move(what), .title = "Stop forwarding " + name};
    co_return co_await remove(with, call, std::move(of));
}

mcp::tool removing(std::string name, std::string title, std::string description)
{
    mcp::tool out;
    out.name = std::move(name);
    out.title = std::move(title);
    out.description = std::move(description);
    out.output =
        s::object({s::must("summary", s::text("")), s::must("status", s::text("removed, declined, not_confirmed or confirmation_required")),
                   s::may("key", s::text("")), s::may("removed", s::list("keys of services", s::text(""))),
                   s::may("kept", s::list("keys that others still want", s::text(""))), s::may("truncated", s::truth("")), token_member()});
    out.hints = {.read_only = false, .destructive = true, .idempotent = true, .open_world = false};
    return out;
}

} // namespace

mcp::tool make_remove_service(const kit& with)
{
    auto out = removing("remove_service", "Stop forwarding a service",
                        "Use when a forwarded service is no longer needed: its address, names and connections go, nothing changes in the "
                        "cluster. Asks the user first when connections are open or somebody else forwarded it.");
    out.input = s::object({s::must("service", s::text("SVC, SVC.NS, SVC.NS.CTX or NS/SVC, as list_services shows it")), token_argument()});
    out.run = [&with](mcp::tool_call& call) { return remove_service(with, call); };
    return out;
}

mcp::tool make_remove_namespace(const kit& with)
{
    auto out =
        removing("remove_namespace", "Stop forwarding a namespace",
                 "Use when a forwarded namespace is no longer needed: all of its services go, nothing changes in the cluster. Asks the "
                 "user first when connections are open, many services go, or somebody else forwarded it.");
    out.input = s::object(
        {s::must("namespace", s::text("")), s::may("context", s::text("kubeconfig context; default: the primary one")), token_argument()});
    out.run = [&with](mcp::tool_call& call) { return remove_namespace(with, call); };
    return out;
}

} // namespace fwd::tools
