#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/history_views.hpp"
#include "daemon/api/query.hpp"

namespace fwd::api {

namespace {

awaitable<reply> explained(api_context& with, api_request& ask, std::string any)
{
    query in{ask.target};
    const auto since = in.moment("since", with.parts.clock.wall_now());
    if (in.problem()) co_return failed(*in.problem());
    const auto found = co_await with.parts.explain.explain(std::move(any), since);
    if (!found) co_return failed(found.error());
    co_return ok_with(view(*found));
}

} // namespace

awaitable<reply> get_explain(api_context& with, api_request& ask)
{
    return explained(with, ask, {});
}

awaitable<reply> get_explain_any(api_context& with, api_request& ask)
{
    return explained(with, ask, ask.key());
}

} // namespace fwd::api
