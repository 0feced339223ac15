#include "daemon/api/diagnoses.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/handlers/wishes.hpp"
#include "daemon/api/query.hpp"

namespace fwd::api {

namespace {

/// Errors of history, newest first. Without history there are none to tell.
awaitable<std::vector<past>> past_errors(api_context& with, std::string key, std::size_t most)
{
    past_question what;
    what.kind = past_kind::error;
    what.most = most;
    what.service_key = std::move(key);
    auto found = co_await with.parts.past.find(std::move(what));
    co_return found ? std::move(*found) : std::vector<past>{};
}

awaitable<catalog::answer<catalog::explanation>> all_that_is_wrong(api_context& with)
{
    return with.parts.explain.explain({}, {});
}

} // namespace

awaitable<reply> get_analyze(api_context& with, api_request&)
{
    const auto wrong = co_await all_that_is_wrong(with);
    if (!wrong) co_return failed(wrong.error());
    co_return ok_with(analysis_of(with.parts.state, *wrong));
}

awaitable<reply> get_diagnostics(api_context& with, api_request&)
{
    const auto wrong = co_await all_that_is_wrong(with);
    if (!wrong) co_return failed(wrong.error());
    co_return ok_with(diagnostics_of(with.parts.state, *wrong, with.parts.clock.wall_now()));
}

awaitable<reply> get_service_diagnostics(api_context& with, api_request& ask)
{
    auto of = chosen_service(with, ask, query{ask.target});
    if (!of) co_return std::move(*of.refused);
    const auto key = of.it->key();
    const auto why = co_await with.parts.explain.explain(key, std::nullopt);
    if (!why) co_return failed(why.error());
    const auto errors = co_await past_errors(with, key, 50);
    const auto still = with.parts.state.find_service(key); // the cluster was asked meanwhile
    if (!still) co_return unknown_key(still.error(), {}, "/api/v1/services");
    co_return ok_with(diagnostic_of(**still, *why, errors, with.parts.clock.wall_now()));
}

awaitable<reply> get_forward_diagnostics(api_context& with, api_request& ask)
{
    const auto found = with.parts.state.find_forward(ask.key());
    if (!found) co_return unknown_key(found.error(), {}, "/api/v1/forwards");
    co_return ok_with(diagnostic_of(*found->first, *found->second, with.parts.clock.wall_now()));
}

awaitable<reply> get_network_diagnostics(api_context& with, api_request&)
{
    co_return ok_with(network_of(with.parts.state));
}

awaitable<reply> get_error_diagnostics(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto most = static_cast<std::size_t>(in.whole("count", 50, 1, 500));
    if (in.problem()) co_return failed(*in.problem());
    const auto wrong = co_await all_that_is_wrong(with);
    if (!wrong) co_return failed(wrong.error());
    const auto errors = co_await past_errors(with, {}, most);
    co_return ok_with(errors_of(with.parts.state, *wrong, errors, most));
}

} // namespace fwd::api
