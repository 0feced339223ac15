// WebSocket frames under random input: the same messages however the bytes are cut, for either sender.
#include "common/net/byte_stream.hpp"
#include "daemon/portforward/websocket_frame.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace ws = fwd::portforward::websocket;

namespace {

std::string story(std::string wire, std::size_t step, ws::sender from)
{
    ws::frame_decoder decoder{from};
    std::string told;
    std::span<std::byte> left{reinterpret_cast<std::byte*>(wire.data()), wire.size()};
    bool inside = false;
    while (!left.empty()) {
        auto piece = left.first(std::min(step, left.size()));
        left = left.subspan(piece.size());
        for (;;) {
            const auto found = decoder.next(piece);
            if (!found) return told + "!";
            if (!*found) break;
            const auto& part = **found;
            if (part.is_control()) {
                if (!part.first || !part.last || part.bytes.size() > 125) std::abort();
                if (part.op == ws::opcode::close) told += std::to_string(ws::parse_close(part.bytes).code);
                told += "c";
            } else {
                if (part.first == inside) std::abort(); // a message begins exactly where the last one ended
                inside = !part.last;
                if (part.first) told += part.op == ws::opcode::text ? "t" : "b";
            }
            told += fwd::as_text(part.bytes);
            if (part.last) told += "|";
        }
    }
    return told;
}

/// Messages without fault, each three bytes of input changing one of theirs: few random inputs would get past the first header.
std::string spoiled(std::span<const std::uint8_t> how, std::optional<ws::mask_key> key)
{
    std::string wire;
    ws::append_message(wire, ws::opcode::binary, fwd::as_bytes("hello"), key);
    ws::append_message(wire, ws::opcode::ping, fwd::as_bytes("are you there"), key);
    ws::append_message(wire, ws::opcode::binary, fwd::as_bytes(std::string(200, 'x')), key);
    ws::append_message(wire, ws::opcode::binary, {}, key);
    ws::append_close(wire, ws::close_normal, "bye", key);
    for (; how.size() >= 3; how = how.subspan(3)) wire[(how[0] << 8 | how[1]) % wire.size()] ^= static_cast<char>(how[2]);
    return wire;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    const std::string wire{reinterpret_cast<const char*>(data) + 1, size - 1};
    const auto from = data[0] & 1 ? ws::sender::client : ws::sender::server;
    if (story(wire, wire.size(), from) != story(wire, 1 + (data[0] >> 1) % 23, from)) std::abort();

    const auto spoilt =
        spoiled(std::span{data, size}.subspan(1), from == ws::sender::client ? std::optional<ws::mask_key>{7} : std::nullopt);
    if (story(spoilt, spoilt.size(), from) != story(spoilt, 1 + (data[0] >> 1) % 23, from)) std::abort();

    // What we write is read back.
    std::string out;
    const auto key = data[0] & 1 ? std::optional<ws::mask_key>{0x9e3779b9u * data[0]} : std::nullopt;
    ws::append_message(out, ws::opcode::binary, fwd::as_bytes(wire), key);
    if (story(out, out.size(), from) != "b" + wire + "|") std::abort();
    return 0;
}
