// A tool as the protocol sees it: what it is called, what it takes and gives, and a coroutine that does it.
#pragma once

#include "bridge/mcp/protocol.hpp"
#include "common/async/awaitable.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace fwd::mcp {

/// The four hints of 2025-03-26. All are always stated: what clients assume without them is alarming.
struct tool_hints {
    bool read_only = false;
    bool destructive = false;
    bool idempotent = true;
    bool open_world = false; ///< reaches beyond this machine
};

/// A call that would help: what an error offers instead of leaving the caller alone.
struct next_call {
    std::string tool; ///< empty: a command for a person
    json::object arguments;
    std::string command;
    std::string why;
};

/// The failure of a call, in a shape that a model can act on.
struct tool_problem {
    std::string code;    ///< lower snake case
    std::string message; ///< one sentence: what
    std::string cause;   ///< one sentence: why; may be empty
    std::vector<std::string> evidence;
    std::vector<next_call> next;
    json::object more; ///< further members of the result, such as candidates
};

/// A call that wants a person's word first. The server asks by whatever way the client has, then runs the tool again.
struct tool_question {
    std::string message; ///< what would happen
    std::string title;   ///< of the box to tick
};

/// The structured result, which always has a `summary`; or why not; or what to ask.
using tool_answer = std::variant<json::object, tool_problem, tool_question>;

/// One running call, as its tool sees it.
class tool_call {
public:
    virtual ~tool_call() = default;
    /// Checked against the tool's input schema, defaults filled in.
    [[nodiscard]] virtual const json::object& arguments() const = 0;
    /// A person agreed to exactly this call.
    [[nodiscard]] virtual bool confirmed() const = 0;
    /// Whether the client asked to hear how far the call is.
    [[nodiscard]] virtual bool wants_progress() const = 0;
    /// Ignored unless `done` grew. `total` 0: unknown.
    virtual void progress(std::int64_t done, std::int64_t total, std::string message) = 0;
    [[nodiscard]] virtual std::string client() const = 0; ///< who calls, "name/version"
};

struct tool {
    std::string name, title, description;
    json::object input, output; ///< made by schema::
    tool_hints hints;
    /// The call outlives the coroutine.
    std::function<awaitable<tool_answer>(tool_call&)> run;
};

/// The entry of tools/list, with the members that `version` knows.
[[nodiscard]] json::object describe(const tool& what, std::string_view version);
/// The result of tools/call.
[[nodiscard]] json::object success(json::object structured, std::string_view version);
[[nodiscard]] json::object failure(const tool_problem& why, std::string_view version);

} // namespace fwd::mcp
