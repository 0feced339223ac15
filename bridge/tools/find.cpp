#include "bridge/tools/find.hpp"

#include "common/text.hpp"

#include <algorithm>
#include <array>

namespace fwd::tools {

namespace {

/// Words that say nothing about which service is meant.
constexpr std::array<std::string_view, 6> fillers{"the", "a", "an", "service", "database", "db"};

bool is_filler(std::string_view word)
{
    return std::find(fillers.begin(), fillers.end(), word) != fillers.end();
}

} // namespace

service_search parse_query(std::string_view query)
{
    service_search out;
    std::vector<std::string> left, all;
    bool place = false;
    for (auto& word : split(lower(query), ' ')) {
        if (word.empty()) continue;
        if (word == "in" || word == "of" || word == "from") {
            place = true;
        } else if (place && (word == "the" || word == "namespace" || word == "context" || word == "cluster")) {
            continue;
        } else if (std::exchange(place, false) && out.place.empty()) {
            out.place = word;
        } else if (word != "namespace" && word != "context" && word != "cluster") {
            if (!is_filler(word)) left.push_back(word);
            all.push_back(std::move(word));
        }
    }
    out.words = join(left.empty() ? all : left, " ");
    return out;
}

std::vector<wire::found_service> best_of(std::vector<wire::found_service> all)
{
    std::int64_t best = 0;
    for (const auto& each : all) best = std::max(best, each.score);
    std::erase_if(all, [&](const wire::found_service& each) { return each.score < best; });
    return all;
}

} // namespace fwd::tools
