#include "daemon/traffic/meter.hpp"

#include <algorithm>

namespace fwd::traffic {

namespace {

std::int64_t second_of(wall_time when)
{
    return std::chrono::floor<std::chrono::seconds>(when.time_since_epoch()).count();
}

} // namespace

void meter::sample(wall_time before, wall_time now, amounts total)
{
    const amounts moved{total.in - total_.in, total.out - total_.out};
    const auto seconds = std::chrono::duration<double>(now - before).count();
    total_ = total;
    const bool moves = moved != amounts{}, moved_before = rate_.in != 0 || rate_.out != 0;
    stirred_ = moves || moved_before;
    rate_ = {};
    if (seconds > 0) rate_ = {static_cast<double>(moved.in) / seconds, static_cast<double>(moved.out) / seconds};
    const auto second = second_of(now), oldest = second - static_cast<std::int64_t>(kept_seconds);
    std::erase_if(steps_, [oldest](const step& one) { return one.second <= oldest; });
    if (!moves) return;
    if (!steps_.empty() && steps_.back().second >= second) { // the wall clock was set back, or two samples fell into one second
        steps_.back().moved.in += moved.in;
        steps_.back().moved.out += moved.out;
        return;
    }
    steps_.push_back({second, moved});
}

amounts meter::moved_in(std::int64_t second) const
{
    const auto at = std::lower_bound(steps_.begin(), steps_.end(), second, [](const step& one, std::int64_t s) { return one.second < s; });
    return at != steps_.end() && at->second == second ? at->moved : amounts{};
}

std::vector<point> history(std::span<const meter* const> of, wall_time now, std::size_t count)
{
    std::vector<point> made(std::min(count, kept_seconds));
    amounts total;
    for (const auto* one : of) {
        total.in += one->total().in;
        total.out += one->total().out;
    }
    auto second = second_of(now);
    for (auto at = made.rbegin(); at != made.rend(); ++at, --second) {
        amounts moved;
        for (const auto* one : of) {
            const auto part = one->moved_in(second);
            moved.in += part.in;
            moved.out += part.out;
        }
        *at = {wall_time{std::chrono::seconds{second}}, total, static_cast<double>(moved.in), static_cast<double>(moved.out)};
        total.in -= std::min(total.in, moved.in);
        total.out -= std::min(total.out, moved.out);
    }
    return made;
}

} // namespace fwd::traffic
