// The agent's closed command set: one packet of a SOCK_SEQPACKET pair to one struct, every argument checked, and replies to packets.
// Numbers are in host order (both ends are one program). A request is {u8 command, u8 flag, u16 0, u32 id} and items: routes as
// {u32 address, u16 port, u16 index}, sets of names as {u32 address, u8 count, count times {u8 length, bytes}}.
#pragma once

#include "common/result.hpp"
#include "daemon/host/types.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace fwd::host {

enum class command : std::uint8_t { hello = 1, attach, route, unroute, listen, add_address, drop_address, put_names, drop_names };

inline constexpr std::size_t most_packet_bytes = 64 * 1024; ///< of a request
inline constexpr std::size_t most_reply_bytes = 8 * 1024;
inline constexpr unsigned most_listeners = 4;
inline constexpr unsigned most_names = 512;                           ///< of one packet
inline constexpr std::uint8_t without_aliases = 4, without_names = 8; ///< hello's flag: a listening_wish and these

struct request {
    command what{};
    std::uint8_t flag = 0;           ///< hello: see above; attach: the listener's index
    std::uint32_t id = 0;            ///< chosen by the engine, comes back in the reply
    std::vector<route_entry> routes; ///< of route, unroute, and one of listen
    std::vector<host_names> sets;    ///< of put_names; with no names of the address commands and drop_names
};

/// The answer to a request, or with id 0 a notice: {u32 id, i32 code} and a text. The code is 0, an errno, or an errc below 0, and the
/// text then that error's context.
struct reply {
    std::uint32_t id = 0;
    error failure;
    std::string text;
};

/// Errors: errc::invalid_request, for anything but a well-formed packet with permitted arguments.
[[nodiscard]] result<request> parse_request(std::span<const std::byte> packet, std::string_view own_host_name);
/// What the engine calls this packet, however malformed it is; 0 when it is too short.
[[nodiscard]] std::uint32_t id_of(std::span<const std::byte> packet);
/// At most most_reply_bytes: the text is cut to that.
[[nodiscard]] std::string pack_reply(std::uint32_t id, const result<std::string>& answer);

/// This machine's own name, from the kernel.
[[nodiscard]] std::string own_host_name();
/// In 127.0.0.0/8 and outside 127.0.0.0/16, which belongs to the machine.
[[nodiscard]] bool may_lease(ipv4 address);
/// Why nobody may have this name here, or nothing: RFC 1123 names other than those that mean this machine or steer its proxies.
[[nodiscard]] std::string_view forbidden_name(std::string_view name, std::string_view own_host_name);

} // namespace fwd::host
