// What a server offers: tools, resources, prompts, and how their arguments complete. The protocol's side knows nothing else of it.
#pragma once

#include "bridge/mcp/tool.hpp"

#include <map>

namespace fwd::mcp {

struct resource_content {
    std::string mime, text;
    bool binary = false; ///< `text` is base64
};
/// The content; or why not (code not_found: there is no such resource).
using resource_answer = std::variant<resource_content, tool_problem>;
using variables = std::map<std::string, std::string>;

struct resource {
    std::string uri, name, title, description, mime;
    std::function<awaitable<resource_answer>(tool_call&)> read;
};

struct resource_template {
    std::string pattern; ///< "fwd://services/{context}/{namespace}/{service}": a variable is a whole segment
    std::string name, title, description, mime;
    std::function<awaitable<resource_answer>(tool_call&, variables)> read;
};

struct prompt_argument {
    std::string name, description;
    bool needed = false;
};
/// Its messages; or what must be known first; or a protocol error.
using prompt_answer = std::variant<json::array, tool_input, rpc_error>;
struct prompt {
    std::string name, title, description;
    std::vector<prompt_argument> arguments;
    std::function<awaitable<prompt_answer>(tool_call&, variables)> get;
};

/// What a person is typing.
struct completion_query {
    std::string of;              ///< name of the prompt, or pattern of the template
    std::string argument, value; ///< which one, and its beginning
    variables others;            ///< what is known already
};

struct features {
    server_identity who;
    std::vector<tool> tools;
    std::vector<resource> resources;
    std::vector<resource_template> templates;
    std::vector<prompt> prompts;
    /// All that could stand there; what does not begin with the value is left out by the server. May be empty.
    std::function<awaitable<std::vector<std::string>>(tool_call&, completion_query)> complete;
    /// Whether an address can be subscribed to, listed or not. Without it: those that are listed or fit a template.
    std::function<bool(std::string_view)> is_resource;
    bool lists_change = false;
};

/// The variables of `uri`, percent-decoded, if it fits; all are non-empty.
[[nodiscard]] std::optional<variables> match_template(std::string_view pattern, std::string_view uri);
[[nodiscard]] std::vector<std::string> variables_of(std::string_view pattern);
[[nodiscard]] bool can_subscribe(const features& what, std::string_view uri);

// Entries and results, with the members that `version` knows.
[[nodiscard]] json::array describe_resources(const features& what, std::string_view version);
[[nodiscard]] json::array describe_templates(const features& what, std::string_view version);
[[nodiscard]] json::array describe_prompts(const features& what, std::string_view version);
[[nodiscard]] json::object read_result(const std::string& uri, resource_content content);
/// At most 100 of `all` that begin with `value` (in any case), in order, without repetition.
[[nodiscard]] json::object complete_result(std::vector<std::string> all, std::string_view value);

} // namespace fwd::mcp
