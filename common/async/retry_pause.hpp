// The wait between two attempts, which somebody may cut short.
#pragma once

#include "common/async/task_scope.hpp"
#include "common/async/timing.hpp"

namespace fwd {

/// Until the event is set or the time has come.
awaitable<void> wait_for(timing& clock, async_event& event, time_point until);

/// Of one task that tries again and again. A poke ends the wait under way; one that comes during an attempt ends the wait after it.
/// However often it is poked, attempts begin at least `gap` apart.
class retry_pause {
public:
    explicit retry_pause(timing& clock, duration gap = 250ms) : clock_{clock}, gap_{gap} {}
    /// An attempt begins now.
    void begin() { began_ = clock_.now(); }
    awaitable<void> wait(duration span);
    /// Waits for a poke alone.
    awaitable<void> wait();
    void poke();

private:
    awaitable<void> keep_apart();

    timing& clock_;
    duration gap_;
    time_point began_{};
    bool poked_ = false;
    async_event event_;
};

} // namespace fwd
