// Plans: what a call would do, and doing it once.
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/plan_effects.hpp"

#include "common/api/wire_actions.hpp"
#include "common/text.hpp"

#include <boost/json/serialize.hpp>

namespace fwd::api {

namespace {

/// Retries may come from another process of the same client: what stands before the session counts.
std::string planner(const api_request& ask)
{
    const auto client = ask.client();
    return std::string{trim(std::string_view{client}.substr(0, client.find(';')))};
}

/// The request that does it.
result<api_request> request_for(const std::string& operation, const json::value& arguments, const api_request& ask)
{
    api_request made{ask.message, ask.target, {}, ask.from, true};
    auto target = call_of(operation, arguments);
    if (!target) return target.error();
    made.message.method = target->method;
    made.message.target = target->path;
    made.message.fields.set("Content-Type", "application/json");
    made.message.body = target->body;
    auto parsed = parse_target(made.message.target);
    if (!parsed) return parsed.error();
    made.target = std::move(*parsed);
    return made;
}

} // namespace

awaitable<reply> post_plan(api_context& with, api_request& ask)
{
    auto wish = body_of<wire::plan_request>(ask);
    if (!wish) co_return std::move(*wish.refused);
    const auto call = request_for(wish.it.operation, wish.it.arguments, ask);
    if (!call) co_return failed(call.error());
    auto effects = effects_of(wish.it, with.parts.state, with.parts.cluster.known(), ask.client());
    if (!effects) co_return failed(effects.error());
    const auto now = with.parts.clock.now();
    effects->plan_id = with.plans.add({wish.it.operation, wish.it.arguments, planner(ask)}, with.parts.random, now);
    effects->expires = with.parts.clock.wall_now() + plan_book::life;
    co_return ok_with(*effects, 201);
}

awaitable<reply> post_plan_apply(api_context& with, api_request& ask)
{
    const auto now = with.parts.clock.now();
    auto plan = with.plans.look(ask.key(), planner(ask), now);
    if (!plan) co_return failed(plan.error());
    if (!ask.message.body.empty()) {
        auto again = body_of<wire::plan_request>(ask);
        if (!again) co_return std::move(*again.refused);
        if (again.it.operation != plan->operation || again.it.arguments != plan->arguments)
            co_return failed(409, "plan_mismatch", "the plan was made for another operation or other arguments");
    }
    plan = with.plans.take(ask.key(), planner(ask), now);
    if (!plan) co_return failed(plan.error());
    auto call = request_for(plan->operation, plan->arguments, ask);
    if (!call) co_return failed(call.error());
    auto found = match(call->message.method, call->target.segments);
    call->variables = std::move(found.variables);
    co_return co_await found.found->answer(with, *call);
}

} // namespace fwd::api
