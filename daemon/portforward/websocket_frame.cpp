#include "daemon/portforward/websocket_frame.hpp"

#include "common/net/byte_stream.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/core.h>

namespace fwd::portforward::websocket {

namespace {

constexpr auto fin_bit = std::byte{0x80};
constexpr auto reserved_bits = std::byte{0x70};
constexpr auto mask_bit = std::byte{0x80};

error broken(std::string why)
{
    return {errc::protocol_error, "WebSocket: " + std::move(why)};
}

} // namespace

std::size_t put_header(std::byte* at, opcode op, std::uint64_t length, std::optional<mask_key> key)
{
    const std::byte* begin = at;
    const auto masked = key ? mask_bit : std::byte{0};
    const auto big_endian = [&](int bytes) {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) *at++ = static_cast<std::byte>(length >> shift);
    };
    *at++ = fin_bit | static_cast<std::byte>(op);
    if (length < 126) {
        *at++ = masked | static_cast<std::byte>(length);
    } else if (length <= 0xffff) {
        *at++ = masked | std::byte{126};
        big_endian(2);
    } else {
        *at++ = masked | std::byte{127};
        big_endian(8);
    }
    if (key) {
        std::memcpy(at, &*key, sizeof *key);
        at += sizeof *key;
    }
    return static_cast<std::size_t>(at - begin);
}

// Sixteen bytes at a time, four of those in a row, then eight: loads and stores of any alignment, which cost what a copy costs.
void apply_mask(std::span<std::byte> bytes, mask_key key, std::uint64_t offset)
{
    // The key as it meets bytes[0]: turned by the offset, in memory order.
    const int turn = static_cast<int>(offset % 4) * 8;
    const std::uint32_t turned = std::endian::native == std::endian::little ? std::rotr(key, turn) : std::rotl(key, turn);
    const std::uint64_t wide = std::uint64_t{turned} << 32 | turned;
    using two_words [[gnu::vector_size(16)]] = std::uint64_t;
    const two_words widest = {wide, wide};
    std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 64; left -= 64, at += 64) {
        two_words a, b, c, d;
        std::memcpy(&a, at, 16);
        std::memcpy(&b, at + 16, 16);
        std::memcpy(&c, at + 32, 16);
        std::memcpy(&d, at + 48, 16);
        a ^= widest;
        b ^= widest;
        c ^= widest;
        d ^= widest;
        std::memcpy(at, &a, 16);
        std::memcpy(at + 16, &b, 16);
        std::memcpy(at + 32, &c, 16);
        std::memcpy(at + 48, &d, 16);
    }
    for (; left >= 8; left -= 8, at += 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        word ^= wide;
        std::memcpy(at, &word, 8);
    }
    std::array<std::byte, 8> tail;
    std::memcpy(tail.data(), &wide, 8);
    for (std::size_t i = 0; i < left; ++i) at[i] ^= tail[i];
}

void append_message(std::string& out, opcode op, std::span<const std::byte> payload, std::optional<mask_key> key)
{
    std::array<std::byte, most_header> header;
    const auto size = put_header(header.data(), op, payload.size(), key);
    out += as_text(std::span{header}.first(size));
    const auto from = out.size();
    out += as_text(payload);
    if (key) apply_mask({reinterpret_cast<std::byte*>(out.data()) + from, payload.size()}, *key);
}

void append_close(std::string& out, std::uint16_t code, std::string_view reason, std::optional<mask_key> key)
{
    std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    payload += reason.substr(0, 123);
    append_message(out, opcode::close, as_bytes(payload), key);
}

close_reason parse_close(std::span<const std::byte> payload)
{
    if (payload.size() < 2) return {};
    const auto code = std::to_integer<unsigned>(payload[0]) << 8 | std::to_integer<unsigned>(payload[1]);
    return {static_cast<std::uint16_t>(code), as_text(payload.subspan(2))};
}

