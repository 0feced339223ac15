#include "daemon/host/engine_protocol.hpp"

#include <cstring>

namespace fwd::host {
namespace {

constexpr std::size_t header_bytes = 8, route_bytes = 8;

template <class T>
void put(std::string& packet, T value)
{
    packet.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::size_t bytes_of(const host_names& set)
{
    std::size_t bytes = 5;
    for (const auto& name : set.names) bytes += 1 + std::min<std::size_t>(name.size(), 255);
    return bytes;
}

} // namespace

std::string pack_request(const request& ask)
{
    std::string packet;
    put(packet, static_cast<std::uint8_t>(ask.what));
    put(packet, ask.flag);
    put(packet, std::uint16_t{0});
    put(packet, ask.id);
    for (const auto& [address, port, index] : ask.routes) {
        put(packet, address.bits);
        put(packet, port);
        put(packet, index);
    }
    for (const auto& [address, names] : ask.sets) {
        put(packet, address.bits);
        put(packet, static_cast<std::uint8_t>(names.size()));
        for (const auto& name : names) {
            const auto sent = std::string_view{name}.substr(0, 255);
            put(packet, static_cast<std::uint8_t>(sent.size()));
            packet += sent;
        }
    }
    return packet;
}

result<reply> parse_reply(std::span<const std::byte> packet)
{
    if (packet.size() < header_bytes) return error{errc::protocol_error, "a reply of the host agent"};
    reply answer;
    std::int32_t code = 0;
    std::memcpy(&answer.id, packet.data(), 4);
    std::memcpy(&code, packet.data() + 4, 4);
    std::string text{reinterpret_cast<const char*>(packet.data()) + header_bytes, packet.size() - header_bytes};
    if (code == 0)
        answer.text = std::move(text);
    else
        answer.failure = {code < 0 ? error_code{-code, fwd_category()} : error_code{code, boost::system::system_category()},
                          std::move(text)};
    return answer;
}

result<std::vector<request>> split_request(const request& ask)
{
    std::vector<request> parts;
    std::size_t bytes = 0, names = 0;
    const auto room_for = [&](std::size_t more_bytes, std::size_t more_names) -> request& {
        if (parts.empty() || bytes + more_bytes > most_packet_bytes || names + more_names > most_names) {
            parts.push_back({.what = ask.what, .flag = ask.flag});
            bytes = header_bytes;
            names = 0;
        }
        bytes += more_bytes;
        names += more_names;
        return parts.back();
    };
    for (const auto& entry : ask.routes) room_for(route_bytes, 0).routes.push_back(entry);
    for (const auto& set : ask.sets) {
        if (set.names.size() > 255) return error{errc::too_large, "more than 255 names for " + set.address.text()};
        room_for(bytes_of(set), set.names.size()).sets.push_back(set);
    }
    if (parts.empty() && (ask.what == command::hello || ask.what == command::attach)) parts.push_back(ask);
    return parts;
}

} // namespace fwd::host
