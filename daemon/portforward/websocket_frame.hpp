// WebSocket frames: headers, masking, and a decoder that passes payload through in parts. For either side. Source: RFC 6455 5.
#pragma once

#include "common/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fwd::portforward::websocket {

enum class opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

inline constexpr std::uint16_t close_normal = 1000;
inline constexpr std::uint16_t close_protocol_error = 1002;
inline constexpr std::uint16_t close_none = 1005; ///< what a close frame without a code means; never sent

/// A masking key as its four bytes lie on the wire, in memory order.
using mask_key = std::uint32_t;

/// Bytes of a header for `length` payload bytes: 2, 4 or 10, and 4 more with a key.
[[nodiscard]] constexpr std::size_t header_size(std::uint64_t length, bool masked)
{
    return (length < 126 ? 2 : length <= 0xffff ? 4 : 10) + (masked ? 4 : 0);
}
inline constexpr std::size_t most_header = 14;

/// Writes the header of an unfragmented message (final frame); a client gives a key, a server none. Returns its size.
std::size_t put_header(std::byte* at, opcode op, std::uint64_t length, std::optional<mask_key> key);

/// XORs `bytes` with the key, in place. `offset` is how many payload bytes came before these.
void apply_mask(std::span<std::byte> bytes, mask_key key, std::uint64_t offset = 0);

/// Appends one whole message.
void append_message(std::string& out, opcode op, std::span<const std::byte> payload, std::optional<mask_key> key);
/// Appends a close frame.
void append_close(std::string& out, std::uint16_t code, std::string_view reason, std::optional<mask_key> key);

/// What a close frame says.
struct close_reason {
    std::uint16_t code = close_none;
    std::string_view text;
};
[[nodiscard]] close_reason parse_close(std::span<const std::byte> payload);

/// A part of a message as much as has come, or a whole control frame. Spans live until the next call of the decoder.
struct part {
    opcode op = opcode::binary; ///< text or binary of the message, or the control frame's; never continuation
    std::span<std::byte> bytes; ///< unmasked
    bool first = true;          ///< the message begins with this part
    bool last = true;           ///< the message ends with it
    [[nodiscard]] bool is_control() const { return op >= opcode::close; }
};

/// Whose frames are read: a client's are masked, a server's must not be.
enum class sender { client, server };

class frame_decoder {
public:
    explicit frame_decoder(sender from) : masked_{from == sender::client} {}

    /// Takes a prefix off `input`, unmasking it in place; nothing when all of it was taken and nothing is to be told.
    /// Errors: protocol_error (reserved bits, unknown opcode, wrong masking, fragmented or long control frame, stray
    /// continuation, length not in its shortest form). After one the connection is beyond repair.
    [[nodiscard]] result<std::optional<part>> next(std::span<std::byte>& input);

private:
    result<void> parse_header();
    std::size_t header_need() const;
    std::optional<part> payload(std::span<std::byte>& input);

    bool masked_;
    std::array<std::byte, most_header> header_;
    std::size_t header_have_ = 0;
    bool in_frame_ = false;
    opcode op_ = opcode::binary;      ///< of the frame under way
    opcode message_ = opcode::binary; ///< of the message under way
    bool fragmented_ = false;         ///< a message goes on in further frames
    bool begins_ = false;             ///< no part of this message was given yet
    bool final_ = true;
    mask_key key_ = 0;
    std::uint64_t length_ = 0;
    std::uint64_t done_ = 0;
    std::array<std::byte, 125> control_; ///< a control frame's payload
};

} // namespace fwd::portforward::websocket
