#include "common/net/endpoint.hpp"

#include "common/text.hpp"

#include <boost/asio/ip/address_v4.hpp>

#include <fmt/core.h>

namespace fwd {

std::string ipv4::text() const
{
    return fmt::format("{}.{}.{}.{}", bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255);
}

result<ipv4> ipv4::parse(std::string_view text)
{
    const auto parts = split(text, '.');
    const error bad{errc::parse_error, fmt::format("'{}' is not an IPv4 address", printable(text))};
    if (parts.size() != 4) return bad;
    ipv4 made;
    for (const auto& part : parts) {
        const auto value = to_number<unsigned>(part);
        if (!value || *value > 255 || part.size() > 3 || (part.size() > 1 && part[0] == '0')) return bad;
        made.bits = made.bits << 8 | *value;
    }
    return made;
}

std::string endpoint::text() const
{
    return ip.is_v6() ? fmt::format("[{}]:{}", ip.to_string(), port) : fmt::format("{}:{}", ip.to_string(), port);
}

endpoint make_endpoint(ipv4 ip, std::uint16_t port)
{
    return {boost::asio::ip::address_v4{ip.bits}, port};
}

} // namespace fwd
