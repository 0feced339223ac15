// Connecting anew and comparing with the cluster; each answers with the state afterwards.
#include "common/api/wire_actions.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/views.hpp"

namespace fwd::api {

namespace {

constexpr duration patience = 10s; ///< for a tunnel to be opened or to fail

bool fails(const catalog::service& of)
{
    const auto in_error = [](const catalog::forward& one) { return one.state == catalog::forward_state::error; };
    return of.state == catalog::service_state::error || std::any_of(of.forwards.begin(), of.forwards.end(), in_error);
}

awaitable<reply> connect_anew(api_context& with, std::vector<std::string> keys)
{
    co_await with.parts.commands.reconnect(keys, patience);
    wire::reconnected made{static_cast<std::int64_t>(keys.size())};
    for (const auto& key : keys)
        if (const auto at = with.parts.state.services().find(key); at != with.parts.state.services().end())
            made.services.push_back(view(at->second));
    co_return ok_with(made);
}

} // namespace

awaitable<reply> post_services_reconnect(api_context& with, api_request& ask)
{
    auto wish = body_of<wire::reconnect_request>(ask);
    if (!wish) co_return std::move(*wish.refused);
    std::vector<std::string> keys;
    for (const auto& [key, one] : with.parts.state.services())
        if (wish.it.scope == "all" || fails(one)) keys.push_back(key);
    co_return co_await connect_anew(with, std::move(keys));
}

awaitable<reply> post_service_reconnect(api_context& with, api_request& ask)
{
    auto of = chosen_service(with, ask, query{ask.target});
    if (!of) co_return std::move(*of.refused);
    std::vector<std::string> keys{of.it->key()};
    co_return co_await connect_anew(with, std::move(keys));
}

awaitable<reply> post_service_sync(api_context& with, api_request& ask)
{
    auto of = chosen_service(with, ask, query{ask.target});
    if (!of) co_return std::move(*of.refused);
    auto wish = body_of<wire::sync_request>(ask);
    if (!wish) co_return std::move(*wish.refused);
    const auto key = of.it->key();
    const auto done = co_await with.parts.commands.sync(key, patience);
    if (!done) co_return failed(done.error());
    if (wish.it.force) {
        std::vector<std::string> keys{key};
        co_await with.parts.commands.reconnect(std::move(keys), patience);
    }
    const auto now = with.parts.state.find_service(key);
    if (!now) co_return unknown_key(now.error(), {}, "/api/v1/services");
    co_return ok_with(wire::synced{view(**now), wish.it.force});
}

} // namespace fwd::api
