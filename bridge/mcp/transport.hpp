// Where messages come from and go to. One implementation is stdio; a test's is a pair of lists.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/timing.hpp"
#include "common/result.hpp"

#include <optional>
#include <string>

namespace fwd::mcp {

class transport {
public:
    virtual ~transport() = default;
    /// The next message's text, errc::too_large for one that was dropped, nothing at the end of input.
    virtual awaitable<std::optional<result<std::string>>> receive() = 0;
    /// Queues one message; messages leave whole and in order. Never blocks.
    virtual void send(std::string message) = 0;
    /// Suspends until all that was queued has left, the peer is gone, or this long.
    virtual awaitable<void> flush(duration most) = 0;
};

} // namespace fwd::mcp
