// Which namespace has the bare names.
#include "common/api/wire_primary.hpp"
#include "common/text.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/handlers/wishes.hpp"

namespace fwd::api {

awaitable<reply> put_primary(api_context& with, api_request& ask)
{
    auto wish = body_of<wire::set_primary>(ask);
    if (!wish) co_return std::move(*wish.refused);
    const auto& name = wish.it.namespace_name;
    if (!is_dns_label(name))
        co_return failed(error{errc::invalid_request, "member 'namespace': '" + printable(name) + "' is no namespace name"});
    catalog::set_primary command{wish.it.context, name, owner_of(with, ask, "")};
    const auto done = co_await with.parts.commands.set_primary(std::move(command));
    if (!done) co_return failed(done.error());
    wire::primary_set made{done->namespace_name, done->context, {}};
    for (const auto& one : done->moved) made.moved.push_back({one.name, one.from, one.to});
    co_return ok_with(made);
}

} // namespace fwd::api
