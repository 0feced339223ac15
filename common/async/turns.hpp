// Fairness between many coroutines that woke together and everything else that the loop has to do.
#pragma once

#include "common/async/awaitable.hpp"

#include <memory>

namespace fwd {

/// One after another: between two that take a turn the loop looks at its sockets and timers once. Whoever is about to do what a
/// hundred others were woken for, too, takes one first, so that a request that comes in between waits for one of them, not for all.
class turns {
public:
    turns();
    ~turns();
    /// At once when nobody took one in this round of the loop, else when those before have had theirs. Cancellable.
    awaitable<void> take();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace fwd
