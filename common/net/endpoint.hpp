// Addresses as values.
#pragma once

#include "common/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace fwd {

/// An IPv4 address in host order. 127.1.27.4 is 0x7f011b04.
struct ipv4 {
    std::uint32_t bits = 0;
    auto operator<=>(const ipv4&) const = default;
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool is_loopback() const { return bits >> 24 == 127; }
    /// Errors: errc::parse_error. Dotted quads only.
    [[nodiscard]] static result<ipv4> parse(std::string_view text);
};

struct endpoint {
    boost::asio::ip::address ip;
    std::uint16_t port = 0;
    bool operator==(const endpoint&) const = default;
    bool operator<(const endpoint& other) const { return ip != other.ip ? ip < other.ip : port < other.port; }
    /// "10.0.0.1:443", "[::1]:443".
    [[nodiscard]] std::string text() const;
};

[[nodiscard]] endpoint make_endpoint(ipv4 ip, std::uint16_t port);

} // namespace fwd
