// What was asked of the cluster, counted where it happens: for tests that hold a client to a number of requests.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fwd::simcluster {

/// Of one pod, by "namespace/name".
struct pod_counters {
    std::uint64_t tunnels = 0;  ///< port-forward upgrades accepted
    std::uint64_t streams = 0;  ///< connections dialled in the pod
    std::uint64_t refused = 0;  ///< dials that failed
    std::uint64_t requests = 0; ///< HTTP requests answered
    std::uint64_t posts = 0;    ///< HTTP requests with method POST
    std::uint64_t bytes_in = 0, bytes_out = 0;
    std::vector<std::string> bodies; ///< of POSTs, in order, the first 256 bytes of each, the first 10000
};

struct counters {
    std::map<std::string, std::uint64_t> requests; ///< "list services", "watch pods", "create pods/portforward", "get version"
    std::map<std::string, std::uint64_t> paths;    ///< "GET /api/v1/namespaces/{namespace}/pods"
    std::map<std::string, std::uint64_t> statuses; ///< "200", "410"
    std::map<std::string, pod_counters> pods;
    std::uint64_t connections = 0, open_connections = 0;
    std::uint64_t handshakes = 0, handshakes_resumed = 0, handshakes_failed = 0;
    std::uint64_t tunnels_open = 0;
    std::map<std::string, std::uint64_t> tunnels; ///< by "websocket", "spdy", "legacy"
    std::uint64_t pings = 0;

    [[nodiscard]] boost::json::object as_json() const;
};

} // namespace fwd::simcluster
