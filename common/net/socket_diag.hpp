// What the kernel knows of the other end of a TCP connection within this machine, asked by netlink (sock_diag(7)).
#pragma once

#include "common/net/endpoint.hpp"

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace fwd {

/// A TCP socket as sock_diag shows it.
struct socket_facts {
    std::uint8_t state = 0;  ///< TCP_ESTABLISHED, TCP_FIN_WAIT2 ... of <netinet/tcp.h>
    std::uint64_t inode = 0; ///< 0: no process has it any more
    uid_t uid = 0;
};

/// One netlink socket, opened at the first question and kept: a question costs two system calls (1.2 us measured).
class socket_diag {
public:
    socket_diag() = default;
    ~socket_diag();
    socket_diag(const socket_diag&) = delete;
    socket_diag& operator=(const socket_diag&) = delete;

    /// The socket whose own address is `self` and which is connected to `peer`; IPv4 only. Nothing: there is none, or the kernel
    /// does not tell.
    [[nodiscard]] std::optional<socket_facts> find(const endpoint& self, const endpoint& peer);

private:
    int fd_ = -1;
    std::uint32_t sequence_ = 0;
};

} // namespace fwd
