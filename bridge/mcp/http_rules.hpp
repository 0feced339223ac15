// What an HTTP request must be before it is looked at as MCP (Streamable HTTP, both eras): values in, a refusal or nothing out.
#pragma once

#include "bridge/mcp/jsonrpc.hpp"
#include "common/net/http_message.hpp"

#include <functional>
#include <optional>
#include <string>

namespace fwd::mcp {

inline constexpr std::string_view mcp_path = "/mcp";

/// Who may ask.
struct http_guard {
    std::uint16_t port = 0;              ///< where we listen
    std::vector<std::string> host_names; ///< besides localhost, 127.0.0.1 and [::1]
    std::function<std::string()> token;  ///< asked each time; an empty one fits nobody; no function: everybody may
};

/// 403, 401, 404, 405, 415, 406 in this order, or nothing. A web page of somebody else can get past none of the first two.
[[nodiscard]] std::optional<http_response> refuse(const http_request& request, const http_guard& guard);

/// A JSON-RPC error as the whole answer.
[[nodiscard]] http_response error_response(unsigned status, const std::optional<json::value>& id, const rpc_error& why);

/// Whether the message counts as modern: by its body, or by a version header that is no legacy date.
[[nodiscard]] bool is_modern(const http_request& request, const rpc_message& message);
/// What is wrong with the headers of a modern message, with its status; or nothing. `parameters`: of the tool that is called,
/// whose x-mcp-header properties must stand in headers as well; may be null.
struct header_problem {
    unsigned status = 400;
    rpc_error why;
};
[[nodiscard]] std::optional<header_problem> check_modern(const http_request& request, std::string_view method, const json::object& params,
                                                         const json::object* parameters);
/// The status of a modern request's answer.
[[nodiscard]] unsigned status_of(const json::object& answer);

/// A header's value; "=?base64?...?=" is decoded. Nothing when that is malformed.
[[nodiscard]] std::optional<std::string> header_text(std::string_view value);

} // namespace fwd::mcp
