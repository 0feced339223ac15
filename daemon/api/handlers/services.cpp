#include "common/api/list_text.hpp"
#include "daemon/api/connection_strings.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/views.hpp"

#include <fmt/core.h>

namespace fwd::api {

namespace {

result<catalog::add_service> as_command(const wire::add_service& wish)
{
    catalog::add_service made;
    made.service = wish.service_name;
    made.namespace_name = wish.namespace_name;
    made.context = wish.context;
    for (const auto& port : wish.ports) made.ports.push_back({port.port, port.local_port});
    if (wish.local_ip) {
        const auto address = ipv4::parse(*wish.local_ip);
        if (!address) return error{errc::invalid_request, "member 'localIP': expected an IPv4 address"};
        made.local_ip = *address;
    }
    made.wait = wait_named(wish.wait);
    made.timeout = patience_of(wish.timeout_ms);
    return made;
}

} // namespace

awaitable<reply> get_services(api_context& with, api_request& ask)
{
    query in{ask.target};
    const page part{in};
    const auto status = in.choice("status", {"active", "partial", "pending", "error", "stopping", "unsupported", "local", "all"});
    const auto name_space = in.text("namespace"), context = in.text("context"), search = in.text("search");
    if (in.problem()) co_return failed(*in.problem());
    std::vector<const catalog::service*> chosen;
    for (const auto& [key, one] : with.parts.state.services()) {
        if (!status.empty() && status != "all" && status != name_of(one.state)) continue;
        if (!name_space.empty() && name_space != one.namespace_name) continue;
        if (!context.empty() && context != one.context) continue;
        const auto found = [&](const std::string& name) { return contains(name, search); };
        if (!found(key) && std::none_of(one.hostnames.begin(), one.hostnames.end(), found)) continue;
        chosen.push_back(&one);
    }
    wire::meta about;
    wire::list_text<wire::service> list{"services"};
    for (const auto* one : part.cut(std::move(chosen), about)) list.add(view(*one));
    auto made = ok(list.finish(view(with.parts.state.sum())));
    made.about = about;
    co_return made;
}

awaitable<reply> post_service(api_context& with, api_request& ask)
{
    auto wish = body_of<wire::add_service>(ask);
    if (!wish) co_return std::move(*wish.refused);
    auto command = as_command(wish.it);
    if (!command) co_return failed(command.error());
    if (auto guarded = unplanned(with, ask, command->context, "add_service")) co_return std::move(*guarded);
    command->owner = owner_of(with, ask, wish.it.purpose);
    const auto added = co_await with.parts.commands.add(std::move(*command));
    if (!added) co_return failed(added.error());
    const auto service = with.parts.state.find_service(added->key);
    if (!service) co_return failed(error{errc::gone, added->key + " was removed while it was added"});
    co_return ok_with(added_view(**service, *added), added->created ? 201 : 200);
}

awaitable<reply> get_service(api_context& with, api_request& ask)
{
    auto of = chosen_service(with, ask, query{ask.target});
    if (!of) co_return std::move(*of.refused);
    co_return ok_with(view(*of.it));
}

awaitable<reply> delete_service(api_context& with, api_request& ask)
{
    auto of = chosen_service(with, ask, query{ask.target});
    if (!of) co_return std::move(*of.refused);
    const auto key = of.it->key();
    const auto gone = co_await with.parts.commands.remove_service(key);
    if (!gone) co_return failed(gone.error());
    co_return ok_with(wire::removed{true, key, key + " is no longer forwarded", *gone, {}});
}

} // namespace fwd::api
