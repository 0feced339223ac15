// What every tool works with, and how REST's words become those of a tool.
#pragma once

#include "bridge/mcp/tool.hpp"
#include "bridge/rest_client.hpp"
#include "common/async/task_scope.hpp"

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

/// REST's problem with steps that this server's tools can take.
[[nodiscard]] mcp::tool_problem problem_from(const bridge::rest_problem& why);
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

/// Awaits `work` while `beside` runs, which ends with it at the latest.
template <class T>
awaitable<T> while_running(awaitable<T> work, awaitable<void> beside, asio::any_io_executor executor, logger& log)
{
    task_scope scope{std::move(executor), log};
    scope.start("progress of a call", std::move(beside));
    std::optional<T> value;
    std::exception_ptr thrown;
    try {
        value.emplace(co_await std::move(work));
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    scope.cancel();
    co_await scope.join();
    if (thrown) std::rethrow_exception(thrown);
    co_return std::move(*value);
}

} // namespace fwd::tools
