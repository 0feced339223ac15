// JSON-RPC 2.0 as MCP uses it: lines, the four kinds of message, and replies. Knows nothing of versions or methods.
#pragma once

#include "common/json_reader.hpp"
#include "common/result.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace fwd::mcp {

namespace json = boost::json;

/// Codes of JSON-RPC and of MCP 2026-07-28 that this server may answer with.
enum class rpc_code : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    resource_not_found = -32002, ///< legacy only
    header_mismatch = -32020,
    missing_client_capability = -32021,
    unsupported_version = -32022,
};

struct rpc_error {
    rpc_code code = rpc_code::internal_error;
    std::string message;
    json::value data; ///< null: none
};

/// Wants an answer. `id` is a string or an integer and goes back as it came.
struct rpc_request {
    json::value id;
    std::string method;
    json::object params;
};
/// Wants none.
struct rpc_notification {
    std::string method;
    json::object params;
};
/// The client's answer to a request of ours.
struct rpc_response {
    json::value id;
    json::object result;
    std::optional<std::string> error; ///< its message; then `result` is empty
};
/// Not a message. The answer carries `id` where one could be read.
struct rpc_garbage {
    std::optional<json::value> id;
    rpc_error why;
};

using rpc_message = std::variant<rpc_request, rpc_notification, rpc_response, rpc_garbage>;

/// What one JSON value says. An array is garbage here: who may send batches is for the caller to know.
[[nodiscard]] rpc_message read_message(const json::value& from);

[[nodiscard]] json::object reply(const json::value& id, json::object result);
/// Without an id where none could be read: null is not valid there since 2025-11-25.
[[nodiscard]] json::object reply_error(const std::optional<json::value>& id, const rpc_error& why);
[[nodiscard]] json::object notification(std::string_view method, json::object params);

/// A key for maps: tells 1 from "1".
[[nodiscard]] std::string id_key(const json::value& id);

/// Cuts a byte stream into lines, of which the overlong are dropped and told. Blank lines are skipped, a final CR is cut.
class line_reader {
public:
    explicit line_reader(std::size_t limit = 8u * 1024 * 1024) : limit_{limit} {}
    void feed(std::string_view bytes);
    /// The next whole line, errc::too_large in the place of one over the limit, or nothing for now.
    [[nodiscard]] std::optional<result<std::string>> next();

private:
    std::size_t limit_;
    std::string buffer_;
    std::size_t start_ = 0;   ///< of the current line in buffer_
    std::size_t scanned_ = 0; ///< no newline before this
    bool skipping_ = false;   ///< inside a line that was too long already
};

} // namespace fwd::mcp
