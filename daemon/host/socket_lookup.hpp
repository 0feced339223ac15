// Connections without ports: a program of type sk_lookup gives each routed (address, port) to one listener. No port is bound, so
// nothing conflicts, and all of it is gone with the descriptors. Linux 5.9 and later; Documentation/bpf/prog_sk_lookup.rst.
#pragma once

#include "daemon/host/descriptor.hpp"
#include "daemon/host/types.hpp"

namespace fwd::host {

class socket_lookup {
public:
    /// Loads the program and attaches it to this network namespace. Errors: the kernel's refusal and at which step.
    [[nodiscard]] static result<socket_lookup> open();
    /// `listener` must be a listening TCP socket on an IPv4 loopback address; it may be closed afterwards.
    [[nodiscard]] result<void> attach(unsigned index, int listener);
    /// Port 0 leases the address: what is not routed on it is refused.
    [[nodiscard]] result<void> route(const route_entry& entry);
    [[nodiscard]] result<void> unroute(ipv4 address, std::uint16_t port);

private:
    descriptor routes_, listeners_, program_, attachment_;
};

} // namespace fwd::host
