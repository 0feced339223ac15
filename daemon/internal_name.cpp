#include "daemon/internal_name.hpp"

namespace fwd::daemon {

namespace {

constexpr auto internal_name = "fwd.internal";
constexpr std::uint16_t http_port = 80;
constexpr unsigned api_index = 1; ///< of the listeners that the agent has attached

} // namespace

awaitable<result<std::unique_ptr<acceptor>>> listen_at_internal_name(network& net, store::lease_store& leases, host::host_client& host)
{
    auto listener = net.listen(make_endpoint(ipv4{0x7f000001}, 0), {});
    if (!listener) co_return listener.error();
    const auto address = leases.allocate(internal_name);
    if (!address) co_return address.error();
    const std::vector<host::route_entry> routes{{*address, http_port, api_index}};
    const std::vector<host::host_names> names{{*address, {internal_name}}};
    const std::vector<ipv4> addresses{*address};
    if (const auto done = co_await host.attach(api_index, (*listener)->descriptor()); !done) co_return done.error();
    if (const auto done = co_await host.add_addresses(addresses); !done) co_return done.error();
    if (const auto done = co_await host.route(routes); !done) co_return done.error();
    const auto refused = co_await host.put_names(names);
    if (!refused) co_return refused.error();
    if (!refused->empty()) co_return error{errc::conflict, "the name is held by " + refused->front().why};
    co_return std::move(*listener);
}

} // namespace fwd::daemon
