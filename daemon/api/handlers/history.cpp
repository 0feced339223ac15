#include "common/text.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/handlers/wishes.hpp"
#include "daemon/api/history_views.hpp"
#include "daemon/api/query.hpp"

namespace fwd::api {

namespace {

/// Whatever keeps history from being read is for the caller the same: it is not there.
reply unreadable(const catalog::refusal& why)
{
    return failed(503, "unavailable", why.why.message());
}

/// Past things of one kind, newest first, as an array.
template <class View>
awaitable<reply> list_past(api_context& with, api_request& ask, past_question what, View as)
{
    query in{ask.target};
    what.most = static_cast<std::size_t>(in.whole("count", 100, 1, 1000));
    what.type = in.text("type");
    what.since = in.moment("since", with.parts.clock.wall_now());
    const auto service = what.service_key.empty() ? in.text("service") : std::string{}; // the path may have said which
    if (in.problem()) co_return failed(*in.problem());
    if (!service.empty()) {
        // A short form means what is forwarded now; a whole key also what was.
        const auto keys = with.parts.state.services_like(service);
        if (keys.size() > 1) co_return unknown_key(with.parts.state.find_service(service).error(), keys, "/api/v1/services");
        what.service_key = keys.empty() ? service : keys.front();
    }
    const auto found = co_await with.parts.past.find(std::move(what));
    if (!found) co_return unreadable(found.error());
    std::vector<std::string> list;
    for (const auto& one : *found) list.push_back(wire::to_text(as(one)));
    auto made = ok("[" + join(list, ",") + "]");
    made.about.count = static_cast<std::int64_t>(list.size());
    co_return made;
}

} // namespace

awaitable<reply> get_history_events(api_context& with, api_request& ask)
{
    return list_past(with, ask, {.kind = past_kind::event}, event_view);
}

awaitable<reply> get_history_errors(api_context& with, api_request& ask)
{
    return list_past(with, ask, {.kind = past_kind::error}, error_view);
}

awaitable<reply> get_history_reconnections(api_context& with, api_request& ask)
{
    return list_past(with, ask, {.kind = past_kind::reconnection}, reconnection_view);
}

awaitable<reply> get_history_requests(api_context& with, api_request& ask)
{
    auto as = [owner = with.parts.state.self().user](const past& one) { return request_view(one, owner); };
    return list_past(with, ask, {.kind = past_kind::asked}, std::move(as));
}

awaitable<reply> get_history_stats(api_context& with, api_request&)
{
    const auto counted = co_await with.parts.past.count();
    if (!counted) co_return unreadable(counted.error());
    co_return ok_with(view(*counted));
}

awaitable<reply> get_service_reconnections(api_context& with, api_request& ask)
{
    auto of = chosen_service(with, ask, query{ask.target});
    if (!of) co_return std::move(*of.refused);
    past_question what;
    what.kind = past_kind::reconnection;
    what.service_key = of.it->key();
    co_return co_await list_past(with, ask, std::move(what), reconnection_view);
}

} // namespace fwd::api
