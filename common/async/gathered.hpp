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

} // namespace fwd
