// Which namespace has the bare names.
#include "common/api/wire_primary.hpp"
#include "common/text.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/handlers/wishes.hpp"
#include "daemon/api/query.hpp"

namespace fwd::api {

awaitable<reply> put_primary(api_context& with, api_request& ask)
{
    if (auto wrong = check_media_type(ask)) co_return std::move(*wrong);
    const auto wish = read_body<wire::set_primary>(ask.message.body);
    if (!wish) co_return failed(wish.error());
    if (!is_dns_label(wish->namespace_name))
        co_return failed(
            error{errc::invalid_request, "member 'namespace': '" + printable(wish->namespace_name) + "' is no namespace name"});
    catalog::set_primary command{wish->context, wish->namespace_name, owner_of(with, ask, "")};
    const auto done = co_await with.parts.commands.set_primary(std::move(command));
    if (!done) co_return failed(done.error());
    wire::primary_set made{done->namespace_name, done->context, {}};
    for (const auto& one : done->moved) made.moved.push_back({one.name, one.from, one.to});
    co_return ok_with(made);
}

} // namespace fwd::api
