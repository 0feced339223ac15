// Tells an MCP client of fwd: the change to its configuration, shown, made, and taken back.
#pragma once

#include "bridge/daemon_address.hpp"
#include "bridge/mcp_options.hpp"

#include <boost/json/object.hpp>

namespace fwd::bridge {

/// How a client keeps its servers.
struct client_file {
    std::string path;
    std::vector<std::string> place; ///< members down to the object of servers
    bool toml = false;
};
/// What depends on the machine.
struct install_facts {
    std::string home, folder; ///< the user's; where the command was called
    std::string program;      ///< the absolute path of fwd: programs with windows often have another PATH
    std::string url;          ///< for clients that are to use HTTP
};

/// Where `how.client` keeps its servers in `how.scope`. Errors: invalid_request naming the clients, or the scopes that it has.
[[nodiscard]] result<client_file> file_of_client(const mcp_options& how, const install_facts& facts);
/// The entry named fwd. Errors: unsupported for a client that takes no URLs.
[[nodiscard]] result<boost::json::object> entry_for(const mcp_options& how, const install_facts& facts);
/// The file's next text: with the entry, or without it. Everything else stays. Errors: parse_error for a file that cannot be changed
/// without harm (comments, for one).
[[nodiscard]] result<std::string> changed_text(const client_file& file, std::string_view now, const mcp_options& how,
                                               const install_facts& facts);

/// Shows the change and makes it. Returns the exit code.
[[nodiscard]] int install_in_client(const mcp_options& how, const caller_facts& caller);

} // namespace fwd::bridge