/// How long the header is, as far as it can be told from what is there.
std::size_t frame_decoder::header_need() const
{
    if (header_have_ < 2) return 2;
    const auto length = std::to_integer<unsigned>(header_[1] & ~mask_bit);
    const bool masked = (header_[1] & mask_bit) != std::byte{0};
    return 2u + (length == 126 ? 2 : length == 127 ? 8 : 0) + (masked ? 4 : 0);
}

result<void> frame_decoder::parse_header()
{
    if ((header_[0] & reserved_bits) != std::byte{0}) return broken("reserved bits are set");
    op_ = static_cast<opcode>(header_[0] & std::byte{0x0f});
    final_ = (header_[0] & fin_bit) != std::byte{0};
    const bool masked = (header_[1] & mask_bit) != std::byte{0};
    if (masked != masked_) return broken(masked ? "a server's frame is masked" : "a client's frame is not masked");

    std::size_t at = 2;
    const auto big_endian = [&](int bytes) {
        std::uint64_t value = 0;
        for (; bytes > 0; --bytes) value = value << 8 | std::to_integer<std::uint64_t>(header_[at++]);
        return value;
    };
    length_ = std::to_integer<std::uint64_t>(header_[1] & ~mask_bit);
    if (length_ == 126) {
        length_ = big_endian(2);
        if (length_ < 126) return broken("a length is not in its shortest form");
    } else if (length_ == 127) {
        length_ = big_endian(8);
        if (length_ <= 0xffff || length_ >> 63 != 0) return broken("a length is not in its shortest form, or negative");
    }
    if (masked) std::memcpy(&key_, &header_[at], sizeof key_);
    done_ = 0;

    switch (op_) {
    case opcode::continuation:
        if (!fragmented_) return broken("a continuation of nothing");
        fragmented_ = !final_;
        return {};
    case opcode::text:
    case opcode::binary:
        if (fragmented_) return broken("a message begins inside another");
        message_ = op_;
        begins_ = true;
        fragmented_ = !final_;
        return {};
    case opcode::close:
    case opcode::ping:
    case opcode::pong:
        if (!final_ || length_ > control_.size()) return broken("a control frame is fragmented or too long");
        return {};
    }
    return broken(fmt::format("unknown opcode {}", static_cast<unsigned>(op_)));
}

result<std::optional<part>> frame_decoder::next(std::span<std::byte>& input)
{
    for (;;) {
        if (!in_frame_) {
            while (header_have_ < header_need()) {
                if (input.empty()) return std::nullopt;
                const auto size = std::min(header_need() - header_have_, input.size());
                std::copy_n(input.begin(), size, header_.begin() + static_cast<std::ptrdiff_t>(header_have_));
                header_have_ += size;
                input = input.subspan(size);
            }
            if (auto good = parse_header(); !good) return good.error();
            header_have_ = 0;
            in_frame_ = true;
        }
        if (input.empty() && done_ < length_) return std::nullopt;
        if (auto found = payload(input)) return found;
        if (in_frame_) return std::nullopt; // a control frame that was cut; otherwise an empty frame inside a message: go on
    }
}

/// What of the frame's payload is there; nothing for a control frame that is not whole, or a frame that says nothing.
std::optional<part> frame_decoder::payload(std::span<std::byte>& input)
{
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(length_ - done_, input.size()));
    auto bytes = input.first(size);
    input = input.subspan(size);
    if (masked_) apply_mask(bytes, key_, done_);
    const bool control = op_ >= opcode::close;
    if (control) std::copy(bytes.begin(), bytes.end(), control_.begin() + static_cast<std::ptrdiff_t>(done_));
    done_ += size;
    in_frame_ = done_ < length_;
    if (control) {
        if (in_frame_) return std::nullopt;
        return part{op_, std::span{control_}.first(static_cast<std::size_t>(length_)), true, true};
    }
    const bool last = !in_frame_ && final_;
    if (bytes.empty() && !last) return std::nullopt;
    return part{message_, bytes, std::exchange(begins_, false), last};
}

} // namespace fwd::portforward::websocket
