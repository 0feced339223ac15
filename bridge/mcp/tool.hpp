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

[[nodiscard]] json::object as_json(const next_call& step);

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
    std::string plan;    ///< name of a plan that others keep and check; empty: the server keeps the question itself
};

/// What the client must be asked before the request can be answered (2026-07-28: the request comes again with the answers).
struct tool_input {
    json::object requests; ///< by key: {method, params}
    std::string state;     ///< comes back with the answers; may be empty
};

/// A result that is not structured data: blocks of content.
struct tool_content {
    json::array blocks;
};

/// The structured result, which always has a `summary`; or why not; or what to ask; or a protocol error.
using tool_answer = std::variant<json::object, tool_problem, tool_question, tool_input, tool_content, rpc_error>;

/// One running request, as what serves it sees it.
class tool_call {
public:
    virtual ~tool_call() = default;
    /// Checked against the tool's input schema, defaults filled in. Empty for what is no tool.
    [[nodiscard]] virtual const json::object& arguments() const = 0;
    /// A person agreed to exactly this call.
    [[nodiscard]] virtual bool confirmed() const = 0;
    /// Whether the client asked to hear how far the call is.
    [[nodiscard]] virtual bool wants_progress() const = 0;
    /// Ignored unless `done` grew. `total` 0: unknown.
    virtual void progress(std::int64_t done, std::int64_t total, std::string message) = 0;
    [[nodiscard]] virtual std::string client() const = 0; ///< who calls, "name/version"

    /// The plan that a person agreed to, where the question named one.
    [[nodiscard]] virtual std::string plan() const { return {}; }
    /// A log message about this request, for clients that want such.
    virtual void log(std::string_view /*level*/, std::string_view /*logger*/, json::value /*data*/) {}
    /// What the client said that it can do ("elicitation", "sampling", "roots").
    [[nodiscard]] virtual bool client_has(std::string_view /*capability*/) const { return false; }
    [[nodiscard]] virtual era of() const { return era::legacy; }
    /// Answers to an earlier tool_input, and its state.
    [[nodiscard]] virtual const json::object* inputs() const { return nullptr; }
    [[nodiscard]] virtual std::string state() const { return {}; }
    /// Legacy era: a request to the client, and its result. Errors: unsupported, refused.
    virtual awaitable<result<json::object>> ask_client(std::string /*method*/, json::object /*params*/)
    {
        co_return error{errc::unsupported, "nobody to ask"};
    }
};

/// What a tool needs of Kubernetes: "get pods/log".
using rights = std::vector<std::string>;

struct tool {
    std::string name, title, description;
    json::object input, output; ///< made by schema::
    tool_hints hints;
    json::object meta;        ///< of the entry in tools/list; may be empty
    bool keeps_state = false; ///< requestState is the tool's own affair
    /// The call outlives the coroutine.
    std::function<awaitable<tool_answer>(tool_call&)> run;
};

/// The entry of tools/list, with the members that `version` knows.
[[nodiscard]] json::object describe(const tool& what, std::string_view version);
/// The result of tools/call.
[[nodiscard]] json::object success(json::object structured, std::string_view version);
[[nodiscard]] json::object failure(const tool_problem& why, std::string_view version);

} // namespace fwd::mcp
