// The JSON of explanations, history, the log and diagnoses.
#include "common/api/wire_history.hpp"

#include "common/api/wire_parts.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, timeline_entry& of)
{
    f.time("time", of.at);
    f.text("source", of.source);
    f.text("kind", of.kind);
    f.text("message", of.message);
    f.maybe("evidence", of.evidence);
}

template <class F>
void describe(F& f, wrong& of)
{
    f.text("key", of.key);
    f.text("kind", of.kind);
    f.text("code", of.code);
    f.text("verdict", of.verdict);
    f.maybe("suggestion", of.suggestion);
    f.maybe_list("next", of.next);
}

template <class F>
void describe(F& f, explanation& of)
{
    f.maybe("asked", of.asked);
    f.maybe("key", of.key);
    f.maybe("serviceName", of.service_name);
    f.maybe("namespace", of.namespace_name);
    f.maybe("context", of.context);
    f.truth("forwarded", of.forwarded);
    f.truth("ok", of.ok);
    f.text("code", of.code);
    f.text("verdict", of.verdict);
    f.text("suggestion", of.suggestion);
    f.list("next", of.next);
    f.list("entries", of.entries);
    f.maybe_list("problems", of.problems);
}

template <class F>
void describe(F& f, past_event& of)
{
    f.whole("id", of.id);
    f.text("type", of.type);
    f.time("timestamp", of.timestamp);
    f.maybe("serviceKey", of.service_key);
    f.maybe("forwardKey", of.forward_key);
    f.maybe("namespace", of.namespace_name);
    f.maybe("context", of.context);
    f.maybe("podName", of.pod_name);
    f.maybe("status", of.status);
    f.maybe("code", of.code);
    f.text("message", of.message);
    f.maybe("client", of.client);
}

template <class F>
void describe(F& f, past_error& of)
{
    f.whole("id", of.id);
    f.time("timestamp", of.timestamp);
    f.maybe("serviceKey", of.service_key);
    f.maybe("forwardKey", of.forward_key);
    f.maybe("namespace", of.namespace_name);
    f.maybe("context", of.context);
    f.maybe("podName", of.pod_name);
    f.text("errorType", of.error_type);
    f.text("message", of.message);
    f.truth("resolved", of.resolved);
    f.time("resolvedAt", of.resolved_at);
}

template <class F>
void describe(F& f, reconnection& of)
{
    f.whole("id", of.id);
    f.time("timestamp", of.timestamp);
    f.text("serviceKey", of.service_key);
    f.maybe("forwardKey", of.forward_key);
    f.maybe("podName", of.pod_name);
    f.text("trigger", of.trigger);
    f.truth("success", of.success);
    f.text("duration", of.duration);
    f.number("durationMs", of.duration_ms);
    f.maybe("error", of.error);
}

template <class F>
void describe(F& f, past_request& of)
{
    f.whole("id", of.id);
    f.time("timestamp", of.timestamp);
    f.text("method", of.method);
    f.text("path", of.path);
    f.maybe("client", of.client);
    f.maybe("owner", of.owner);
    f.maybe("serviceKey", of.service_key);
    f.whole("status", of.status);
    f.maybe("code", of.code);
}

template <class F>
void describe(F& f, history_stats& of)
{
    f.whole("totalEvents", of.total_events);
    f.whole("totalErrors", of.total_errors);
    f.whole("totalReconnects", of.total_reconnects);
    f.whole("totalRequests", of.total_requests);
    f.whole("maxEvents", of.max_events);
    f.whole("maxErrors", of.max_errors);
    f.whole("maxReconnects", of.max_reconnects);
    f.whole("maxRequests", of.max_requests);
    f.whole("dropped", of.dropped);
}

template <class F>
void describe(F& f, log_entry& of)
{
    f.whole("id", of.id);
    f.time("timestamp", of.timestamp);
    f.text("level", of.level);
    f.text("message", of.message);
    f.map("fields", of.fields);
}

template <class F>
void describe(F& f, log_list& of)
{
    f.list("logs", of.logs);
}

template <class F>
void describe(F& f, log_cleared& of)
{
    f.whole("cleared", of.cleared);
}

template <class F>
void describe(F& f, issue& of)
{
    f.text("severity", of.severity);
    f.text("component", of.component);
    f.maybe("serviceKey", of.service_key);
    f.maybe("podName", of.pod_name);
    f.text("message", of.message);
    f.maybe("errorType", of.error_type);
}

template <class F>
void describe(F& f, recommendation& of)
{
    f.text("priority", of.priority);
    f.text("category", of.category);
    f.text("message", of.message);
}

template <class F>
void describe(F& f, suggested_action& of)
{
    f.text("action", of.action);
    f.text("target", of.target);
    f.text("reason", of.reason);
    f.maybe("endpoint", of.endpoint);
    f.maybe("method", of.method);
    f.maybe("command", of.command);
}

