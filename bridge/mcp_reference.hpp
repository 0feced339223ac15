// What the MCP server of fwd offers: made in one place, and told as a page.
#pragma once

#include "bridge/mcp/features.hpp"
#include "bridge/tools/registry.hpp"

#include <string>

namespace fwd::bridge {

/// Tools, resources, prompts and completion. `with` outlives it.
[[nodiscard]] mcp::features features_of(const tools::kit& with, const tools::tool_choice& choice);
/// The reference page, Markdown.
[[nodiscard]] std::string reference_page(const mcp::features& of);

} // namespace fwd::bridge
