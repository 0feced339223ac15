// Lenient reading of JSON objects: typed members, unknown ones ignored, the first problem kept with its place.
#pragma once

#include "common/result.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwd {

namespace json = boost::json;

struct json_limits {
    std::size_t depth = 64;
};

/// Errors: errc::parse_error with the offset of the first bad byte.
[[nodiscard]] result<json::value> parse_json(std::string_view text, json_limits limits = {});

/// Reads one object. After the reads, ok() or the first error ("member 'port': expected a whole number").
class json_reader {
public:
    explicit json_reader(const json::value& from, std::string place = {});
    explicit json_reader(const json::object& from, std::string place = {});

    [[nodiscard]] bool has(std::string_view name) const; ///< there and not null

    std::string text(std::string_view name); ///< required
    std::string text_or(std::string_view name, std::string_view other);
    std::optional<std::string> maybe_text(std::string_view name);
    std::int64_t whole(std::string_view name); ///< required
    std::int64_t whole_or(std::string_view name, std::int64_t other);
    std::optional<std::int64_t> maybe_whole(std::string_view name);
    std::optional<double> maybe_number(std::string_view name);
    bool truth_or(std::string_view name, bool other);
    std::optional<bool> maybe_truth(std::string_view name);
    std::vector<std::string> texts(std::string_view name); ///< absent is empty
    /// The member as it is, or nullptr when absent or null.
    const json::value* member(std::string_view name);
    const json::object* maybe_object(std::string_view name);
    const json::array* maybe_array(std::string_view name);

    void fail(std::string_view name, std::string_view problem);
    [[nodiscard]] bool ok() const { return !problem_; }
    [[nodiscard]] fwd::error error() const { return *problem_; }

private:
    const json::value* find(std::string_view name) const;
    const json::object* object_;
    std::string place_;
    std::optional<fwd::error> problem_;
};

} // namespace fwd
