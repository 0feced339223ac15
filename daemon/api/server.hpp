// The REST face as a whole: where it listens, its connections, and the end of both. Control thread.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/offload.hpp"
#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "common/log.hpp"
#include "common/net/network.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/cluster_view.hpp"
#include "daemon/catalog/commands.hpp"
#include "daemon/catalog/connections.hpp"
#include "daemon/catalog/event_bus.hpp"
#include "daemon/catalog/explanation.hpp"
#include "daemon/catalog/history.hpp"
#include "daemon/catalog/log_buffer.hpp"
#include "daemon/catalog/requests.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fwd::api {

/// Bounds on what one client may cost.
struct api_limits {
    std::size_t connections = 256;
    std::size_t header = 32 * 1024;
    std::size_t body = 1024 * 1024;
    duration send_header = 10s; ///< from the first byte of a request to the end of its header
    duration send_body = 30s;
    duration idle = 30s;  ///< between requests
    duration write = 30s; ///< for a client to take an answer
    duration sse_comment = 15s;
};

struct api_settings {
    bool tcp = true;                                           ///< false: `--api-listen off`
    std::vector<std::string> addresses = {"127.0.0.1", "::1"}; ///< loopback only
    std::uint16_t port = 8080;                                 ///< 0 picks a free one
    std::uint16_t last_port = 8089;                            ///< the next free one up to here is taken
    std::vector<std::string> host_names;                       ///< allowed in Host besides localhost, 127.0.0.1, [::1], fwd.internal
    std::string socket_path;                                   ///< of the Unix socket; empty: none
    std::string token_path;                                    ///< its folder is made with 0700
    std::string address_path;                                  ///< api.json; empty: none
    std::string lock_path; ///< held while the server lives, so that there is one daemon per user; empty: none
    uid_t user = 0;        ///< that may use the Unix socket, besides root
    /// What listens on a port of this machine, in words; empty: nothing.
    std::function<std::string(std::uint16_t)> who_holds;
    api_limits limits;
};

/// What the API reads, asks and hears; all of it outlives the server.
struct api_parts {
    asio::any_io_executor executor;
    catalog::catalog& state;
    catalog::commands& commands;
    catalog::cluster_view& cluster;
    catalog::event_bus& events;
    catalog::history& past;
    catalog::log_buffer& lines;
    catalog::explainer& explain;
    logger& log;
    timing& clock;
    random_source& random;
    network& net;
    catalog::connection_view& connections;
    catalog::request_view& requests;
};

class server {
public:
    server(api_parts parts, api_settings settings);
    ~server();

    /// Makes or reads the token, listens, writes api.json, starts to accept. A TCP port that cannot be had is not a failure as
    /// long as the Unix socket is there: it is logged. Errors: conflict (another daemon has the lock, or there is nothing to listen on),
    /// those of files.
    [[nodiscard]] result<void> start();
    /// Takes over a listener that is routed for `fwd.internal`, as if the server had opened it.
    void adopt(std::unique_ptr<acceptor> listener);
    /// Where it answers: "http://localhost:8080", "http://fwd.internal", "unix:/run/fwd/1000/api.sock", as far as it does.
    [[nodiscard]] std::vector<std::string> urls() const;
    /// The TCP port in use, 0 without one.
    [[nodiscard]] std::uint16_t port() const;
    /// Stops listening, tells SSE readers, ends connections once their present answer is out (at most `grace`), removes api.json and
    /// the socket.
    awaitable<void> stop(duration grace = 500ms);

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace fwd::api
