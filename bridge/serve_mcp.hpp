// fwd mcp: the MCP server on this process's stdin and stdout, or over HTTP; and where clients are told of it.
#pragma once

#include "bridge/session.hpp"

#include <string>
#include <vector>

namespace fwd::bridge {

/// What the words behind `fwd mcp` ask for. On stdio it serves until the input ends; INT and TERM end the process at once with code
/// 0, as nothing here needs undoing. Returns the exit code.
[[nodiscard]] int serve_mcp(session& with, const std::vector<std::string>& arguments = {});

} // namespace fwd::bridge
