// Which processes hold which sockets: as much as the asking user may see of /proc.
#pragma once

#include <map>
#include <set>
#include <string>
#include <sys/types.h>

namespace fwd::host {

struct socket_owner {
    pid_t pid = 0;
    std::string program;
};

/// One walk over all processes whose descriptors we may see. A socket that several hold is the first one's. Blocks for milliseconds.
[[nodiscard]] std::map<ino_t, socket_owner> find_socket_owners(const std::set<ino_t>& sockets);

} // namespace fwd::host
