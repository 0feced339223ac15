// Shapes of what was and why it is so: explanations, history, the daemon's log, diagnoses.
#pragma once

#include "common/api/wire.hpp"

namespace fwd::wire {

// --- GET /explain, /explain/:any ------------------------------------------------------------------------------------------------------

struct timeline_entry {
    std::optional<wall_time> at; ///< JSON: time
    std::string source;          ///< fwd, pod, container, endpoints, event, rollout
    std::string kind, message, evidence;
};
struct wrong {
    std::string key, kind; ///< kind: service, namespace, context, daemon
    std::string code, verdict, suggestion;
    std::vector<next_step> next;
};
struct explanation {
    std::string asked, key, service_name, namespace_name, context;
    bool forwarded = false;
    bool ok = false; ///< a connection made now should work
    std::string code, verdict, suggestion;
    std::vector<next_step> next;
    std::vector<timeline_entry> entries; ///< oldest first
    std::vector<wrong> problems;         ///< worst first; only of everything
};

// --- GET /history/... : arrays of these, newest first ---------------------------------------------------------------------------------

struct past_event {
    std::int64_t id = 0;
    std::string type;
    std::optional<wall_time> timestamp;
    std::string service_key, forward_key, namespace_name, context, pod_name, status, code, message, client;
};
struct past_error {
    std::int64_t id = 0;
    std::optional<wall_time> timestamp;
    std::string service_key, forward_key, namespace_name, context, pod_name;
    std::string error_type, message;
    bool resolved = false;
    std::optional<wall_time> resolved_at;
};
struct reconnection {
    std::int64_t id = 0;
    std::optional<wall_time> timestamp; ///< when it worked again
    std::string service_key, forward_key, pod_name;
    std::string trigger; ///< tunnel_lost, pod_replaced, no_pods, unreachable ...
    std::string error;   ///< in words
    bool success = true;
    std::string duration; ///< "1.5s"
    double duration_ms = 0;
};
/// Who asked the daemon to change something.
struct past_request {
    std::int64_t id = 0;
    std::optional<wall_time> timestamp;
    std::string method, path, client, owner, service_key;
    std::int64_t status = 0;
    std::string code; ///< of a refusal
};
struct history_stats {
    std::int64_t total_events = 0, total_errors = 0, total_reconnects = 0, total_requests = 0;
    std::int64_t max_events = 0, max_errors = 0, max_reconnects = 0, max_requests = 0;
    std::uint64_t dropped = 0; ///< lost by this run, since nothing could be saved
};

// --- GET /logs, /logs/system, /logs/stream --------------------------------------------------------------------------------------------

struct log_entry {
    std::uint64_t id = 0;
    std::optional<wall_time> timestamp;
    std::string level, message;
    std::map<std::string, std::string> fields;
};
struct log_list {
    std::vector<log_entry> logs; ///< oldest first
};
struct log_cleared {
    std::int64_t cleared = 0;
};

// --- GET /analyze, /diagnostics... ----------------------------------------------------------------------------------------------------

struct issue {
    std::string severity;  ///< critical, high, medium, low
    std::string component; ///< service, namespace, context, daemon
    std::string service_key, pod_name, message;
    std::string error_type; ///< the verdict's code
};
struct recommendation {
    std::string priority, category, message;
};
struct suggested_action {
    std::string action, target, reason, endpoint, method, command;
};
struct analysis {
    std::string status; ///< healthy, degraded, unhealthy
    std::string summary;
    std::vector<issue> issues;
    std::vector<recommendation> recommendations;
    std::vector<suggested_action> suggested_actions;
    wire::summary stats;
};

struct error_detail {
    std::optional<wall_time> timestamp;
    std::string component, service_key, forward_key, pod_name, error_type, message, suggestion;
    bool recoverable = false;
};
struct error_list {
    std::vector<error_detail> errors; ///< those that are there now, then those of history
    std::string overall_health;       ///< healthy, degraded, unhealthy
};
struct service_counts {
    std::int64_t total = 0, active = 0, error = 0, partial = 0, pending = 0;
};
struct network_status {
    std::string loopback_interface = "lo";
    std::int64_t ips_allocated = 0;
    std::string ip_range; ///< "127.1.27.1-127.1.27.9"; empty: none
    std::int64_t ports_in_use = 0;
    std::vector<std::string> hostnames;
    std::string hosts_path, listening;
    std::vector<conflict> conflicts;
};
struct diagnostics {
    std::string status; ///< healthy, degraded, unhealthy
    std::optional<wall_time> timestamp;
    std::string uptime, version;
    service_counts services;
    network_status network;
    std::vector<error_detail> errors;
    std::vector<std::string> recommendations;
};
struct reconnect_state {
    bool auto_reconnect_enabled = true, is_reconnecting = false;
    std::int64_t attempt_count = 0;
    std::optional<wall_time> last_attempt, next_attempt;
};
struct connection_status {
    std::string state; ///< connected, connecting, disconnected, error
    std::uint64_t bytes_in = 0, bytes_out = 0;
    std::optional<wall_time> last_activity;
};
struct forward_diagnostic {
    forward what; ///< its members stand in the object itself
    connection_status connection;
    std::string uptime, idle_duration;
};
struct service_diagnostic {
    std::string key, service_name, namespace_name, context, status;
    bool headless = false;
    std::int64_t active_count = 0, error_count = 0;
    std::string code, verdict, suggestion;
    reconnect_state reconnecting;
    pod_count pods;
    std::vector<forward_diagnostic> forwards;
    std::vector<past_error> error_history;
};

} // namespace fwd::wire
