// All tools of the bridge, in the order in which they are listed.
#pragma once

#include "bridge/mcp/tool.hpp"
#include "bridge/tools/kit.hpp"

#include <vector>

namespace fwd::tools {

/// `with` outlives the tools.
[[nodiscard]] std::vector<mcp::tool> all_tools(const kit& with);

// One maker per tool, by family.
[[nodiscard]] mcp::tool make_list_services(const kit& with);
[[nodiscard]] mcp::tool make_add_service(const kit& with);
[[nodiscard]] mcp::tool make_remove_service(const kit& with);
[[nodiscard]] mcp::tool make_get_connection_info(const kit& with);
[[nodiscard]] mcp::tool make_add_namespace(const kit& with);
[[nodiscard]] mcp::tool make_list_k8s_services(const kit& with);

/// What models are told about this server; the first sentences count.
[[nodiscard]] std::string instructions();

} // namespace fwd::tools
