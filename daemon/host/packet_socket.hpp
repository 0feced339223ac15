// Packets with a descriptor over a SOCK_SEQPACKET pair: what both ends of the agent's socket do.
#pragma once

#include "daemon/host/descriptor.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace fwd::host {

struct packet {
    std::span<const std::byte> bytes; ///< in the room given
    std::vector<descriptor> passed;   ///< close-on-exec
    std::optional<ucred> sender;      ///< where SO_PASSCRED is set; the kernel vouches for it
    bool whole = true;                ///< false when bytes or descriptors were cut off
};

enum class arrival { packet, nothing_yet, closed };

/// Takes one packet without waiting. `closed` also for an empty packet, which nobody of ours sends.
[[nodiscard]] arrival receive_packet(int socket, std::span<std::byte> room, packet& into);
/// False with errno set. Waits unless `flags` has MSG_DONTWAIT; `passed` -1 passes nothing.
[[nodiscard]] bool send_packet(int socket, std::string_view bytes, int passed, int flags);

} // namespace fwd::host
