// Query parameters and bodies, checked: the first that is wrong is named.
#pragma once

#include "common/api/wire.hpp"
#include "common/json_reader.hpp"
#include "common/net/http_message.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace fwd::api {

/// After the reads, problem() is the first error (invalid_request naming the parameter), or nothing.
class query {
public:
    explicit query(const http_target& from) : from_{from} {}

    [[nodiscard]] std::string text(std::string_view name) const { return from_.parameter(name).value_or(""); }
    std::string required(std::string_view name);
    /// One of `words`, compared without case and given as spelled there; empty when absent.
    std::string choice(std::string_view name, std::initializer_list<std::string_view> words);
    std::int64_t whole(std::string_view name, std::int64_t absent, std::int64_t least, std::int64_t most);
    /// A time ("2026-11-21T04:05:35Z") or how long ago ("15m", "2h").
    std::optional<wall_time> moment(std::string_view name, wall_time now);
    void fail(std::string_view name, std::string_view must);
    [[nodiscard]] const std::optional<error>& problem() const { return problem_; }

private:
    const http_target& from_;
    std::optional<error> problem_;
};

/// Whether `part` stands in `text`, without case. The `search` of lists.
[[nodiscard]] bool contains(std::string_view text, std::string_view part);

/// limit 1-1000 (100) and offset.
struct page {
    std::int64_t limit = 100, offset = 0;
    explicit page(query& from) : limit{from.whole("limit", 100, 1, 1000)}, offset{from.whole("offset", 0, 0, INT64_MAX)} {}

    /// The part of `all` that this page is; `about` is told how much there is.
    template <class T>
    [[nodiscard]] std::vector<T> cut(std::vector<T> all, wire::meta& about) const
    {
        const auto total = static_cast<std::int64_t>(all.size());
        const auto first = std::min(offset, total), last = std::min(total, first + limit);
        all.erase(all.begin() + last, all.end());
        all.erase(all.begin(), all.begin() + first);
        about.count = static_cast<std::int64_t>(all.size());
        about.total = total;
        about.offset = offset;
        about.limit = limit;
        return all;
    }
};

/// The body as a struct; an empty one reads as {}. Errors: unsupported_media_type is the caller's check; invalid_request with the
/// byte or member that is wrong.
template <class T>
[[nodiscard]] result<T> read_body(const std::string& body)
{
    auto value = parse_json(body.empty() ? std::string_view{"{}"} : std::string_view{body});
    if (!value) return error{errc::invalid_request, "body: " + value.error().context};
    return wire::from_json<T>(*value);
}

} // namespace fwd::api
