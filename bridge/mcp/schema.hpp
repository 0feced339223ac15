// Schemas of tool arguments and results: built once, published as JSON Schema 2020-12, and checked from the same description.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fwd::mcp::schema {

namespace json = boost::json;

/// One member of an object: its name and what it is.
struct member {
    std::string_view name;
    json::object what;
    bool needed = false;
};

[[nodiscard]] json::object text(std::string_view about, std::optional<std::string_view> by_default = {});
[[nodiscard]] json::object choice(std::string_view about, std::initializer_list<std::string_view> values,
                                  std::optional<std::string_view> by_default = {});
[[nodiscard]] json::object whole(std::string_view about, std::int64_t least, std::int64_t most,
                                 std::optional<std::int64_t> by_default = {});
/// A whole number of any size that JSON has; for results.
[[nodiscard]] json::object count(std::string_view about);
[[nodiscard]] json::object truth(std::string_view about, std::optional<bool> by_default = {});
[[nodiscard]] json::object number(std::string_view about);
[[nodiscard]] json::object list(std::string_view about, json::object of);
/// One of several types ("string", "integer").
[[nodiscard]] json::object either(std::string_view about, std::initializer_list<std::string_view> types);
/// Names to texts.
[[nodiscard]] json::object texts_by_name(std::string_view about);
[[nodiscard]] json::object object(std::initializer_list<member> members, std::string_view about = {});
/// As object, and other members may appear.
[[nodiscard]] json::object open_object(std::initializer_list<member> members, std::string_view about = {});

/// A required member.
[[nodiscard]] inline member must(std::string_view name, json::object what)
{
    return {name, std::move(what), true};
}
[[nodiscard]] inline member may(std::string_view name, json::object what)
{
    return {name, std::move(what), false};
}

/// What is wrong with `value` in the words of somebody who will mend it ("argument 'limit' must be at most 200, was 500"), or
/// nothing. `place` names the value itself ("argument"). Knows exactly the keywords that the functions above write.
[[nodiscard]] std::optional<std::string> problem_with(const json::value& value, const json::object& schema, std::string_view place);
/// The same, with the schema of an object.
[[nodiscard]] std::optional<std::string> problem_with(const json::object& value, const json::object& schema, std::string_view place);

/// Sets the members of an object that are absent and have a default.
void fill_defaults(json::object& value, const json::object& schema);

} // namespace fwd::mcp::schema
