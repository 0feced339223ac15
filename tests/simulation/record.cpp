#include "tests/simulation/record.hpp"

#include <algorithm>
#include <array>

namespace fwd::simulation {

void availability::now(const std::string& key, moment is)
{
    auto& all = moments_[key];
    if (!all.empty() && all.back() == is) return;
    if (!all.empty() && all.back().from == is.from)
        all.back() = std::move(is);
    else
        all.push_back(std::move(is));
}

const std::vector<moment>& availability::of(const std::string& key) const
{
    static const std::vector<moment> none;
    const auto at = moments_.find(key);
    return at == moments_.end() ? none : at->second;
}

const moment& availability::last(const std::string& key) const
{
    static const moment none{};
    const auto& all = of(key);
    return all.empty() ? none : all.back();
}

bool availability::could_answer(const std::string& key, time_point from, time_point to, duration least) const
{
    const auto& all = of(key);
    // One pod must have been there for so long: of a rollout each pod counts by itself.
    std::map<std::string, time_point> since;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto begins = std::max(all[i].from, from), ends = i + 1 < all.size() ? std::min(all[i + 1].from, to) : to;
        if (ends <= from || begins >= to) {
            if (begins >= to) break;
            continue;
        }
        std::erase_if(since, [&](const auto& one) { return !all[i].eligible.contains(one.first); });
        for (const auto& pod : all[i].eligible) since.try_emplace(pod, begins);
        for (const auto& [pod, start] : since)
            if (ends - start >= least) return true;
    }
    return false;
}

bool availability::hope_throughout(const std::string& key, time_point from, time_point to, duration memory) const
{
    const auto& all = of(key);
    if (all.empty() || all.front().from > from) return false;
    to = std::max(to, from + 1ns); // a moment is a span, too
    std::optional<time_point> last_eligible;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto ends = i + 1 < all.size() ? all[i + 1].from : to;
        if (!all[i].eligible.empty()) last_eligible = ends;
        if (ends <= from || all[i].from >= to) continue;
        if (!all[i].eligible.empty() || all[i].starting) continue;
        if (all[i].closed) return false;
        if (!last_eligible || std::min(ends, to) - *last_eligible >= memory) return false;
    }
    return true;
}

bool availability::always_answered(const std::string& key, time_point from, time_point to) const
{
    const auto& all = of(key);
    if (!existed_throughout(key, from, to)) return false;
    to = std::max(to, from + 1ns);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto ends = i + 1 < all.size() ? all[i + 1].from : to;
        if (all[i].eligible.empty() && ends > from && all[i].from < to) return false;
    }
    return true;
}

bool availability::appeared(const std::string& key, time_point from, time_point to) const
{
    if (daemon_since_ >= from) return true;
    const auto& all = of(key);
    for (std::size_t i = 1; i < all.size(); ++i)
        if (all[i].exists && !all[i - 1].exists && all[i].from >= from && all[i].from <= to) return true;
    return false;
}

bool availability::closed(const std::string& key, time_point from, time_point to) const
{
    const auto& all = of(key);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto ends = i + 1 < all.size() ? all[i + 1].from : to;
        if (all[i].closed && ends >= from && all[i].from <= to) return true;
    }
    return false;
}

bool availability::existed_throughout(const std::string& key, time_point from, time_point to) const
{
    const auto& all = of(key);
    if (all.empty() || all.front().from > from) return false;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto ends = i + 1 < all.size() ? all[i + 1].from : to;
        if (!all[i].exists && ends > from && all[i].from < to) return false;
    }
    return true;
}

std::string_view name_of(outcome::end how)
{
    constexpr std::array<std::string_view, 6> names{"waiting", "answered", "refused", "reset", "short", "left"};
    return names[static_cast<std::size_t>(how)];
}

} // namespace fwd::simulation
