// The engine's half of the agent's protocol: requests to packets, packets to replies.
#pragma once

#include "daemon/host/protocol.hpp"

namespace fwd::host {

[[nodiscard]] std::string pack_request(const request& ask);
/// Errors: errc::protocol_error.
[[nodiscard]] result<reply> parse_reply(std::span<const std::byte> packet);

/// `ask` in as many requests as the bounds of a packet call for; ids are left to the caller. A set of names is never divided: more
/// than most_names of one address are cut off by errc::too_large.
[[nodiscard]] result<std::vector<request>> split_request(const request& ask);

} // namespace fwd::host
