// The verbs whose flags another part reads (fwdd, the MCP server), as the help page shows them.
#pragma once

#include "bridge/cli/grammar.hpp"

#include <string_view>

namespace fwd::bridge {

/// svc and start with the daemon's flags, mcp with its own, cleanup, help and version without any.
[[nodiscard]] cli::grammar passed_words(std::string_view help_page);

} // namespace fwd::bridge
