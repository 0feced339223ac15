// The JSON of what a cluster has.
#include "common/api/wire_cluster.hpp"
#include "common/api/wire_parts.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, found_service& of)
{
    f.text("name", of.name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.texts("contexts", of.contexts);
    f.text("type", of.type);
    f.list("ports", of.ports);
    f.texts("kinds", of.kinds);
    f.texts("matched", of.matched);
    f.whole("score", of.score);
    f.truth("forwarded", of.forwarded);
    f.maybe("forwardKey", of.forward_key);
}

template <class F>
void describe(F& f, silent_context& of)
{
    f.text("context", of.context);
    f.text("code", of.code);
    f.text("error", of.error);
}

template <class F>
void describe(F& f, found_services& of)
{
    f.list("services", of.services);
    f.list("unreachable", of.unreachable);
}

template <class F>
void describe(F& f, k8s_ports& of)
{
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.text("source", of.source);
    f.list("ports", of.ports);
}

template <class F>
void describe_head(F& f, k8s_pod& of)
{
    f.text("name", of.name);
    f.text("namespace", of.namespace_name);
    f.text("phase", of.phase);
    f.text("status", of.status);
    f.text("ready", of.ready);
    f.whole("restarts", of.restarts);
    f.maybe("age", of.age);
    f.maybe("ip", of.ip);
    f.maybe("node", of.node);
    f.map("labels", of.labels);
    f.time("startTime", of.start_time);
    f.maybe("serviceName", of.service_name);
    f.truth("isForwarded", of.is_forwarded);
    f.maybe_port("forwardedPort", of.forwarded_port);
}

template <class F>
void describe(F& f, k8s_pod& of)
{
    describe_head(f, of);
    f.texts("containers", of.containers);
}

template <class F>
void describe(F& f, k8s_pod_list& of)
{
    f.list("pods", of.pods);
}

template <class F>
void describe(F& f, k8s_container_port& of)
{
    f.maybe("name", of.name);
    f.port("containerPort", of.container_port);
    f.text("protocol", of.protocol);
}

template <class F>
void describe(F& f, k8s_variable& of)
{
    f.text("name", of.name);
    f.maybe("value", of.value);
    f.maybe("from", of.from);
    f.truth("withheld", of.withheld);
}

template <class F>
void describe(F& f, k8s_container& of)
{
    f.text("name", of.name);
    f.text("image", of.image);
    f.truth("init", of.init);
    f.truth("sidecar", of.sidecar);
    f.truth("ready", of.ready);
    f.truth("started", of.started);
    f.whole("restartCount", of.restart_count);
    f.maybe("state", of.state);
    f.maybe("stateReason", of.state_reason);
    f.maybe("stateMessage", of.state_message);
    f.maybe("lastState", of.last_state);
    f.list("ports", of.ports);
    f.group("resources", [&of](auto& in) {
        in.map("requests", of.requests);
        in.map("limits", of.limits);
    });
    f.list("env", of.env);
}

template <class F>
void describe(F& f, k8s_condition& of)
{
    f.text("type", of.type);
    f.text("status", of.status);
    f.maybe("reason", of.reason);
    f.maybe("message", of.message);
    f.time("lastTransitionTime", of.last_transition_time);
}

template <class F>
void describe(F& f, k8s_volume& of)
{
    f.text("name", of.name);
    f.text("kind", of.kind);
    f.maybe("source", of.source);
}

template <class F>
void describe(F& f, k8s_event& of)
{
    f.text("type", of.type);
    f.text("reason", of.reason);
    f.text("message", of.message);
    f.whole("count", of.count);
    f.time("firstTimestamp", of.first_timestamp);
    f.time("lastTimestamp", of.last_timestamp);
    f.maybe("source", of.source);
    f.text("objectKind", of.object_kind);
    f.text("objectName", of.object_name);
}

template <class F>
void describe(F& f, k8s_pod_detail& of)
{
    describe_head(f, of);
    f.text("context", of.context);
    f.maybe("message", of.message);
    f.maybe("reason", of.reason);
    f.maybe("hostIP", of.host_ip);
    f.maybe("qosClass", of.qos_class);
    f.map("annotations", of.annotations);
    f.list("containers", of.details);
    f.list("conditions", of.conditions);
    f.list("volumes", of.volumes);
    f.list("events", of.events);
}

template <class F>
void describe(F& f, k8s_event_list& of)
{
    f.list("events", of.events);
}

template <class F>
void describe(F& f, pod_logs& of)
{
    f.text("podName", of.pod_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.text("containerName", of.container_name);
    f.texts("logs", of.logs);
    f.whole("lineCount", of.line_count);
    f.truth("truncated", of.truncated);
}

template <class F>
void describe(F& f, k8s_address& of)
{
    f.text("ip", of.ip);
    f.maybe("hostname", of.hostname);
    f.maybe("node", of.node);
    f.maybe("pod", of.pod);
}

template <class F>
void describe(F& f, k8s_subset& of)
{
    f.list("addresses", of.addresses);
    f.list("notReadyAddresses", of.not_ready_addresses);
    f.list("ports", of.ports);
}

template <class F>
void describe(F& f, k8s_endpoints& of)
{
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.list("subsets", of.subsets);
    f.list("ready", of.ready);
    f.list("notReady", of.not_ready);
    f.list("ports", of.ports);
}

FWD_WIRE(found_services)
FWD_WIRE(k8s_ports)
FWD_WIRE(k8s_pod)
FWD_WIRE(k8s_pod_list)
FWD_WIRE(k8s_pod_detail)
FWD_WIRE(k8s_event_list)
FWD_WIRE(pod_logs)
FWD_WIRE(k8s_endpoints)

} // namespace fwd::wire
