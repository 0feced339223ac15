// Shapes of connections at a moment.
#pragma once

#include "common/api/wire.hpp"

namespace fwd::wire {

/// Whose a connection is, as far as the daemon's user may see.
struct connection_client {
    std::string address;             ///< "127.0.0.1:43210"
    std::optional<std::int64_t> pid; ///< absent: another user's process
    std::string process;             ///< its name; empty: absent
    std::optional<std::int64_t> uid; ///< absent: not a process of this machine, or gone
};

struct connection {
    std::uint64_t id = 0;
    std::string state;       ///< waiting, open, closing
    std::string waiting_for; ///< pod, tunnel; empty: absent
    std::string service_key, service_name, namespace_name, context, forward_key;
    connection_client client;
    std::string local_ip;
    std::uint16_t local_port = 0; ///< a string in JSON, as of forwards
    std::string pod_name;         ///< empty: none yet
    std::uint16_t pod_port = 0;   ///< a string in JSON; 0: absent
    std::optional<wall_time> since;
    std::uint64_t bytes_in = 0, bytes_out = 0; ///< from and to the pod
    std::uint64_t tunnel = 0;                  ///< of its pod, from 1; 0: absent
    std::string transport;                     ///< websocket, spdy, legacy; empty: absent
    bool stalled = false;                      ///< its tunnel does not move: somebody on it does not read
};

/// GET /connections, /services/:key/connections
struct connection_list {
    std::vector<connection> connections;              ///< of this page, oldest first
    std::uint64_t open = 0, waiting = 0, closing = 0; ///< of all
};

} // namespace fwd::wire
