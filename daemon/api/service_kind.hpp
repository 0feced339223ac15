// What speaks on a port, and what tells so. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fwd::api {

/// Evidence of one port, best first; what is not known stays empty.
struct port_signs {
    std::string app_protocol, name;
    std::string image; ///< of the container that serves it
    std::uint16_t number = 0;
    bool only_port = false; ///< of its service: an image speaks for its one port, not for a metrics port beside
};

struct port_kind {
    std::string_view
        kind; ///< postgres, mysql, redis, mongodb, kafka, amqp, nats, memcached, elasticsearch, http, https, grpc; empty: unknown
    std::string because; ///< "port name postgres", "image postgres:16", "port 5432"
};

/// By appProtocol, else the name (a word of either, as "http-metrics" has http), else the image, else the number.
[[nodiscard]] port_kind kind_of(const port_signs& of);
/// Whether that is a kind at all; "postgresql", "mongo" and the like are other words for one.
[[nodiscard]] std::string_view kind_named(std::string_view word);

} // namespace fwd::api
