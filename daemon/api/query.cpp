#include "daemon/api/query.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::api {

void query::fail(std::string_view name, std::string_view must)
{
    if (!problem_) problem_ = error{errc::invalid_request, fmt::format("parameter '{}' {}", name, must)};
}

std::string query::required(std::string_view name)
{
    auto value = text(name);
    if (value.empty()) fail(name, "is missing");
    return value;
}

std::string query::choice(std::string_view name, std::initializer_list<std::string_view> words)
{
    const auto value = text(name);
    if (value.empty()) return {};
    std::vector<std::string> all;
    for (const auto word : words) {
        if (iequals(word, value)) return std::string{word};
        all.emplace_back(word);
    }
    fail(name, "must be one of " + join(all, ", "));
    return {};
}

std::int64_t query::whole(std::string_view name, std::int64_t absent, std::int64_t least, std::int64_t most)
{
    const auto given = from_.parameter(name);
    if (!given) return absent;
    const auto number = to_number<std::int64_t>(*given);
    if (number && *number >= least && *number <= most) return *number;
    if (most == INT64_MAX)
        fail(name, fmt::format("must be a whole number from {}", least));
    else
        fail(name, fmt::format("must be a whole number from {} to {}", least, most));
    return absent;
}

std::optional<wall_time> query::moment(std::string_view name, wall_time now)
{
    const auto given = text(name);
    if (given.empty()) return std::nullopt;
    if (const auto time = parse_rfc3339(given)) return time;
    if (const auto ago = parse_duration(given); ago && *ago >= 0ns) return now - *ago;
    fail(name, "must be a time such as 2026-11-21T04:05:35Z, or how long ago, such as 15m");
    return std::nullopt;
}

bool contains(std::string_view text, std::string_view part)
{
    return part.empty() || lower(text).find(lower(part)) != std::string::npos;
}

} // namespace fwd::api
