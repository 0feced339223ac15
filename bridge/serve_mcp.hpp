// fwd mcp: the MCP server on this process's stdin and stdout.
#pragma once

#include "bridge/session.hpp"

namespace fwd::bridge {

/// Serves until the input ends. INT and TERM end the process at once with code 0: nothing here needs undoing.
[[nodiscard]] int serve_mcp(session& with);

} // namespace fwd::bridge
