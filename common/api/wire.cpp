#include "common/api/wire.hpp"

#include "common/api/json_fields.hpp"

#include <fmt/core.h>

namespace fwd::wire {

// One description each; the order is that of the JSON. An empty text that means "absent" is `maybe`.

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
void describe(F& f, problem& of)
{
    f.text("code", of.code);
    f.text("message", of.message);
    f.maybe("cause", of.cause);
    f.maybe_texts("evidence", of.evidence);
    f.maybe_list("next", of.next);
    f.maybe_whole("retryAfterMs", of.retry_after_ms);
}

template <class F>
void describe(F& f, meta& of)
{
    f.time("timestamp", of.timestamp);
    f.maybe_whole("count", of.count);
    f.maybe_whole("total", of.total);
    f.maybe_whole("offset", of.offset);
    f.maybe_whole("limit", of.limit);
}

template <class F>
void describe(F& f, envelope& of)
{
    f.truth("success", of.success);
    f.any("data", of.data);
    f.maybe_object("error", of.error);
    f.maybe_object("meta", of.about);
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
void describe(F& f, conflict& of)
{
    f.text("name", of.name);
    f.text("heldBy", of.held_by);
}

template <class F>
void describe(F& f, pod_count& of)
{
    f.whole("ready", of.ready);
    f.whole("total", of.total);
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
void describe(F& f, service_list& of)
{
    f.list("services", of.services);
    f.object("summary", of.summary);
}

template <class F>
void describe(F& f, forward_list& of)
{
    f.list("forwards", of.forwards);
    f.object("summary", of.summary);
}

template <class F>
void describe(F& f, namespace_info& of)
{
    f.text("key", of.key);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.whole("serviceCount", of.service_count);
    f.whole("activeCount", of.active_count);
    f.whole("errorCount", of.error_count);
    f.truth("running", of.running);
    f.maybe("labelSelector", of.label_selector);
    f.maybe("fieldSelector", of.field_selector);
    f.maybe_texts("services", of.services);
    f.maybe_texts("exclude", of.exclude);
    f.object("owner", of.owner);
    f.maybe_object("lastError", of.last_error);
}

template <class F>
void describe(F& f, namespace_list& of)
{
    f.list("namespaces", of.namespaces);
}

template <class F>
void describe(F& f, wanted_port& of)
{
    f.port_or_name("port", of.port);
    f.maybe_port("localPort", of.local_port);
}

template <class F>
void describe(F& f, add_service& of)
{
    f.required("serviceName", of.service_name);
    f.maybe("namespace", of.namespace_name);
    f.maybe("context", of.context);
    f.maybe_list("ports", of.ports);
    f.maybe("localIP", of.local_ip);
    f.maybe("wait", of.wait);
    f.maybe_whole("timeoutMs", of.timeout_ms);
    f.maybe("purpose", of.purpose);
}

template <class F>
void describe(F& f, port_mapping& of)
{
    f.port_text("localPort", of.local_port);
    f.port_text("remotePort", of.remote_port);
    f.text("protocol", of.protocol);
    f.maybe("name", of.name);
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
void describe(F& f, added_service& of)
{
    f.text("key", of.key);
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.maybe("localIP", of.local_ip);
    f.texts("hostnames", of.hostnames);
    f.list("ports", of.ports);
    f.text("status", of.status);
    f.truth("created", of.created);
    f.truth("ready", of.ready);
    f.maybe("reason", of.reason);
    f.maybe("reasonCode", of.reason_code);
    f.maybe_list("checks", of.checks);
}

template <class F>
void describe(F& f, removed& of)
{
    f.truth("removed", of.done);
    f.text("key", of.key);
    f.text("message", of.message);
    f.texts("services", of.services);
}

template <class F>
void describe(F& f, add_namespace& of)
{
    f.required("namespace", of.namespace_name);
    f.maybe("context", of.context);
    f.maybe("selector", of.selector);
    f.maybe("fieldSelector", of.field_selector);
    f.maybe_texts("services", of.services);
    f.maybe_texts("exclude", of.exclude);
    f.maybe("wait", of.wait);
    f.maybe_whole("timeoutMs", of.timeout_ms);
    f.maybe("purpose", of.purpose);
}

template <class F>
void describe(F& f, not_ready& of)
{
    f.text("key", of.key);
    f.text("why", of.why);
}

template <class F>
void describe(F& f, added_namespace& of)
{
    f.text("key", of.key);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.truth("created", of.created);
    f.truth("ready", of.ready);
    f.texts("services", of.services);
    f.list("notReady", of.not_ready);
}

template <class F>
void describe(F& f, shutdown_request& of)
{
    f.truth("force", of.force);
}

template <class F>
void describe(F& f, shutdown_reply& of)
{
    f.whole("services", of.services);
    f.whole("forwards", of.forwards);
    f.whole("connections", of.connections);
    f.text("message", of.message);
}

template <class F>
void describe(F& f, token_rotated& of)
{
    f.text("path", of.path);
}

template <class F>
void describe(F& f, health& of)
{
    f.text("status", of.status);
    f.text("version", of.version);
    f.text("uptime", of.uptime);
    f.time("timestamp", of.timestamp);
}

template <class F>
void describe(F& f, context_state& of)
{
    f.text("name", of.name);
    f.maybe("alias", of.alias);
    f.maybe("server", of.server);
    f.maybe("cluster", of.cluster);
    f.maybe("user", of.user);
    f.maybe("namespace", of.namespace_name);
    f.maybe("version", of.version);
    f.truth("active", of.active);
    f.truth("primary", of.primary);
    f.truth("reachable", of.reachable);
    f.truth("insecure", of.insecure);
    f.maybe("waitingFor", of.waiting_for);
    f.maybe("error", of.error);
    f.maybe("errorCode", of.error_code);
    f.maybe_object("lastError", of.last_error);
}

template <class F>
void describe(F& f, context_list& of)
{
    f.list("contexts", of.contexts);
    f.maybe("currentContext", of.current_context);
}

template <class F>
void describe(F& f, primary& of)
{
    f.maybe("namespace", of.namespace_name);
    f.maybe("context", of.context);
}

template <class F>
void describe(F& f, info& of)
{
    f.text("version", of.version);
    f.maybe("build", of.build);
    f.maybe("platform", of.platform);
    f.whole("pid", of.pid);
    f.text("user", of.user);
    f.time("startTime", of.start_time);
    f.text("uptime", of.uptime);
    f.texts("namespaces", of.namespaces);
    f.texts("contexts", of.contexts);
    f.object("primary", of.primary);
    f.maybe("listening", of.listening);
    f.maybe("hostsPath", of.hosts_path);
    f.truth("privileged", of.privileged);
    f.truth("apiEnabled", of.api_enabled);
    f.whole("tuiEnabled", of.tui_enabled);
    f.texts("urls", of.urls);
}

template <class F>
void describe(F& f, trouble& of)
{
    f.maybe("serviceKey", of.service_key);
    f.text("status", of.status);
    f.maybe("code", of.code);
    f.text("message", of.message);
}

template <class F>
void describe(F& f, status& of)
{
    f.text("status", of.status);
    f.text("message", of.message);
    f.text("version", of.version);
    f.text("uptime", of.uptime);
    f.time("timestamp", of.timestamp);
    f.whole("errorCount", of.error_count);
    f.object("summary", of.summary);
    f.list("contexts", of.contexts);
    f.list("problems", of.problems);
    f.maybe("listening", of.listening);
}

template <class F>
void describe(F& f, k8s_port& of)
{
    f.maybe("name", of.name);
    f.port("port", of.port);
    f.text("targetPort", of.target_port);
    f.text("protocol", of.protocol);
}

template <class F>
void describe(F& f, k8s_service& of)
{
    f.text("name", of.name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.text("type", of.type);
    f.maybe("clusterIP", of.cluster_ip);
    f.list("ports", of.ports);
    f.map("selector", of.selector);
    f.truth("forwarded", of.forwarded);
    f.maybe("forwardKey", of.forward_key);
}

template <class F>
void describe(F& f, k8s_service_list& of)
{
    f.list("services", of.services);
}

template <class F>
void describe(F& f, k8s_namespace& of)
{
    f.text("name", of.name);
    f.text("status", of.status);
    f.truth("forwarded", of.forwarded);
}

template <class F>
void describe(F& f, k8s_namespace_list& of)
{
    f.list("namespaces", of.namespaces);
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

template <class F>
void describe(F& f, event& of)
{
    f.text("type", of.type);
    f.time("timestamp", of.timestamp);
    f.group("data", [&of](auto& in) {
        in.maybe("serviceKey", of.service_key);
        in.maybe("service", of.service);
        in.maybe("namespace", of.namespace_name);
        in.maybe("context", of.context);
        in.maybe("podName", of.pod_name);
        in.maybe("localIP", of.local_ip);
        in.port_text("localPort", of.local_port);
        in.port_text("podPort", of.pod_port);
        in.maybe_texts("hostnames", of.hostnames);
        in.maybe("status", of.status);
        in.maybe("reason", of.reason);
        in.maybe("error", of.error);
        in.maybe("client", of.client);
        in.maybe_amount("bytesIn", of.bytes_in);
        in.maybe_amount("bytesOut", of.bytes_out);
    });
}

template <class F>
void describe(F& f, dropped& of)
{
    f.whole("count", of.count);
}

template <class T>
json::value to_json(const T& from)
{
    return json_writer::object_of(from);
}

template <class T>
result<T> from_json(const json::value& from)
{
    return json_filler::read<T>(from);
}

#define FWD_WIRE(T)                                                                                                                        \
    template json::value to_json<T>(const T&);                                                                                             \
    template result<T> from_json<T>(const json::value&);
FWD_WIRE(next_step)
FWD_WIRE(problem)
FWD_WIRE(meta)
FWD_WIRE(envelope)
FWD_WIRE(failure)
FWD_WIRE(forward)
FWD_WIRE(service)
FWD_WIRE(summary)
FWD_WIRE(service_list)
FWD_WIRE(forward_list)
FWD_WIRE(namespace_info)
FWD_WIRE(namespace_list)
FWD_WIRE(add_service)
FWD_WIRE(added_service)
FWD_WIRE(removed)
FWD_WIRE(add_namespace)
FWD_WIRE(added_namespace)
FWD_WIRE(shutdown_request)
FWD_WIRE(shutdown_reply)
FWD_WIRE(token_rotated)
FWD_WIRE(health)
FWD_WIRE(context_state)
FWD_WIRE(context_list)
FWD_WIRE(info)
FWD_WIRE(status)
FWD_WIRE(k8s_service)
FWD_WIRE(k8s_service_list)
FWD_WIRE(k8s_namespace)
FWD_WIRE(k8s_namespace_list)
FWD_WIRE(connection_info)
FWD_WIRE(event)
FWD_WIRE(dropped)
#undef FWD_WIRE

std::string uptime_text(duration since)
{
    const auto all = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(since).count());
    const auto hours = all / 3600, minutes = all / 60 % 60, seconds = all % 60;
    if (hours > 0) return fmt::format("{}h{}m{}s", hours, minutes, seconds);
    if (minutes > 0) return fmt::format("{}m{}s", minutes, seconds);
    return fmt::format("{}s", seconds);
}

result<envelope> parse_envelope(std::string_view text)
{
    auto value = parse_json(text);
    if (!value) return value.error();
    return from_json<envelope>(*value);
}

} // namespace fwd::wire
