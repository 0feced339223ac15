// What every tool works with, and how REST's words become those of a tool.
#pragma once

#include "bridge/mcp/tool.hpp"
#include "bridge/rest_client.hpp"
#include "common/json_size.hpp"

#include <string>

namespace fwd {
class logger;
}

namespace fwd::tools {

namespace json = boost::json;

/// Outlives the tools made with it.
struct kit {
    bridge::rest_client rest;
    timing& clock;
    logger& log;
    std::string session; ///< tells one bridge process from another

    /// REST in the name of the program that calls the tool.
    [[nodiscard]] bridge::rest_client rest_for(const mcp::tool_call& call) const;
};

/// Largest result in characters; lists stop there and say how to go on.
inline constexpr std::size_t most_characters = 16'000;
/// As many entries of `all` as an answer has room for, at least one; `make` gives the JSON of each.
template <class Range, class Make>
[[nodiscard]] json::array as_many_as_fit(Range&& all, Make make, std::size_t most = most_characters)
{
    json::array out;
    std::size_t characters = 0;
    for (auto& each : all) {
        json::value one(make(each));
        characters += json_size(one);
        if (characters > most && !out.empty()) break;
        out.push_back(std::move(one));
    }
    return out;
}
/// Of a resource, which a client reads for itself.
inline constexpr std::size_t most_resource = 512 * 1024;

/// REST's problem with steps that this server's tools can take.
[[nodiscard]] mcp::tool_problem problem_from(const bridge::rest_problem& why);
/// The tool that does what a REST call would, or the command for a person; neither: the step is none of ours.
[[nodiscard]] mcp::next_call step_from(const wire::next_step& step);
[[nodiscard]] mcp::tool_problem invalid_arguments(std::string message);
/// A step by tool.
[[nodiscard]] mcp::next_call call_of(std::string tool, json::object arguments, std::string why);

/// Cursors of lists: an offset that only we read. Errors: invalid_request.
[[nodiscard]] std::string cursor_at(std::int64_t offset);
[[nodiscard]] result<std::int64_t> read_cursor(const json::object& arguments);

[[nodiscard]] std::string text_argument(const json::object& arguments, std::string_view name);
[[nodiscard]] std::vector<std::string> texts_argument(const json::object& arguments, std::string_view name);
[[nodiscard]] std::int64_t whole_argument(const json::object& arguments, std::string_view name, std::int64_t other);

[[nodiscard]] json::array json_texts(const std::vector<std::string>& texts);

} // namespace fwd::tools
