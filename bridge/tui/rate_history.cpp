#include "bridge/tui/rate_history.hpp"

#include <algorithm>

namespace fwd::tui {

void rate_history::add(std::int64_t second, double rate)
{
    if (second <= last_ && !rates_.empty()) {
        if (second == last_) rates_.back() = std::max(rates_.back(), rate);
        return;
    }
    const auto gap = rates_.empty() ? 1 : std::min<std::int64_t>(second - last_, most);
    for (std::int64_t each = 1; each < gap; ++each) rates_.push_back(0);
    rates_.push_back(rate);
    while (rates_.size() > most) rates_.pop_front();
    last_ = second;
}

std::vector<double> rate_history::up_to(std::int64_t second, std::size_t count) const
{
    std::vector<double> out(count, 0.0);
    for (std::size_t back = 0; back < count; ++back) {
        const auto at = last_ - (second - static_cast<std::int64_t>(back)); // places before the last rate
        if (at >= 0 && at < static_cast<std::int64_t>(rates_.size()))
            out[count - 1 - back] = rates_[rates_.size() - 1 - static_cast<std::size_t>(at)];
    }
    return out;
}

bool rate_history::moved(std::int64_t second, std::size_t count) const
{
    const auto seen = up_to(second, count);
    return std::any_of(seen.begin(), seen.end(), [](double each) { return each > 0; });
}

} // namespace fwd::tui
