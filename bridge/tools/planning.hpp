// Calls that the daemon plans: it says what would happen, a person agrees where that is called for, then it happens once.
#pragma once

#include "bridge/mcp/schema.hpp"
#include "bridge/tools/kit.hpp"

namespace fwd::tools {

/// What a tool is about to do, in the daemon's words.
struct planned {
    std::string tool;      ///< that does it
    std::string operation; ///< of the daemon's plans
    json::object what;     ///< arguments of the operation
    std::string title;     ///< of the box that a person ticks
};

/// A plan for it, to be applied by apply_plan.
awaitable<bridge::answer<wire::plan>> make_plan(const bridge::rest_client& rest, const planned& of);
[[nodiscard]] mcp::tool_question question_of(const wire::plan& made, const planned& of);

/// Why a plan could not be carried out. `call` brought it where a person was asked earlier, so that it may be used or too old by now.
[[nodiscard]] mcp::tool_problem not_applied(const planned& of, const mcp::tool_call& call, const bridge::rest_problem& why);
/// Carries out the plan `id`.
awaitable<std::variant<json::value, mcp::tool_problem>> apply_plan(const bridge::rest_client& rest, const mcp::tool_call& call,
                                                                   const planned& of, std::string id);

/// What was added, or what the tool answers instead.
template <class Added>
using added_or_told = std::variant<Added, mcp::tool_answer>;
/// Adds at once; by a plan that a person agrees to where the daemon wants that (protected contexts).
awaitable<added_or_told<wire::added_service>> add_by_word(const bridge::rest_client& rest, mcp::tool_call& call, wire::add_service what);
awaitable<added_or_told<wire::added_namespace>> add_by_word(const bridge::rest_client& rest, mcp::tool_call& call,
                                                            wire::add_namespace what);

/// The argument and the members of a result by which a person's word travels where the client cannot ask.
[[nodiscard]] mcp::schema::member token_argument();
[[nodiscard]] mcp::schema::member token_member();

} // namespace fwd::tools
