// The plain values that engine and agent exchange.
#pragma once

#include "common/net/endpoint.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace fwd::host {

/// Whether routes are used: as the machine allows, or insisted on.
enum class listening_wish : std::uint8_t { automatic, lookup, bind };

struct route_entry {
    ipv4 address;
    std::uint16_t port = 0;
    std::uint16_t index = 0; ///< of the listener given to attach(): 0 data, 1 REST for fwd.internal
    auto operator<=>(const route_entry&) const = default;
};

/// The whole set of names of one address; put_names replaces what was there.
struct host_names {
    ipv4 address;
    std::vector<std::string> names;
    bool operator==(const host_names&) const = default;
};

/// A name that was not written, and what has it instead, for a person: "line 7 of /etc/hosts", "127.1.27.4".
struct name_refusal {
    ipv4 address;
    std::string name;
    std::string why;
    bool operator==(const name_refusal&) const = default;
};

} // namespace fwd::host
