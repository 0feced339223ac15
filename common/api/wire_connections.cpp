// The JSON of connections.
#include "common/api/wire_connections.hpp"

#include "common/api/wire_parts.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, connection_client& of)
{
    f.text("address", of.address);
    f.maybe_whole("pid", of.pid);
    f.maybe("process", of.process);
    f.maybe_whole("uid", of.uid);
}

template <class F>
void describe(F& f, connection& of)
{
    f.whole("id", of.id);
    f.text("state", of.state);
    f.maybe("waitingFor", of.waiting_for);
    f.text("serviceKey", of.service_key);
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.text("forwardKey", of.forward_key);
    f.object("client", of.client);
    f.text("localIP", of.local_ip);
    f.port_text("localPort", of.local_port);
    f.maybe("podName", of.pod_name);
    f.port_text("podPort", of.pod_port);
    f.time("since", of.since);
    f.whole("bytesIn", of.bytes_in);
    f.whole("bytesOut", of.bytes_out);
    f.maybe_amount("tunnel", of.tunnel);
    f.maybe("transport", of.transport);
    f.truth("stalled", of.stalled);
}

template <class F>
void describe(F& f, connection_list& of)
{
    f.list("connections", of.connections);
    f.whole("open", of.open);
    f.whole("waiting", of.waiting);
    f.whole("closing", of.closing);
}

FWD_WIRE(connection)
FWD_WIRE(connection_list)
#undef FWD_WIRE

} // namespace fwd::wire
