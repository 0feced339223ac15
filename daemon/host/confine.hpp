// What the agent gives up once it is set up: capabilities, new privileges, and all system calls but those it works with.
#pragma once

#include "common/result.hpp"

#include <sys/types.h>

namespace fwd::host {

/// Keeps NET_ADMIN, BPF, NET_BIND_SERVICE, KILL and what the hosts file takes (DAC_OVERRIDE, CHOWN, FOWNER), as far as there;
/// sets NO_NEW_PRIVS and a filter that answers EPERM to the rest, allows kill only for `engine`, bpf only to update and delete
/// map elements, socket only for IPv4 and netlink, no executable memory. For good. Errors: the kernel's refusal.
[[nodiscard]] result<void> confine(pid_t engine);

} // namespace fwd::host
