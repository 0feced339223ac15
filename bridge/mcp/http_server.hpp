// MCP over Streamable HTTP: one endpoint for both eras. Sessions for the legacy versions, a conversation per request for the modern.
#pragma once

#include "bridge/mcp/http_rules.hpp"
#include "bridge/mcp/server.hpp"
#include "common/async/random.hpp"
#include "common/net/network.hpp"

#include <memory>

namespace fwd::mcp {

struct http_settings {
    std::vector<std::string> host_names;
    std::function<std::string()> token; ///< see http_guard
    std::size_t connections = 256, sessions = 64;
    std::uint64_t body = 4ull * 1024 * 1024;
    duration header = 10s;  ///< for a request to arrive
    duration idle = 60s;    ///< between requests
    duration write = 30s;   ///< for the peer to take what is sent
    duration comment = 15s; ///< silence on a stream after which a comment is sent
    duration session_idle = 30min;
};

class http_server {
public:
    /// All outlive the server.
    http_server(const features& what, server_parts parts, network& net, random_source& random, http_settings settings,
                server_limits limits = {});
    ~http_server();
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    /// Errors: those of listening; invalid_request for an address that is not this machine's own.
    [[nodiscard]] result<endpoint> listen(endpoint at);
    /// Ends streams in good order, then all connections.
    awaitable<void> stop();
    [[nodiscard]] std::size_t sessions() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace fwd::mcp
