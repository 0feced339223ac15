// What the files that describe the wire share: descriptions used by several, and the two conversions themselves.
#pragma once

#include "common/api/json_fields.hpp"
#include "common/api/json_schema.hpp"
#include "common/api/json_writer.hpp"
#include "common/api/wire.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, next_step& of)
{
    f.maybe("method", of.method);
    f.maybe("path", of.path);
    f.any("body", of.body);
    f.maybe("command", of.command);
    f.text("why", of.why);
}

template <class F>
void describe(F& f, conflict& of)
{
    f.text("name", of.name);
    f.text("heldBy", of.held_by);
    f.maybe("wantedBy", of.wanted_by);
}

template <class F>
void describe(F& f, pod_count& of)
{
    f.whole("ready", of.ready);
    f.whole("total", of.total);
}

template <class F>
void describe(F& f, failure& of)
{
    f.time("at", of.at);
    f.text("code", of.code);
    f.text("message", of.message);
    f.whole("count", of.count);
    f.time("nextRetryAt", of.next_retry_at);
}

template <class F>
void describe(F& f, summary& of)
{
    f.whole("totalServices", of.total_services);
    f.whole("activeServices", of.active_services);
    f.whole("pendingServices", of.pending_services);
    f.whole("totalForwards", of.total_forwards);
    f.whole("activeForwards", of.active_forwards);
    f.whole("errorCount", of.error_count);
    f.whole("totalBytesIn", of.total_bytes_in);
    f.whole("totalBytesOut", of.total_bytes_out);
    f.number("rateIn", of.rate_in);
    f.number("rateOut", of.rate_out);
}

template <class F>
void describe(F& f, k8s_port& of)
{
    f.maybe("name", of.name);
    f.port("port", of.port);
    f.text("targetPort", of.target_port);
    f.text("protocol", of.protocol);
    f.maybe("appProtocol", of.app_protocol);
    f.maybe("kind", of.kind);
}

template <class F>
void describe(F& f, owner& of)
{
    f.maybe("owner", of.owner);
    f.maybe("client", of.client);
    f.maybe("purpose", of.purpose);
    f.time("createdAt", of.created_at);
}

template <class F>
void describe(F& f, forward& of)
{
    f.text("key", of.key);
    f.text("serviceKey", of.service_key);
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.truth("headless", of.headless);
    f.maybe("podName", of.pod_name);
    f.maybe("containerName", of.container_name);
    f.text("localIP", of.local_ip);
    f.port_text("localPort", of.local_port);
    f.port_text("podPort", of.pod_port);
    f.maybe_port("servicePort", of.service_port);
    f.maybe("portName", of.port_name);
    f.maybe("targetPort", of.target_port);
    f.texts("hostnames", of.hostnames);
    f.text("status", of.status);
    f.truth("verified", of.verified);
    f.maybe("error", of.error);
    f.maybe("errorCode", of.error_code);
    f.time("since", of.since);
    f.time("startedAt", of.started_at);
    f.time("lastActive", of.last_active);
    f.maybe_object("lastError", of.last_error);
    f.time("nextRetryAt", of.next_retry_at);
    f.whole("attempts", of.attempts);
    f.whole("bytesIn", of.bytes_in);
    f.whole("bytesOut", of.bytes_out);
    f.number("rateIn", of.rate_in);
    f.number("rateOut", of.rate_out);
    f.number("avgRateIn", of.avg_rate_in);
    f.number("avgRateOut", of.avg_rate_out);
    f.whole("connections", of.connections);
    f.whole("totalConnections", of.total_connections);
    f.whole("waitingConnections", of.waiting_connections);
    f.text("protocol", of.protocol);
}

template <class F>
void describe(F& f, unsupported_port& of)
{
    f.port("port", of.port);
    f.maybe("name", of.name);
    f.text("protocol", of.protocol);
    f.text("reason", of.reason);
}

template <class F>
void describe(F& f, service& of)
{
    f.text("key", of.key);
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.maybe("type", of.type);
    f.truth("headless", of.headless);
    f.text("status", of.status);
    f.maybe("reason", of.reason);
    f.maybe("reasonCode", of.reason_code);
    f.truth("verified", of.verified);
    f.whole("activeCount", of.active_count);
    f.whole("errorCount", of.error_count);
    f.whole("totalBytesIn", of.total_bytes_in);
    f.whole("totalBytesOut", of.total_bytes_out);
    f.number("rateIn", of.rate_in);
    f.number("rateOut", of.rate_out);
    f.whole("waitingConnections", of.waiting_connections);
    f.maybe("localIP", of.local_ip);
    f.texts("hostnames", of.hostnames);
    f.list("conflicts", of.conflicts);
    f.list("forwards", of.forwards);
    f.list("unsupportedPorts", of.unsupported_ports);
    f.object("pods", of.pods);
    f.object("owner", of.owner);
    f.time("since", of.since);
    f.maybe_object("lastError", of.last_error);
}

template <class F>
void describe(F& f, check& of)
{
    f.text("stage", of.stage);
    f.truth("ok", of.ok);
    f.number("durationMs", of.duration_ms);
    f.maybe("detail", of.detail);
}

template <class F>
void describe(F& f, connection_port& of)
{
    f.port("localPort", of.local_port);
    f.port("remotePort", of.remote_port);
    f.text("protocol", of.protocol);
    f.maybe("name", of.name);
    f.maybe("kind", of.kind);
    f.maybe("url", of.url);
}

template <class F>
void describe(F& f, secret_hint& of)
{
    f.text("name", of.name);
    f.maybe("key", of.key);
    f.maybe("command", of.command);
}

template <class F>
void describe(F& f, connection_info& of)
{
    f.text("key", of.key);
    f.maybe("address", of.address);
    f.texts("hostnames", of.hostnames);
    f.list("ports", of.ports);
    f.maybe("url", of.url);
    f.map("env", of.env);
    f.list("secrets", of.secrets);
    f.truth("verified", of.verified);
    f.text("status", of.status);
    f.maybe("text", of.text);
}

template <class T>
void append_object(json_out& to, const T& from)
{
    text_sink made{to};
    writer<text_sink>::write(made, from);
    made.close();
}

template <class T>
json::value to_json(const T& from)
{
    value_sink made;
    writer<value_sink>::write(made, from);
    return made.take();
}

template <class T>
std::string to_text(const T& from)
{
    json_out made;
    append_object(made, from);
    return made.take();
}

template <class T>
result<T> from_json(const json::value& from)
{
    return json_filler::read<T>(from);
}

template <class T>
json::value schema_of(schema_side side)
{
    return json_schema::of<T>(side);
}

/// Instantiates all directions and the schema for one struct, in the file that describes it.
#define FWD_WIRE(T)                                                                                                                        \
    template json::value to_json<T>(const T&);                                                                                             \
    template std::string to_text<T>(const T&);                                                                                             \
    template json::value schema_of<T>(schema_side);                                                                                        \
    template result<T> from_json<T>(const json::value&);

} // namespace fwd::wire
