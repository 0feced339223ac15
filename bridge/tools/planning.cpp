#include "bridge/tools/planning.hpp"

#include "bridge/tools/reading.hpp"
#include "common/text.hpp"

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

wire::plan_request request_of(const planned& of)
{
    return {of.operation, of.what};
}

bool is_about_the_plan(const bridge::rest_problem& why)
{
    // What is planned may itself be refused; that is told as it is.
    return why.status == 403 || why.status == 410 || why.code == "plan_mismatch" ||
           (why.status == 404 && why.message.find("plan") != std::string::npos);
}

planned plan_for(const wire::add_service& what)
{
    const auto place = what.namespace_name.empty() ? "" : "." + what.namespace_name;
    return {.tool = "add_service",
            .operation = "add_service",
            .what = wire::to_json(what).as_object(),
            .title = "Forward " + what.service_name + place};
}

planned plan_for(const wire::add_namespace& what)
{
    return {.tool = "add_namespace",
            .operation = "add_namespace",
            .what = wire::to_json(what).as_object(),
            .title = "Forward namespace " + what.namespace_name};
}

template <class Added, class Ask>
awaitable<added_or_told<Added>> add(const bridge::rest_client& rest, mcp::tool_call& call, Ask what)
{
    auto done = co_await rest.add(what, call.plan());
    if (done) co_return std::move(*done);
    const auto of = plan_for(what);
    if (!call.plan().empty()) co_return not_applied(of, call, done.error());
    if (done.error().code != "confirmation_required") co_return problem_from(done.error());
    auto made = co_await make_plan(rest, of);
    if (!made) co_return problem_from(made.error());
    if (made->needs_confirmation && !call.confirmed()) co_return question_of(*made, of);
    done = co_await rest.add(what, made->plan_id);
    if (!done) co_return not_applied(of, call, done.error());
    co_return std::move(*done);
}

} // namespace

awaitable<bridge::answer<wire::plan>> make_plan(const bridge::rest_client& rest, const planned& of)
{
    return rest.plan(request_of(of));
}

mcp::tool_question question_of(const wire::plan& made, const planned& of)
{
    auto message = made.summary.empty() ? of.title + "?" : printable(made.summary);
    if (!made.reasons.empty()) message += " (" + printable(join(made.reasons, "; ")) + ")";
    return {.message = std::move(message), .title = of.title, .plan = made.plan_id};
}

mcp::tool_problem not_applied(const planned& of, const mcp::tool_call& call, const bridge::rest_problem& why)
{
    if (call.plan().empty() || !is_about_the_plan(why)) return problem_from(why);
    auto again = call.arguments();
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

awaitable<std::variant<json::value, mcp::tool_problem>> apply_plan(const bridge::rest_client& rest, const mcp::tool_call& call,
                                                                   const planned& of, std::string id)
{
    auto done = co_await rest.change("POST", "/plans/" + segment(id) + "/apply", wire::to_json(request_of(of)));
    if (!done) co_return not_applied(of, call, done.error());
    co_return std::move(done->data);
}

awaitable<added_or_told<wire::added_service>> add_by_word(const bridge::rest_client& rest, mcp::tool_call& call, wire::add_service what)
{
    return add<wire::added_service>(rest, call, std::move(what));
}

awaitable<added_or_told<wire::added_namespace>> add_by_word(const bridge::rest_client& rest, mcp::tool_call& call, wire::add_namespace what)
{
    return add<wire::added_namespace>(rest, call, std::move(what));
}

s::member token_argument()
{
    return s::may("confirm_token", s::text("from an answer with status confirmation_required, once the user agreed"));
}

s::member token_member()
{
    return s::may("confirm_token", s::text("pass it back once the user agreed"));
}

} // namespace fwd::tools
