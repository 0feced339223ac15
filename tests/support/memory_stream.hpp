// Streams and a network in memory: bytes with bounded buffers, ends, resets and faults, in one thread.
#pragma once

#include "common/net/network.hpp"

#include <boost/asio/io_context.hpp>

#include <map>
#include <memory>
#include <string>

namespace fwd::test {

struct memory_pipe_options {
    std::size_t capacity = 64 * 1024;     ///< bytes that one direction holds before the writer would block
    std::size_t most_per_step = SIZE_MAX; ///< cuts every read and write to this length
};

/// Two connected streams.
[[nodiscard]] std::pair<std::unique_ptr<data_stream>, std::unique_ptr<data_stream>> make_memory_pair(asio::any_io_executor executor,
                                                                                                     memory_pipe_options options = {});

/// A network in one process: what listens can be connected to. Names resolve by `hosts`.
class memory_network final : public network {
public:
    explicit memory_network(asio::any_io_executor executor, memory_pipe_options options = {});
    ~memory_network() override;

    awaitable<result<std::unique_ptr<data_stream>>> connect(endpoint to) override;
    awaitable<result<std::unique_ptr<data_stream>>> connect_unix(std::string path) override;
    result<std::unique_ptr<acceptor>> listen(endpoint at, listen_options options) override;
    result<std::unique_ptr<acceptor>> adopt_listener(int descriptor) override;
    result<std::unique_ptr<acceptor>> listen_unix(std::string path) override;
    awaitable<result<std::vector<boost::asio::ip::address>>> resolve(std::string host) override;

    std::map<std::string, std::vector<boost::asio::ip::address>> hosts;
    /// Connections to here hang for ever (a black hole).
    std::map<endpoint, bool> black_holes;
    /// What a client that connects to one endpoint reaches instead; the accepted side still sees the original as `local`.
    std::map<endpoint, endpoint> routes;
    /// Whose the clients on Unix sockets are; absent: ours.
    std::optional<uid_t> peer_user;

    /// Ends of connections that exist: both of each that is whole.
    [[nodiscard]] std::size_t open_streams() const;

    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace fwd::test
