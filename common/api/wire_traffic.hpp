// Shapes of what flowed. Names are kubefwd's.
#pragma once

#include "common/api/wire.hpp"

namespace fwd::wire {

/// GET /metrics
struct metrics_summary {
    std::int64_t total_services = 0, active_services = 0, total_forwards = 0, active_forwards = 0, error_count = 0;
    std::uint64_t total_bytes_in = 0, total_bytes_out = 0;
    double total_rate_in = 0, total_rate_out = 0; ///< bytes per second
    std::string uptime;
    std::optional<wall_time> last_updated;
};

/// The totals at the end of a second, and what moved in it.
struct metrics_point {
    std::optional<wall_time> timestamp;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    double rate_in = 0, rate_out = 0;
};

struct port_metrics {
    std::string pod_name, local_ip;
    std::uint16_t local_port = 0, pod_port = 0; ///< strings in JSON
    std::uint64_t bytes_in = 0, bytes_out = 0;
    double rate_in = 0, rate_out = 0, avg_rate_in = 0, avg_rate_out = 0;
    std::uint64_t connections = 0;
    std::optional<wall_time> connected_at, last_activity_at;
};

/// GET /metrics/services/:key
struct service_metrics {
    std::string key, service_name, namespace_name, context;
    std::uint64_t total_bytes_in = 0, total_bytes_out = 0;
    double rate_in = 0, rate_out = 0;
    std::vector<port_metrics> port_forwards;
    std::vector<metrics_point> history; ///< of one service alone; lists leave it out
};
/// GET /metrics/services
struct service_metrics_list {
    std::vector<service_metrics> services;
    metrics_summary summary;
};
/// GET /metrics/services/:key/history
struct metrics_history {
    std::string key;
    std::vector<metrics_point> history;
};

} // namespace fwd::wire
