// Parameterised texts for usual jobs: one user message each, naming the tools to call in order and what each outcome asks for.
#pragma once

#include "bridge/mcp/features.hpp"
#include "bridge/tools/kit.hpp"

namespace fwd::prompts {

[[nodiscard]] std::vector<mcp::prompt> all_prompts();
/// What could stand for an argument of a prompt or a variable of a template, asked of the daemon: contexts, namespaces, services,
/// pods. Empty where it cannot be known now. `with` outlives it.
[[nodiscard]] std::function<awaitable<std::vector<std::string>>(mcp::tool_call&, mcp::completion_query)> completion(const tools::kit& with);

} // namespace fwd::prompts
