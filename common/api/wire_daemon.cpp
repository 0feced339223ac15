// The JSON of what tells about the daemon, its clusters, connections and events.
#include "common/api/wire_parts.hpp"

namespace fwd::wire {

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

} // namespace fwd::wire
