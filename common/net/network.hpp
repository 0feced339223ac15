// The seam to the machine's network: connect, listen, resolve. Real over Asio sockets (net/tcp), in memory for simulation.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/net/data_stream.hpp"
#include "common/net/endpoint.hpp"

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fwd {

/// A connection that came in.
struct accepted {
    std::unique_ptr<data_stream> stream;
    endpoint local; ///< what the client connected to; names the service on the routed listener
    endpoint peer;
    std::optional<uid_t> peer_user; ///< of a Unix socket
};

/// A listening socket. Closing or destroying it stops listening.
class acceptor {
public:
    virtual ~acceptor() = default;
    /// A connection, nothing when none waits, or the failure of this attempt (EMFILE and the like: try again later).
    [[nodiscard]] virtual result<std::optional<accepted>> try_accept() = 0;
    /// Calls `ready` once, from the loop, when try_accept may give something.
    virtual void wait(callback ready) = 0;
    virtual void cancel() = 0;
    /// Accepting stops, with EMFILE, while fewer than `count` descriptors of the process's limit are free: they are for others.
    virtual void keep_free(std::size_t count) { (void)count; }
    [[nodiscard]] virtual endpoint local() const = 0;
    [[nodiscard]] virtual int descriptor() const { return -1; }
};

struct listen_options {
    bool only_v6 = true; ///< for IPv6 addresses
    int backlog = 4096;
};

/// One instance per thread.
class network {
public:
    virtual ~network() = default;
    /// Connects with TCP_NODELAY. No time limit of its own: wrap in with_timeout.
    virtual awaitable<result<std::unique_ptr<data_stream>>> connect(endpoint to) = 0;
    virtual awaitable<result<std::unique_ptr<data_stream>>> connect_unix(std::string path) = 0;
    /// Port 0 picks a free one.
    [[nodiscard]] virtual result<std::unique_ptr<acceptor>> listen(endpoint at, listen_options options) = 0;
    /// A listening socket that another process made and passed on; it is taken over.
    [[nodiscard]] virtual result<std::unique_ptr<acceptor>> adopt_listener(int descriptor) = 0;
    /// Removes a stale socket file first; the file gets mode 0600.
    [[nodiscard]] virtual result<std::unique_ptr<acceptor>> listen_unix(std::string path) = 0;
    /// All addresses in the order to try; a literal address is returned as it is.
    virtual awaitable<result<std::vector<boost::asio::ip::address>>> resolve(std::string host) = 0;
};

/// Real sockets on `executor`'s loop; resolving runs on a thread of its own.
[[nodiscard]] std::unique_ptr<network> make_network(asio::any_io_executor executor);

/// Lets the kernel hold at most about `bytes` that were not sent yet, so that urgent bytes do not wait behind megabytes.
/// Nothing happens to streams without a socket, nor within the machine, where it would cost a tenth of the CPU for nothing.
void limit_unsent(const data_stream& stream, std::size_t bytes);

} // namespace fwd
