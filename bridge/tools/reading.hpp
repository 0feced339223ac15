// Tools whose answer is what one REST call says: where to ask, and how it is told.
#pragma once

#include "bridge/mcp/schema.hpp"
#include "bridge/tools/kit.hpp"

#include <functional>
#include <variant>

namespace fwd::tools {

/// One REST call below /api/v1.
struct rest_call {
    std::string path;
    bridge::rest_client::parameters with;
    std::string method = "GET";
    json::value body = nullptr;
    duration longer{}; ///< that it may take beyond the usual
};

/// The call, or what is wrong with the arguments.
using asked = std::variant<rest_call, mcp::tool_problem>;

struct reading {
    std::string name, title, description;
    json::object input;
    /// Members of the result beside `summary`; others may appear.
    std::vector<mcp::schema::member> output;
    mcp::tool_hints hints{.read_only = true};
    std::function<asked(const json::object& given)> ask;
    /// A further GET whose data stands beside the first as member `beside`; what cannot be had is left out. Empty path: none.
    rest_call also = {};
    /// The result. What came is an object ({} where it was none); texts in it are printable already.
    std::function<json::object(json::object data, const json::object& given)> tell;
};

/// One that takes no arguments so far and changes nothing.
[[nodiscard]] reading reading_of(std::string name, std::string title, std::string description);
/// The schema of what is passed on as REST has it.
[[nodiscard]] json::object anything();

/// `with` outlives the tool. Results are cut to fit.
[[nodiscard]] mcp::tool make_reading(const kit& with, reading what);

/// Every text of a foreign value made printable; nulls left out.
[[nodiscard]] json::value cleaned(const json::value& from);
/// Cuts lists and long texts until the whole has at most so many characters, and says so in `truncated`.
void fit(json::object& result, std::size_t most = most_characters);
/// A list of `data` as member `name` of the result, with `count`; from the cursor on, at most `limit`, with nextCursor.
void put_page(json::object& result, std::string_view name, json::object& data, std::string_view from, std::int64_t offset,
              std::int64_t limit);
/// The same list whole.
void put_list(json::object& result, std::string_view name, json::object& data, std::string_view from);

/// "web.shop" of the argument `service`, as REST's path has it. Problems: invalid_arguments.
[[nodiscard]] std::variant<std::string, mcp::tool_problem> service_key(const json::object& given, std::string_view name = "service");
[[nodiscard]] std::string segment(std::string_view text);
[[nodiscard]] std::string text_of(const json::object& from, std::string_view name);
[[nodiscard]] std::int64_t number_of(const json::object& from, std::string_view name);

} // namespace fwd::tools
