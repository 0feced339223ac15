// Connections at this moment, open or waiting: a read-only question of faces. Control thread; implemented by forward.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/timing.hpp"
#include "common/net/endpoint.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fwd::catalog {

/// Whose a connection is, as far as this user may see.
struct client_process {
    std::optional<uid_t> user;
    pid_t pid = 0;    ///< 0: another user's, or gone
    std::string name; ///< empty likewise
};

struct open_connection {
    enum class stage {
        waiting_for_pod,
        waiting_for_tunnel,
        open,
        closing, ///< the client is gone; its last bytes are on their way
    };
    std::uint64_t id = 0; ///< ascending, for the life of the daemon
    stage now = stage::waiting_for_pod;
    std::string service_key, service, namespace_name, context, forward_key;
    endpoint client, local;
    client_process process;
    std::string pod; ///< empty: none yet
    std::uint16_t pod_port = 0;
    wall_time since;
    std::uint64_t bytes_in = 0, bytes_out = 0; ///< from and to the pod
    std::uint64_t tunnel = 0;                  ///< of its pod, from 1; 0: none yet
    std::string transport;
    bool stalled = false; ///< its tunnel does not move: somebody on it does not read
};
[[nodiscard]] constexpr std::string_view name_of(open_connection::stage stage)
{
    switch (stage) {
    case open_connection::stage::waiting_for_pod:
    case open_connection::stage::waiting_for_tunnel: return "waiting";
    case open_connection::stage::open: return "open";
    case open_connection::stage::closing: return "closing";
    }
    return "open";
}

class connection_view {
public:
    virtual ~connection_view() = default;
    /// Of one service, or of all where the key is empty; oldest first.
    virtual awaitable<std::vector<open_connection>> connections(std::string service_key) = 0;
};

} // namespace fwd::catalog
