// Hearing that this machine's network is another one now: an address or a route of other interfaces than lo came or went (rtnetlink, man
// 7 rtnetlink). What was unreachable may answer, and what was open may be dead, long before any timeout says so.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/timing.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace fwd {

class network_changes {
public:
    virtual ~network_changes() = default;
};

/// Calls `changed` from `executor` until it is destroyed; changes that come together (a network that comes up has a dozen) count as one,
/// told `settle` after the first. Errors: the kernel's refusal of the socket.
[[nodiscard]] result<std::unique_ptr<network_changes>> watch_network(asio::any_io_executor executor, timing& clock,
                                                                     std::function<void()> changed, duration settle = 300ms);

/// Whether one packet of rtnetlink messages tells of such a change; for tests. lo is left out: our own addresses come and go on it.
[[nodiscard]] bool tells_of_change(std::span<const std::byte> messages);

} // namespace fwd
