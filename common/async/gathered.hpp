// Chores of many that nobody waits for.
#pragma once

#include "common/async/timing.hpp"

namespace fwd {

/// The next moment of a grid that all share: what is done then, and not each at its own time, wakes the machine once for a thousand.
[[nodiscard]] inline time_point gathered(time_point when, duration grid)
{
    const auto beyond = when.time_since_epoch() % grid;
    return beyond == duration{} ? when : when + (grid - beyond);
}

/// The full second that is nearest to `wait` from now: what is done every so often, with whatever else wakes then.
[[nodiscard]] inline time_point full_second(time_point now, duration wait)
{
    return gathered(now + wait - std::chrono::milliseconds{500}, std::chrono::seconds{1});
}

} // namespace fwd
