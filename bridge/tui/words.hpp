// Short texts for numbers and times.
#pragma once

#include "common/async/timing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fwd::tui {

/// "0", "999", "1.2K", "34M": at most four columns.
[[nodiscard]] std::string short_size(double bytes);
/// "07:20:01"; days before `now` as "Nov 20 07:20". `utc_offset` in seconds.
[[nodiscard]] std::string clock_text(std::optional<wall_time> at, wall_time now, int utc_offset);
/// One character for each value, as high as it is against the highest.
[[nodiscard]] std::string sparkline(const std::vector<double>& values);

} // namespace fwd::tui
