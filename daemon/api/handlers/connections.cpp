#include "daemon/catalog/connections.hpp"
#include "common/api/wire_connections.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/handlers/wishes.hpp"
#include "daemon/api/query.hpp"

namespace fwd::api {

namespace {

wire::connection shown(const catalog::open_connection& from)
{
    using stage = catalog::open_connection::stage;
    wire::connection made;
    made.id = from.id;
    made.state = name_of(from.now);
    if (from.now == stage::waiting_for_pod) made.waiting_for = "pod";
    if (from.now == stage::waiting_for_tunnel) made.waiting_for = "tunnel";
    made.service_key = from.service_key;
    made.service_name = from.service;
    made.namespace_name = from.namespace_name;
    made.context = from.context;
    made.forward_key = from.forward_key;
    made.client.address = from.client.text();
    if (from.process.pid) made.client.pid = from.process.pid;
    made.client.process = from.process.name;
    if (from.process.user) made.client.uid = *from.process.user;
    made.local_ip = from.local.ip.to_string();
    made.local_port = from.local.port;
    made.pod_name = from.pod;
    made.pod_port = from.pod_port;
    made.since = from.since;
    made.bytes_in = from.bytes_in;
    made.bytes_out = from.bytes_out;
    made.tunnel = from.tunnel;
    made.transport = from.transport;
    made.stalled = from.stalled;
    return made;
}

awaitable<reply> list_connections(api_context& with, api_request& ask, std::string service_key)
{
    query in{ask.target};
    const page part{in};
    const auto state = in.choice("state", {"waiting", "open", "closing", "all"});
    if (in.problem()) co_return failed(*in.problem());
    auto all = co_await with.parts.connections.connections(std::move(service_key));
    wire::connection_list list;
    using stage = catalog::open_connection::stage;
    for (const auto& one : all) ++(one.now == stage::open ? list.open : one.now == stage::closing ? list.closing : list.waiting);
    // Those whose client is gone are over for whoever asks, unless it is them that are asked for.
    std::erase_if(all,
                  [&](const auto& one) { return state.empty() ? one.now == stage::closing : state != "all" && state != name_of(one.now); });
    wire::meta about;
    for (const auto& one : part.cut(std::move(all), about)) list.connections.push_back(shown(one));
    auto made = ok_with(list);
    made.about = about;
    co_return made;
}

} // namespace

awaitable<reply> get_connections(api_context& with, api_request& ask)
{
    return list_connections(with, ask, {});
}

awaitable<reply> get_service_connections(api_context& with, api_request& ask)
{
    auto of = chosen_service(with, ask, query{ask.target});
    if (!of) co_return std::move(*of.refused);
    co_return co_await list_connections(with, ask, of.it->key());
}

} // namespace fwd::api
