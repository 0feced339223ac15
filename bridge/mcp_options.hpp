// The words behind `fwd mcp`: how to serve, what to show, or where to install.
#pragma once

#include "bridge/mcp/server.hpp"
#include "bridge/tools/registry.hpp"
#include "common/net/endpoint.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fwd::bridge {

struct mcp_options {
    enum class what { stdio, http, install, reference };
    what to_do = what::stdio;
    endpoint at; ///< of http
    tools::tool_choice choice;
    mcp::confirming confirm = mcp::confirming::ask;
    std::string client, scope; ///< of install; an empty scope is the client's usual one
    bool undo = false, by_url = false;
};

/// `arguments` behind "mcp"; `variable` reads the environment, where FWD_MCP_TOOLSETS and FWD_MCP_READ_ONLY stand in for flags that
/// are not given. Errors: invalid_request in words for the person at the terminal.
[[nodiscard]] result<mcp_options> parse_mcp_options(const std::vector<std::string>& arguments,
                                                    const std::function<std::string(std::string_view)>& variable);

} // namespace fwd::bridge
