#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/views.hpp"

#include <fmt/core.h>

namespace fwd::api {

awaitable<reply> get_health(api_context& with, api_request&)
{
    reply made;
    made.bare = wire::to_text(health_view(with.parts.state, with.parts.clock.wall_now()));
    co_return made;
}

awaitable<reply> get_info(api_context& with, api_request&)
{
    const auto& all = with.parts.state;
    const auto& self = all.self();
    wire::info made;
    made.version = self.version;
    made.build = self.build;
    made.platform = self.platform;
    made.user = self.user;
    made.pid = self.pid;
    made.start_time = self.started;
    made.uptime = wire::uptime_text(with.parts.clock.wall_now() - self.started);
    for (const auto& [key, one] : all.namespaces()) made.namespaces.push_back(key);
    for (const auto& [name, one] : all.contexts()) made.contexts.push_back(name);
    made.primary = {self.primary_namespace, self.primary_context};
    made.listening = self.listening;
    made.hosts_path = self.hosts_path;
    made.privileged = self.privileged;
    made.api_enabled = with.settings.tcp;
    made.urls = with.urls();
    co_return ok_with(made);
}

awaitable<reply> get_status(api_context& with, api_request&)
{
    co_return ok_with(status_view(with.parts.state, with.parts.clock.wall_now()));
}

awaitable<reply> post_shutdown(api_context& with, api_request& ask)
{
    auto wish = body_of<wire::shutdown_request>(ask);
    if (!wish) co_return std::move(*wish.refused);
    wire::shutdown_reply ends{.message = "the daemon is stopping"};
    for (const auto& [key, service] : with.parts.state.services()) {
        ++ends.services;
        for (const auto& forward : service.forwards) {
            ++ends.forwards;
            ends.connections += forward.traffic->open.load(std::memory_order_relaxed);
        }
    }
    auto made = ok_with(ends);
    made.then = [&commands = with.parts.commands, force = wish.it.force] { commands.shutdown(force); };
    co_return made;
}

awaitable<reply> post_token_rotate(api_context& with, api_request&)
{
    if (auto done = with.token.rotate(); !done) co_return failed(500, "internal_error", done.error().message());
    with.parts.log.info("API token replaced");
    co_return ok_with(wire::token_rotated{with.token.path()});
}

} // namespace fwd::api
