// Noticing that the machine slept: the boot clock went on while the monotonic one stood still.
#pragma once

#include "common/async/timing.hpp"

namespace fwd {

class sleep_watch {
public:
    explicit sleep_watch(const timing& clock) : clock_{clock}, slept_{so_far()} {}
    /// How long the machine slept since the last call, or since this watch began. Below a second it is nothing: clocks are read one
    /// after the other.
    [[nodiscard]] duration take()
    {
        const auto now = so_far(), more = now - slept_;
        slept_ = now;
        return more < 1s ? duration{0} : more;
    }

private:
    [[nodiscard]] duration so_far() const { return clock_.boot_now() - clock_.now().time_since_epoch(); }
    const timing& clock_;
    duration slept_;
};

} // namespace fwd
