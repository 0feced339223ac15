// The network of one daemon over the network in memory: each connection of it can be cut, or go silent, at any byte, and all of
// it can be pulled out at once, which is how a killed process looks from outside.
#pragma once

#include "common/async/timing.hpp"
#include "common/net/network.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fwd::simulation {

/// What a connection to the API server is for, read off its request.
enum class wire_use { other, watch, tunnel };

struct trap {
    wire_use on = wire_use::tunnel;
    bool hole = false;       ///< otherwise it is cut
    bool written = false;    ///< bytes that the daemon writes are counted, otherwise those that it reads
    std::uint64_t after = 0; ///< bytes, counted from the request's answer on
};

class wires final : public network {
public:
    wires(network& beneath, asio::any_io_executor executor, timing& clock);
    ~wires() override;

    /// For the next connection of its kind. One at a time; a new one replaces an unused one.
    void set(trap next);
    /// No trap waits any more.
    void disarm();
    /// A trap has closed: what it was, and the pod of a tunnel as "namespace/name".
    std::function<void(const trap& which, const std::string& pod)> sprung;
    /// No byte passes any more on the tunnels to this pod ("namespace/name").
    void silence(const std::string& pod);
    /// Everything is reset and nothing works any more.
    void pull_out();
    /// Connections and listeners of the daemon.
    [[nodiscard]] std::size_t open() const;
    /// Of those, connections that carry tunnels.
    [[nodiscard]] std::size_t tunnels() const;
    /// What they said first, a line each.
    [[nodiscard]] std::string open_ones() const;

    awaitable<result<std::unique_ptr<data_stream>>> connect(endpoint to) override;
    awaitable<result<std::unique_ptr<data_stream>>> connect_unix(std::string path) override;
    result<std::unique_ptr<acceptor>> listen(endpoint at, listen_options options) override;
    result<std::unique_ptr<acceptor>> adopt_listener(int descriptor) override;
    result<std::unique_ptr<acceptor>> listen_unix(std::string path) override;
    awaitable<result<std::vector<boost::asio::ip::address>>> resolve(std::string host) override;

    struct state;

private:
    network& beneath_;
    std::shared_ptr<state> state_;
};

} // namespace fwd::simulation
