// The daemon's state as resources: ten addresses and four templates, each the data of REST calls.
#pragma once

#include "bridge/mcp/features.hpp"
#include "bridge/tools/kit.hpp"

namespace fwd::resources {

/// `with` outlives what is returned.
[[nodiscard]] std::vector<mcp::resource> all_resources(const tools::kit& with);
[[nodiscard]] std::vector<mcp::resource_template> all_templates(const tools::kit& with);
/// Any well-formed address of ours can be subscribed to.
[[nodiscard]] bool is_resource(std::string_view uri);
/// Which of the addresses `wanted` an event touches.
[[nodiscard]] bool touches(const wire::event& what, std::string_view uri);

} // namespace fwd::resources
