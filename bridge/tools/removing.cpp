// Tools that take forwards away: the daemon says what would happen, a person agrees where that is called for, then it happens.
#include "bridge/service_words.hpp"
#include "bridge/tools/reading.hpp"
#include "bridge/tools/registry.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

/// How long open connections may take to end by themselves before somebody is asked about them. A container runtime keeps a
/// connection for a second or two after the client has gone: not worth a question.
constexpr auto lingering = 3s;
constexpr auto look_again = 500ms;

struct removal {
    std::string tool, operation; ///< of the daemon's plans
    json::object what;           ///< arguments of the operation
    std::string name;            ///< for people
};

struct plan {
    std::string id, summary;
    bool needs_word = false;
    std::int64_t connections = 0;
    std::vector<std::string> reasons;
};

plan read_plan(const json::value& from)
{
    plan out;
    const auto* data = from.if_object();
    if (!data) return out;
    out.id = text_of(*data, "planId");
    out.summary = printable(text_of(*data, "summary"));
    const auto* needs = data->if_contains("needsConfirmation");
    out.needs_word = needs && needs->is_bool() && needs->get_bool();
    for (const auto& each : texts_argument(*data, "reasons")) out.reasons.push_back(printable(each));
    if (const auto* all = data->if_contains("affected"); all && all->is_array())
        for (const auto& each : all->get_array())
            if (const auto* one = each.if_object()) out.connections += number_of(*one, "connections");
    return out;
}

awaitable<bridge::answer<plan>> make_plan(const bridge::rest_client& rest, const removal& of)
{
    json::object body{{"operation", of.operation}};
    body["arguments"] = of.what;
    const auto made = co_await rest.change("POST", "/plans", std::move(body));
    if (!made) co_return made.error();
    co_return read_plan(made->data);
}

mcp::tool_problem expired(const removal& of, const json::object& arguments, const bridge::rest_problem& why)
{
    auto again = arguments;
    again.erase("confirm_token");
    mcp::tool_problem out{.code = "confirmation_expired",
                          .message = "what was agreed to no longer holds: the plan is expired, used or of another call",
                          .cause = why.message,
                          .evidence = {},
                          .next = {},
                          .more = {}};
    out.next.push_back(call_of(of.tool, std::move(again), "makes a new plan"));
    return out;
}

awaitable<mcp::tool_answer> apply(const bridge::rest_client& rest, const removal& of, std::string id, const json::object& arguments,
                                  bool agreed)
{
    json::object body{{"operation", of.operation}};
    body["arguments"] = of.what;
    auto done = co_await rest.change("POST", "/plans/" + segment(id) + "/apply", std::move(body));
    if (!done) {
        const auto& why = done.error();
        if (agreed && (why.status == 404 || why.status == 409 || why.status == 410 || why.status == 403))
            co_return expired(of, arguments, why);
        co_return problem_from(why);
    }
    auto data = cleaned(done->data);
    json::object answer = data.is_object() ? std::move(data.get_object()) : json::object{};
    const auto message = text_of(answer, "message");
    json::object out{{"summary", message.empty() ? of.name + " is no longer forwarded." : message}, {"status", "removed"}};
    out["key"] = text_of(answer, "key").empty() ? of.name : text_of(answer, "key");
    put_list(out, "removed", answer, "services");
    if (out["removed"].get_array().empty() && of.operation == "remove_service") out["removed"].get_array().push_back(out["key"]);
    put_list(out, "kept", answer, "kept");
    fit(out);
    co_return out;
}

awaitable<mcp::tool_answer> remove(const kit& with, mcp::tool_call& call, removal of)
{
    const auto rest = with.rest_for(call);
    if (!call.plan().empty()) co_return co_await apply(rest, of, call.plan(), call.arguments(), true);
    auto made = co_await make_plan(rest, of);
    const auto until = with.clock.now() + lingering;
    while (made && made->needs_word && made->connections > 0 && !call.confirmed() && with.clock.now() < until) {
        co_await with.clock.sleep_for(look_again);
        made = co_await make_plan(rest, of);
    }
    if (!made) co_return problem_from(made.error());
    if (made->needs_word && !call.confirmed()) {
        auto message = made->summary.empty() ? "Stop forwarding " + of.name + "?" : made->summary;
        if (!made->reasons.empty()) message += " (" + join(made->reasons, "; ") + ")";
        mcp::tool_question question{.message = std::move(message), .title = "Stop forwarding " + of.name, .plan = made->id};
        co_return question;
    }
    co_return co_await apply(rest, of, made->id, call.arguments(), false);
}

awaitable<mcp::tool_answer> remove_service(const kit& with, mcp::tool_call& call)
{
    auto key = service_key(call.arguments());
    if (auto* wrong = std::get_if<mcp::tool_problem>(&key)) co_return std::move(*wrong);
    const auto name = std::get<std::string>(key);
    removal of{.tool = "remove_service", .operation = "remove_service", .what = {{"key", name}}, .name = name};
    co_return co_await remove(with, call, std::move(of));
}

awaitable<mcp::tool_answer> remove_namespace(const kit& with, mcp::tool_call& call)
{
    auto name = text_argument(call.arguments(), "namespace");
    while (name.ends_with('/')) name.pop_back();
    if (!is_dns_label(name)) co_return invalid_arguments("argument 'namespace' must be the name of a namespace");
    json::object what{{"namespace", name}};
    if (const auto context = text_argument(call.arguments(), "context"); !context.empty()) what["context"] = context;
    removal of{.tool = "remove_namespace", .operation = "remove_namespace", .what = std::move(what), .name = name};
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
                   s::may("kept", s::list("keys that others still want", s::text(""))), s::may("truncated", s::truth("")),
                   s::may("confirm_token", s::text("pass it back once the user agreed"))});
    out.hints = {.read_only = false, .destructive = true, .idempotent = true, .open_world = false};
    return out;
}

s::member token_member()
{
    return s::may("confirm_token", s::text("from an answer with status confirmation_required, once the user agreed"));
}

} // namespace

mcp::tool make_remove_service(const kit& with)
{
    auto out = removing("remove_service", "Stop forwarding a service",
                        "Use when a forwarded service is no longer needed: its address, names and connections go, nothing changes in the "
                        "cluster. Asks the user first when connections are open or somebody else forwarded it.");
    out.input = s::object({s::must("service", s::text("SVC, SVC.NS, SVC.NS.CTX or NS/SVC, as list_services shows it")), token_member()});
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
        {s::must("namespace", s::text("")), s::may("context", s::text("kubeconfig context; default: the primary one")), token_member()});
    out.run = [&with](mcp::tool_call& call) { return remove_namespace(with, call); };
    return out;
}

} // namespace fwd::tools
