// Which program listens on a port that we wanted: as much as the asking user may see of /proc.
#pragma once

#include "common/net/endpoint.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace fwd::host {

struct port_owner {
    std::string at; ///< "0.0.0.0:80", "[::]:80"
    uid_t uid = 0;
    ino_t inode = 0;
    pid_t pid = 0;       ///< 0: another user's
    std::string program; ///< empty: another user's
    /// "nginx (pid 4711) on 0.0.0.0:80", or "a program of user 33 on 0.0.0.0:80".
    [[nodiscard]] std::string text() const;
};

/// Those of the listening sockets in `table` (the text of /proc/net/tcp or tcp6) that get in the way of address:port.
[[nodiscard]] std::vector<port_owner> listeners_in(std::string_view table, ipv4 address, std::uint16_t port);

/// Looks now. Nothing when no listener is seen (a socket that is bound, not listening).
[[nodiscard]] std::optional<port_owner> find_port_owner(ipv4 address, std::uint16_t port);

/// The error of a bind that found the port taken: errc::conflict, "port 80 is taken by nginx (pid 4711) on 0.0.0.0:80".
[[nodiscard]] error port_taken(ipv4 address, std::uint16_t port);

} // namespace fwd::host
