// Shapes of what a cluster has: pods, their logs and events, endpoints, and what a search over clusters finds.
#pragma once

#include "common/api/wire.hpp"

namespace fwd::wire {

/// One service over all contexts, and why it came up.
struct found_service {
    std::string name, namespace_name, context, type;
    std::vector<std::string> contexts; ///< all that lead to its cluster, `context` first
    std::vector<k8s_port> ports;
    std::vector<std::string> kinds;   ///< postgres, http ...: what its ports speak, as far as that is known
    std::vector<std::string> matched; ///< "name", "port 5432", "image postgres:16"
    std::int64_t score = 1;           ///< how well it fits what was asked: 3 that very name, 2 the kind, 1 something else
    bool forwarded = false;
    std::string forward_key;
};
struct silent_context {
    std::string context, code, error;
};
/// GET /kubernetes/find
struct found_services {
    std::vector<found_service> services;
    std::vector<silent_context> unreachable; ///< contexts that could not be asked, or not for all
};

/// GET /kubernetes/ports/:ns/:svc
struct k8s_ports {
    std::string service_name, namespace_name, context;
    std::string source; ///< service, or pods that the name selects as labels
    std::vector<k8s_port> ports;
};

struct k8s_pod {
    std::string name, namespace_name, phase;
    std::string status; ///< one word as kubectl shows it: Running, CrashLoopBackOff, Terminating ...
    std::string ready;  ///< "1/2"
    std::int64_t restarts = 0;
    std::string age; ///< "3d", as kubectl rounds it
    std::string ip, node;
    std::map<std::string, std::string> labels;
    std::vector<std::string> containers;
    std::optional<wall_time> start_time;
    std::string service_name; ///< a forwarded service that uses it now; empty: absent
    bool is_forwarded = false;
    std::uint16_t forwarded_port = 0; ///< here; 0: absent
};
/// GET /kubernetes/pods/:ns
struct k8s_pod_list {
    std::vector<k8s_pod> pods;
};

struct k8s_container_port {
    std::string name;
    std::uint16_t container_port = 0;
    std::string protocol;
};
/// A literal, or where the value comes from. What looks like a secret is never given.
struct k8s_variable {
    std::string name;
    std::optional<std::string> value;
    std::string from; ///< "secret db-credentials key password", "field status.podIP"; empty: a literal
    bool withheld = false;
};
struct k8s_container {
    std::string name, image;
    bool init = false, sidecar = false, ready = false, started = false;
    std::int64_t restart_count = 0;
    std::string state; ///< waiting, running, terminated; empty: unknown
    std::string state_reason, state_message;
    std::string last_state; ///< "terminated: OOMKilled (exit code 137)"
    std::vector<k8s_container_port> ports;
    std::map<std::string, std::string> requests, limits;
    std::vector<k8s_variable> env;
};
struct k8s_condition {
    std::string type, status, reason, message;
    std::optional<wall_time> last_transition_time;
};
struct k8s_volume {
    std::string name, kind, source; ///< kind "configMap", source the name of what is mounted
};
struct k8s_event {
    std::string type, reason, message;
    std::uint64_t count = 1;
    std::optional<wall_time> first_timestamp, last_timestamp;
    std::string source, object_kind, object_name;
};
/// GET /kubernetes/pods/:ns/:pod
struct k8s_pod_detail : k8s_pod {
    std::string context, message, reason, host_ip, qos_class;
    std::map<std::string, std::string> annotations;
    std::vector<k8s_container> details; ///< JSON: containers; init containers first
    std::vector<k8s_condition> conditions;
    std::vector<k8s_volume> volumes;
    std::vector<k8s_event> events; ///< newest first
};

/// GET /kubernetes/events/:ns, newest first
struct k8s_event_list {
    std::vector<k8s_event> events;
};

/// GET /kubernetes/pods/:ns/:pod/logs
struct pod_logs {
    std::string pod_name, namespace_name, context, container_name;
    std::vector<std::string> logs;
    std::int64_t line_count = 0;
    bool truncated = false; ///< there were more lines before these
};

struct k8s_address {
    std::string ip, hostname, node, pod;
};
struct k8s_subset {
    std::vector<k8s_address> addresses, not_ready_addresses;
    std::vector<k8s_port> ports;
};
/// GET /kubernetes/endpoints/:ns/:svc
struct k8s_endpoints {
    std::string service_name, namespace_name, context;
    std::vector<k8s_subset> subsets;           ///< one per EndpointSlice
    std::vector<k8s_address> ready, not_ready; ///< of all subsets
    std::vector<k8s_port> ports;
};

} // namespace fwd::wire
