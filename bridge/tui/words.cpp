#include "bridge/tui/words.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

namespace fwd::tui {

std::int64_t second_of(wall_time at)
{
    return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

std::string short_size(double bytes)
{
    constexpr std::array units{"", "K", "M", "G", "T", "P"};
    std::size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < units.size(); ++unit) bytes /= 1024;
    if (unit == 0) return fmt::format("{:.0f}", bytes);
    return bytes < 9.95 ? fmt::format("{:.1f}{}", bytes, units[unit]) : fmt::format("{:.0f}{}", bytes, units[unit]);
}

std::string short_time(double milliseconds)
{
    if (milliseconds < 9.95) return fmt::format("{:.1f} ms", milliseconds);
    if (milliseconds < 999.5) return fmt::format("{:.0f} ms", milliseconds);
    return milliseconds < 9950 ? fmt::format("{:.1f} s", milliseconds / 1000) : fmt::format("{:.0f} s", milliseconds / 1000);
}

std::string clock_text(std::optional<wall_time> at, wall_time now, int utc_offset)
{
    if (!at) return {};
    const auto seconds = second_of(*at) + utc_offset;
    const auto today = second_of(now) + utc_offset;
    const std::time_t when = static_cast<std::time_t>(seconds);
    std::tm parts{};
    if (::gmtime_r(&when, &parts) == nullptr) return {};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr std::int64_t day = 24 * 60 * 60;
    if (seconds / day != today / day)
        return fmt::format("{} {} {:02}:{:02}", months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_mday, parts.tm_hour, parts.tm_min);
    return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string sparkline(const std::vector<double>& values)
{
    constexpr std::array bars{"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
    const auto highest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
    std::string out;
    for (const auto each : values) {
        if (each <= 0 || highest <= 0) {
            out += " ";
            continue;
        }
        // Square roots, so that a trickle beside a flood is still seen.
        const auto level = std::lround(std::sqrt(each / highest) * (bars.size() - 1));
        out += bars[static_cast<std::size_t>(std::clamp<long>(level, 0, bars.size() - 1))];
    }
    return out;
}

} // namespace fwd::tui