template <class F>
void describe(F& f, analysis& of)
{
    f.text("status", of.status);
    f.text("summary", of.summary);
    f.list("issues", of.issues);
    f.list("recommendations", of.recommendations);
    f.list("suggestedActions", of.suggested_actions);
    f.object("stats", of.stats);
}

template <class F>
void describe(F& f, error_detail& of)
{
    f.time("timestamp", of.timestamp);
    f.text("component", of.component);
    f.maybe("serviceKey", of.service_key);
    f.maybe("forwardKey", of.forward_key);
    f.maybe("podName", of.pod_name);
    f.maybe("errorType", of.error_type);
    f.text("message", of.message);
    f.maybe("suggestion", of.suggestion);
    f.truth("recoverable", of.recoverable);
}

template <class F>
void describe(F& f, error_list& of)
{
    f.list("errors", of.errors);
    f.text("overallHealth", of.overall_health);
}

template <class F>
void describe(F& f, service_counts& of)
{
    f.whole("total", of.total);
    f.whole("active", of.active);
    f.whole("error", of.error);
    f.whole("partial", of.partial);
    f.whole("pending", of.pending);
}

template <class F>
void describe(F& f, network_status& of)
{
    f.text("loopbackInterface", of.loopback_interface);
    f.whole("ipsAllocated", of.ips_allocated);
    f.text("ipRange", of.ip_range);
    f.whole("portsInUse", of.ports_in_use);
    f.texts("hostnames", of.hostnames);
    f.maybe("hostsPath", of.hosts_path);
    f.maybe("listening", of.listening);
    f.list("conflicts", of.conflicts);
}

template <class F>
void describe(F& f, diagnostics& of)
{
    f.text("status", of.status);
    f.time("timestamp", of.timestamp);
    f.text("uptime", of.uptime);
    f.text("version", of.version);
    f.object("services", of.services);
    f.object("network", of.network);
    f.list("errors", of.errors);
    f.texts("recommendations", of.recommendations);
}

template <class F>
void describe(F& f, reconnect_state& of)
{
    f.truth("autoReconnectEnabled", of.auto_reconnect_enabled);
    f.truth("isReconnecting", of.is_reconnecting);
    f.whole("attemptCount", of.attempt_count);
    f.time("lastAttempt", of.last_attempt);
    f.time("nextAttempt", of.next_attempt);
}

template <class F>
void describe(F& f, connection_status& of)
{
    f.text("state", of.state);
    f.whole("bytesIn", of.bytes_in);
    f.whole("bytesOut", of.bytes_out);
    f.time("lastActivity", of.last_activity);
}

template <class F>
void describe(F& f, forward_diagnostic& of)
{
    f.text("key", of.what.key);
    f.text("serviceKey", of.what.service_key);
    f.maybe("podName", of.what.pod_name);
    f.maybe("containerName", of.what.container_name);
    f.text("status", of.what.status);
    f.maybe("error", of.what.error);
    f.maybe("errorCode", of.what.error_code);
    f.text("localIP", of.what.local_ip);
    f.port_text("localPort", of.what.local_port);
    f.port_text("podPort", of.what.pod_port);
    f.texts("hostnames", of.what.hostnames);
    f.time("connectedAt", of.what.started_at);
    f.maybe("uptime", of.uptime);
    f.time("lastActive", of.what.last_active);
    f.maybe("idleDuration", of.idle_duration);
    f.object("connection", of.connection);
    f.whole("bytesIn", of.what.bytes_in);
    f.whole("bytesOut", of.what.bytes_out);
    f.number("rateIn", of.what.rate_in);
    f.number("rateOut", of.what.rate_out);
}

template <class F>
void describe(F& f, service_diagnostic& of)
{
    f.text("key", of.key);
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.text("status", of.status);
    f.truth("headless", of.headless);
    f.whole("activeCount", of.active_count);
    f.whole("errorCount", of.error_count);
    f.text("code", of.code);
    f.text("verdict", of.verdict);
    f.maybe("suggestion", of.suggestion);
    f.object("reconnectState", of.reconnecting);
    f.object("pods", of.pods);
    f.list("forwards", of.forwards);
    f.list("errorHistory", of.error_history);
}

FWD_WIRE(explanation)
FWD_WIRE(past_event)
FWD_WIRE(past_error)
FWD_WIRE(reconnection)
FWD_WIRE(past_request)
FWD_WIRE(history_stats)
FWD_WIRE(log_entry)
FWD_WIRE(log_list)
FWD_WIRE(log_cleared)
FWD_WIRE(analysis)
FWD_WIRE(error_list)
FWD_WIRE(network_status)
FWD_WIRE(diagnostics)
FWD_WIRE(forward_diagnostic)
FWD_WIRE(service_diagnostic)
#undef FWD_WIRE

} // namespace fwd::wire
