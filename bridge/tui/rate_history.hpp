// Bytes per second of the last seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace fwd::tui {

/// Bytes per second of the last seconds. It moves on only while something flows.
class rate_history {
public:
    static constexpr std::size_t most = 60;
    void add(std::int64_t second, double rate);
    /// The seconds up to `second`, the last one last.
    [[nodiscard]] std::vector<double> up_to(std::int64_t second, std::size_t count) const;
    /// Whether any of the `count` seconds up to `second` had bytes.
    [[nodiscard]] bool moved(std::int64_t second, std::size_t count) const;

private:
    std::deque<double> rates_;
    std::int64_t last_ = 0; ///< the second of the last rate
};

} // namespace fwd::tui
