// Bytes over time: what moved in each of the last 300 seconds. Pure; fed once a second while something
// may move. An idle meter costs nothing.
#pragma once

#include "common/async/timing.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace fwd::traffic {

struct amounts {
    std::uint64_t in = 0, out = 0; ///< from the pod, to the pod
    bool operator==(const amounts&) const = default;
};

/// Bytes per second.
struct rates {
    double in = 0, out = 0;
};

/// One second: the totals at its end, and what moved in it, in bytes per second.
struct point {
    wall_time at;
    amounts total;
    double rate_in = 0, rate_out = 0;
};

/// Seconds of history that are kept.
inline constexpr std::size_t kept_seconds = 300;

class meter {
public:
    /// The totals as they are at `now`; they only grow. What is new in them moved since `before`: at the last sample, or later where
    /// it is known that nothing moved until then.
    void sample(wall_time before, wall_time now, amounts total);

    [[nodiscard]] amounts total() const { return total_; }
    /// In the time that the last sample was about.
    [[nodiscard]] rates rate() const { return rate_; }
    /// Something moved then, or in the time of the sample before: then a rate that was shown has ended.
    [[nodiscard]] bool stirred() const { return stirred_; }
    /// What moved in the second that ends at `second` (since the epoch).
    [[nodiscard]] amounts moved_in(std::int64_t second) const;

private:
    struct step {
        std::int64_t second;
        amounts moved;
    };
    std::vector<step> steps_; ///< seconds in which something moved, ascending
    amounts total_;
    rates rate_;
    bool stirred_ = false;
};

/// The last `count` seconds (at most 300) up to `now` of these meters together, oldest first.
[[nodiscard]] std::vector<point> history(std::span<const meter* const> of, wall_time now, std::size_t count);

} // namespace fwd::traffic
