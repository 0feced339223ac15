#include "daemon/portforward/spdy_frame.hpp"

#include "common/net/byte_stream.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace fwd::portforward::spdy {

namespace {

constexpr std::uint16_t version = 3; // the wire says 3 in 3.1 too

std::uint32_t u32(const std::byte* at)
{
    const auto* b = reinterpret_cast<const unsigned char*>(at);
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}
std::uint32_t u24(const std::byte* at)
{
    return u32(at) & 0xffffff;
} // reads the byte before the length too
std::uint16_t u16(const std::byte* at)
{
    const auto* b = reinterpret_cast<const unsigned char*>(at);
    return static_cast<std::uint16_t>(b[0] << 8 | b[1]);
}
void put_u32(std::byte* at, std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<std::byte>(value >> shift);
}
void append_u32(std::string& out, std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

error broken(std::string why)
{
    return {errc::protocol_error, "SPDY: " + std::move(why)};
}

std::string_view name_of(frame_type type)
{
    switch (type) {
    case frame_type::syn_stream: return "SYN_STREAM";
    case frame_type::syn_reply: return "SYN_REPLY";
    case frame_type::rst_stream: return "RST_STREAM";
    case frame_type::settings: return "SETTINGS";
    case frame_type::ping: return "PING";
    case frame_type::goaway: return "GOAWAY";
    case frame_type::headers: return "HEADERS";
    case frame_type::window_update: return "WINDOW_UPDATE";
    }
    return "frame";
}

/// The shortest payload each type may have, and whether it may be longer.
struct shape {
    std::size_t least;
    bool exact;
};
shape shape_of(frame_type type)
{
    switch (type) {
    case frame_type::syn_stream: return {10, false};
    case frame_type::syn_reply:
    case frame_type::headers:
    case frame_type::settings: return {4, false};
    case frame_type::ping: return {4, true};
    case frame_type::rst_stream:
    case frame_type::goaway:
    case frame_type::window_update: return {8, true};
    }
    return {0, false};
}

void append_control(std::string& out, frame_type type, std::uint8_t flags, std::size_t length)
{
    append_u32(out, 0x80000000u | std::uint32_t{version} << 16 | static_cast<std::uint16_t>(type));
    append_u32(out, std::uint32_t{flags} << 24 | static_cast<std::uint32_t>(length));
}

} // namespace

result<frame> parse_control(std::uint16_t number, std::uint8_t flags, std::span<const std::byte> payload)
{
    const auto type = static_cast<frame_type>(number);
    const auto [least, exact] = shape_of(type);
    if (least == 0) return broken(fmt::format("unknown control frame {}", number));
    if (payload.size() < least || (exact && payload.size() != least))
        return broken(fmt::format("{} of {} bytes", name_of(type), payload.size()));

    const std::uint32_t first = u32(payload.data());
    const std::uint32_t stream = first & most_stream_id;
    const bool fin = (flags & flag_fin) != 0;
    const bool names_stream =
        type == frame_type::syn_stream || type == frame_type::syn_reply || type == frame_type::rst_stream || type == frame_type::headers;
    if (names_stream && stream == 0) return broken(fmt::format("{} for stream 0", name_of(type)));

    switch (type) {
    case frame_type::syn_stream:
        return frame{syn_stream{stream, u32(payload.data() + 4) & most_stream_id,
                                static_cast<std::uint8_t>(std::to_integer<unsigned>(payload[8]) >> 5), flags, payload.subspan(10)}};
    case frame_type::syn_reply: return frame{syn_reply{stream, fin, payload.subspan(4)}};
    case frame_type::headers: return frame{headers{stream, fin, payload.subspan(4)}};
    case frame_type::rst_stream: {
        const auto status = u32(payload.data() + 4);
        if (status == 0) return broken("RST_STREAM with status 0");
        return frame{rst_stream{stream, status}};
    }
    case frame_type::settings:
        if (first > (payload.size() - 4) / 8) return broken(fmt::format("SETTINGS count {} in {} bytes", first, payload.size()));
        return frame{settings{first}};
    case frame_type::ping:
        if (first == 0) return broken("PING with id 0");
        if (flags != 0) return broken(fmt::format("PING with flags {}", flags));
        return frame{ping{first}};
    case frame_type::goaway: return frame{goaway{stream, u32(payload.data() + 4)}};
    case frame_type::window_update: return frame{window_update{stream, u32(payload.data() + 4) & most_stream_id}};
    }
    return broken(fmt::format("unknown control frame {}", number));
}

result<std::optional<frame>> frame_scanner::next(std::span<const std::byte>& input)
{
    if (spent_) {
        held_.clear();
        spent_ = false;
    }
    if (data_left_ != 0) {
        if (input.empty()) return std::nullopt;
        return frame{part(input)};
    }
    if (held_.empty()) {
        if (input.size() >= header_size) return begin(input.first(header_size), input);
        held_ = as_text(input);
        input = {};
        return std::nullopt;
    }
    // A header or control frame was cut: complete it in held_.
    const auto grow_to = [&](std::size_t size) {
        const auto more = std::min(size - std::min(size, held_.size()), input.size());
        held_ += as_text(input.first(more));
        input = input.subspan(more);
        return held_.size() >= size;
    };
    if (!grow_to(header_size)) return std::nullopt;
    std::byte head[header_size];
    std::copy_n(as_bytes(held_).begin(), header_size, head);
    if ((head[0] & std::byte{0x80}) == std::byte{0}) {
        held_.clear();
        return begin(head, input);
    }
    if (held_.size() == header_size) { // judge it before its payload is collected
        if (u16(head) != (0x8000 | version)) return broken(fmt::format("version {}", u16(head) & 0x7fff));
        if (u24(head + 4) > most_control) return error{errc::too_large, "SPDY: a control frame is too large"};
    }
    if (!grow_to(header_size + u24(head + 4))) return std::nullopt;
    spent_ = true;
    auto parsed = parse_control(u16(head + 2), std::to_integer<std::uint8_t>(head[4]), as_bytes(held_).subspan(header_size));
    if (!parsed) return parsed.error();
    return std::optional<frame>{*parsed};
}

/// `head` is the header, at the front of `input` unless it was cut (DATA only).
result<std::optional<frame>> frame_scanner::begin(std::span<const std::byte> head, std::span<const std::byte>& input)
{
    const bool in_place = head.data() == input.data();
    const std::uint32_t length = u24(head.data() + 4);
    const auto flags = std::to_integer<std::uint8_t>(head[4]);
    if ((head[0] & std::byte{0x80}) == std::byte{0}) {
        stream_ = u32(head.data());
        if (stream_ == 0) return broken("DATA for stream 0");
        data_left_ = length;
        data_fin_ = (flags & flag_fin) != 0;
        if (in_place) input = input.subspan(header_size);
        if (length != 0 && input.empty()) return std::nullopt;
        return frame{part(input)};
    }
    if (u16(head.data()) != (0x8000 | version)) return broken(fmt::format("version {}", u16(head.data()) & 0x7fff));
    if (length > most_control) return error{errc::too_large, "SPDY: a control frame is too large"};
    if (input.size() < header_size + length) {
        held_ = as_text(input);
        input = {};
        return std::nullopt;
    }
    auto parsed = parse_control(u16(head.data() + 2), flags, input.subspan(header_size, length));
    if (!parsed) return parsed.error();
    input = input.subspan(header_size + length);
    return std::optional<frame>{*parsed};
}

data frame_scanner::part(std::span<const std::byte>& input)
{
    const auto size = std::min<std::size_t>(data_left_, input.size());
    data_left_ -= static_cast<std::uint32_t>(size);
    const data found{stream_, input.first(size), data_left_ == 0, data_left_ == 0 && data_fin_};
    input = input.subspan(size);
    return found;
}

result<frame> whole_frame::parsed() const
{
    if (!is_data()) return parse_control(type, flags, as_bytes(payload));
    return frame{data{stream, as_bytes(payload), true, (flags & flag_fin) != 0}};
}

void frame_decoder::feed(std::span<const std::byte> bytes)
{
    pending_.erase(0, std::exchange(used_, 0));
    pending_ += as_text(bytes);
}

result<std::optional<whole_frame>> frame_decoder::next()
{
    const auto at = as_bytes(pending_).subspan(used_);
    if (at.size() < header_size) return std::nullopt;
    const bool control = (at[0] & std::byte{0x80}) != std::byte{0};
    const std::size_t length = u24(at.data() + 4);
    if (control && u16(at.data()) != (0x8000 | version)) return broken(fmt::format("version {}", u16(at.data()) & 0x7fff));
    if (control && length > most_control) return error{errc::too_large, "SPDY: a control frame is too large"};
    if (at.size() < header_size + length) return std::nullopt;
    whole_frame found;
    if (control)
        found.type = u16(at.data() + 2);
    else
        found.stream = u32(at.data());
    found.flags = std::to_integer<std::uint8_t>(at[4]);
    found.payload = as_text(at.subspan(header_size, length));
    used_ += header_size + length;
    return found;
}

void put_data_header(std::byte* at, std::uint32_t stream, std::uint8_t flags, std::size_t length)
{
    put_u32(at, stream & most_stream_id);
    put_u32(at + 4, std::uint32_t{flags} << 24 | static_cast<std::uint32_t>(length));
}

void append_data(std::string& out, std::uint32_t stream, std::uint8_t flags, std::span<const std::byte> payload)
{
    append_u32(out, stream & most_stream_id);
    append_u32(out, std::uint32_t{flags} << 24 | static_cast<std::uint32_t>(payload.size()));
    out += as_text(payload);
}

void append_syn_stream(std::string& out, std::uint32_t stream, std::uint8_t flags, std::span<const std::byte> block, std::uint8_t priority,
                       std::uint32_t associated)
{
    append_control(out, frame_type::syn_stream, flags, 10 + block.size());
    append_u32(out, stream);
    append_u32(out, associated);
    out.push_back(static_cast<char>(priority << 5));
    out.push_back(0);
    out += as_text(block);
}

void append_syn_reply(std::string& out, std::uint32_t stream, std::uint8_t flags, std::span<const std::byte> block)
{
    append_control(out, frame_type::syn_reply, flags, 4 + block.size());
    append_u32(out, stream);
    out += as_text(block);
}

void append_headers(std::string& out, std::uint32_t stream, std::uint8_t flags, std::span<const std::byte> block)
{
    append_control(out, frame_type::headers, flags, 4 + block.size());
    append_u32(out, stream);
    out += as_text(block);
}

void append_rst_stream(std::string& out, std::uint32_t stream, std::uint32_t status)
{
    append_control(out, frame_type::rst_stream, 0, 8);
    append_u32(out, stream);
    append_u32(out, status);
}

void append_ping(std::string& out, std::uint32_t id)
{
    append_control(out, frame_type::ping, 0, 4);
    append_u32(out, id);
}

void append_goaway(std::string& out, std::uint32_t last_good, std::uint32_t status)
{
    append_control(out, frame_type::goaway, 0, 8);
    append_u32(out, last_good);
    append_u32(out, status);
}

void append_window_update(std::string& out, std::uint32_t stream, std::uint32_t delta)
{
    append_control(out, frame_type::window_update, 0, 8);
    append_u32(out, stream);
    append_u32(out, delta);
}

} // namespace fwd::portforward::spdy
