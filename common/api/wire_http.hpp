// Shapes of HTTP requests that passed. Names are kubefwd's, and what was missing there.
#pragma once

#include "common/api/wire.hpp"

namespace fwd::wire {

struct http_entry {
    std::optional<wall_time> timestamp;   ///< of the request's first byte
    std::string service_key, forward_key; ///< in lists over all services alone; empty: absent
    std::string method, path;
    std::string host;                         ///< empty: absent
    std::optional<std::int64_t> status_code;  ///< absent: no answer
    std::string duration;                     ///< to the answer's last byte, as "12.345ms"
    double duration_ms = 0;                   ///< the same as a number
    std::uint64_t size = 0, request_size = 0; ///< bytes of the bodies: the answer's, the request's
    std::string protocol;                     ///< HTTP/1.0, HTTP/1.1, HTTP/2, gRPC
    std::optional<std::int64_t> grpc_status;
    std::string pod_name;
    std::string cut_by; ///< client, pod, daemon: who left before the answer was complete; empty: absent
};

struct http_path_count {
    std::string path;
    std::uint64_t count = 0;
};

struct http_summary {
    std::uint64_t total_requests = 0; ///< that are over, since the daemon started
    std::uint64_t in_flight = 0;
    std::uint64_t unanswered = 0; ///< of the total; 0: absent
    std::optional<wall_time> last_request;
    std::uint64_t informational = 0, successful = 0, redirected = 0, client_errors = 0, server_errors = 0; ///< "1xx" to "5xx"; 0: absent
    std::vector<http_path_count> top_paths; ///< of those that are kept, at most ten
    double requests_per_second = 0;         ///< over the last ten seconds
    std::optional<double> p50_ms, p95_ms;   ///< of those that are kept and were answered in whole
    std::uint64_t tls_connections = 0;      ///< that are not looked into; 0: absent
    std::vector<std::string> tls_names;     ///< that they asked for, the first few; empty: absent
};

/// GET /forwards/:key/http
struct http_traffic {
    std::string forward_key, pod_name, local_ip;
    std::uint16_t local_port = 0; ///< a string in JSON
    http_summary summary;
    std::vector<http_entry> logs; ///< newest first
};
/// GET /services/:key/http
struct service_http_traffic {
    std::string service_key;
    http_summary summary;
    std::vector<http_traffic> forwards;
};
/// GET /http
struct all_http_traffic {
    http_summary summary;
    std::vector<http_entry> logs; ///< newest first
};

} // namespace fwd::wire
