#include "daemon/api/handlers/wishes.hpp"

#include "common/text.hpp"
#include "daemon/api/plan_effects.hpp"

#include <boost/json/object.hpp>

namespace fwd::api {

catalog::wait_for wait_named(const std::string& word)
{
    if (word == "listening") return catalog::wait_for::listening;
    if (word == "ready") return catalog::wait_for::ready;
    if (word == "reachable") return catalog::wait_for::reachable;
    return catalog::wait_for::none;
}

duration patience_of(const std::optional<std::int64_t>& milliseconds)
{
    return milliseconds ? duration{std::chrono::milliseconds{*milliseconds}} : duration{60s};
}

catalog::wish_owner owner_of(const api_context& with, const api_request& ask, const std::string& purpose)
{
    return {with.parts.state.self().user, ask.client(), printable(purpose.substr(0, 500)), with.parts.clock.wall_now()};
}

std::optional<reply> unplanned(const api_context& with, const api_request& ask, const std::string& context, std::string_view operation)
{
    if (ask.planned) return std::nullopt;
    // Also those that nothing was forwarded from so far.
    const auto contexts = with.parts.cluster.known();
    const auto* guarded = protected_context(contexts, context);
    if (!guarded) return std::nullopt;
    auto made = failed(409, "confirmation_required", "context " + guarded->name + " is protected; plan this first, then apply the plan");
    auto arguments = parse_json(ask.message.body);
    json::object body{{"operation", operation}, {"arguments", arguments ? std::move(*arguments) : json::value{}}};
    made.problem->next.push_back(
        {.method = "POST", .path = "/api/v1/plans", .body = std::move(body), .why = "says what would happen, and gives the id to apply"});
    return made;
}

std::optional<reply> check_media_type(const api_request& ask)
{
    const auto type = ask.message.fields.get("Content-Type");
    const auto essence = lower(trim(type.substr(0, type.find(';'))));
    if (ask.message.body.empty() || essence.empty() || essence == "application/json") return std::nullopt;
    return failed(415, "unsupported_media_type", "the body must be application/json, not " + printable(essence.substr(0, 100)));
}

reply unknown_key(const error& why, const std::vector<std::string>& candidates, std::string_view list_path)
{
    auto made = failed(why);
    if (why.is(errc::ambiguous)) made.problem->evidence = candidates;
    if (why.is(errc::not_found))
        made.problem->next.push_back({.method = "GET", .path = std::string{list_path}, .why = "lists what is forwarded"});
    return made;
}

} // namespace fwd::api
