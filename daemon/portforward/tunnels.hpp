// Makers of tunnels over a stream whose upgrade is done; negotiate.hpp is the way to one from an address.
#pragma once

#include "common/async/timing.hpp"
#include "common/net/data_stream.hpp"
#include "daemon/portforward/transport.hpp"
#include "daemon/portforward/tunnel_pipe.hpp"

namespace fwd::portforward {

/// What every tunnel is made from. `rest` came behind the upgrade's answer; `seed` is for masking keys.
struct tunnel_start {
    std::unique_ptr<data_stream> stream;
    std::string rest;
    std::uint64_t seed = 0;
};

/// SPDY/3.1, raw or inside WebSocket messages.
[[nodiscard]] std::unique_ptr<transport> make_spdy_tunnel(tunnel_start start, framing how, timing& clock, asio::any_io_executor executor,
                                                          transport_sink& sink, transport_limits limits);

/// The old WebSocket protocol: channels 0 and 1 for one connection to one port.
[[nodiscard]] std::unique_ptr<transport> make_legacy_tunnel(tunnel_start start, std::uint16_t port, timing& clock,
                                                            asio::any_io_executor executor, transport_sink& sink, transport_limits limits);

} // namespace fwd::portforward
