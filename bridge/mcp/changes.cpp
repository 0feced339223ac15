#include "bridge/mcp/changes.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace fwd::mcp {

std::optional<int> level_rank(std::string_view level)
{
    static constexpr std::array<std::string_view, 8> levels{"debug", "info",     "notice", "warning",
                                                            "error", "critical", "alert",  "emergency"};
    const auto found = std::find(levels.begin(), levels.end(), level);
    if (found == levels.end()) return std::nullopt;
    return static_cast<int>(found - levels.begin());
}

std::uint64_t change_feed::hear(hearer call)
{
    hearers_.emplace(++last_, std::move(call));
    return last_;
}

void change_feed::want(const std::string& uri)
{
    if (++wanted_[uri] == 1 && demand_) demand_(uri, true);
}

void change_feed::unwant(const std::string& uri)
{
    const auto found = wanted_.find(uri);
    if (found == wanted_.end() || --found->second > 0) return;
    wanted_.erase(found);
    if (demand_) demand_(uri, false);
}

void change_feed::tell(const change& what)
{
    std::vector<std::uint64_t> all;
    for (const auto& [id, call] : hearers_) all.push_back(id);
    for (const auto id : all)
        if (const auto found = hearers_.find(id); found != hearers_.end()) found->second(what);
}

} // namespace fwd::mcp
