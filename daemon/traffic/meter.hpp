// Bytes over time: what moved in each of the last 300 seconds. Pure; fed once a second. An idle meter costs next to nothing.
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
    /// The totals as they are at `now`; they only grow. The first sample is where counting begins.
    void sample(wall_time now, amounts total);

    [[nodiscard]] amounts total() const { return total_; }
    /// Bytes per second between the last two samples.
    [[nodiscard]] double rate_in() const { return rate_in_; }
    [[nodiscard]] double rate_out() const { return rate_out_; }
    /// Something moved between the last two samples, or between the two before: then a rate that was shown has ended.
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
    wall_time last_{};
    double rate_in_ = 0, rate_out_ = 0;
    bool stirred_ = false;
};

/// The last `count` seconds (at most 300) up to `now` of these meters together, oldest first.
[[nodiscard]] std::vector<point> history(std::span<const meter* const> of, wall_time now, std::size_t count);

} // namespace fwd::traffic
