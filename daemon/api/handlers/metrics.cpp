#include "daemon/api/metrics.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/query.hpp"

namespace fwd::api {

namespace {

std::size_t points_asked(query& in)
{
    return static_cast<std::size_t>(in.whole("points", 60, 1, static_cast<std::int64_t>(traffic::kept_seconds)));
}

} // namespace

awaitable<reply> get_metrics(api_context& with, api_request&)
{
    co_return ok_with(metrics_view(with.parts.state, with.parts.clock.wall_now()));
}

awaitable<reply> get_service_metrics_list(api_context& with, api_request& ask)
{
    query in{ask.target};
    const page part{in};
    if (in.problem()) co_return failed(*in.problem());
    std::vector<const catalog::service*> all;
    for (const auto& [key, one] : with.parts.state.services()) all.push_back(&one);
    wire::meta about;
    wire::service_metrics_list list;
    for (const auto* one : part.cut(std::move(all), about)) list.services.push_back(metrics_view(*one));
    list.summary = metrics_view(with.parts.state, with.parts.clock.wall_now());
    auto made = ok_with(list);
    made.about = about;
    co_return made;
}

awaitable<reply> get_service_metrics(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto points = points_asked(in);
    auto of = chosen_service(with, ask, in);
    if (!of) co_return std::move(*of.refused);
    auto made = metrics_view(*of.it);
    made.history = history_view(*of.it, with.parts.clock.wall_now(), points);
    co_return ok_with(made);
}

awaitable<reply> get_service_metrics_history(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto points = points_asked(in);
    auto of = chosen_service(with, ask, in);
    if (!of) co_return std::move(*of.refused);
    co_return ok_with(wire::metrics_history{of.it->key(), history_view(*of.it, with.parts.clock.wall_now(), points)});
}

awaitable<reply> get_prometheus(api_context& with, api_request&)
{
    reply made;
    made.bare = prometheus_text(with.parts.state, with.parts.clock.wall_now());
    made.content_type = prometheus_type;
    co_return made;
}

} // namespace fwd::api
