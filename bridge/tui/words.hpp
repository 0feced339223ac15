// Short texts for numbers and times.
#pragma once

#include "common/async/timing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fwd::tui {

/// Whole seconds since 1970.
[[nodiscard]] std::int64_t second_of(wall_time at);
/// "0", "999", "1.2K", "34M": at most four columns.
[[nodiscard]] std::string short_size(double bytes);
/// "0.4 ms", "12 ms", "1.3 s", "128 s".
[[nodiscard]] std::string short_time(double milliseconds);
/// "07:20:01"; days before `now` as "Nov 20 07:20". `utc_offset` in seconds.
[[nodiscard]] std::string clock_text(std::optional<wall_time> at, wall_time now, int utc_offset);
/// One character for each value, as high as it is against the highest.
[[nodiscard]] std::string sparkline(const std::vector<double>& values);

} // namespace fwd::tui
