// SPDY under random input: the scanner and the decoder agree however the bytes are cut, and a tunnel survives any peer.
#include "daemon/portforward/spdy_frame.hpp"
#include "daemon/portforward/spdy_headers.hpp"

#include "common/net/byte_stream.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace spdy = fwd::portforward::spdy;

namespace {

/// What was found, in a form that does not depend on cuts.
std::string story(std::span<const std::byte> wire, std::size_t step)
{
    spdy::frame_scanner scanner;
    spdy::header_decompressor headers;
    std::string told;
    const auto read = [&](std::span<const std::byte> block) {
        const auto pairs = headers.read(block);
        told += pairs ? std::to_string(pairs->size()) + "h" : "!h";
    };
    while (!wire.empty()) {
        auto piece = wire.first(std::min(step, wire.size()));
        wire = wire.subspan(piece.size());
        for (;;) {
            const auto found = scanner.next(piece);
            if (!found) return told + "!";
            if (!*found) break;
            const auto& frame = **found;
            if (const auto* part = std::get_if<spdy::data>(&frame)) {
                if (part->fin && !part->last) std::abort();
                told += fwd::as_text(part->bytes);
                if (part->last) told += part->fin ? "|f" : "|";
            } else {
                told += std::to_string(frame.index());
                if (const auto* syn = std::get_if<spdy::syn_stream>(&frame)) read(syn->block);
                if (const auto* reply = std::get_if<spdy::syn_reply>(&frame)) read(reply->block);
                if (const auto* more = std::get_if<spdy::headers>(&frame)) read(more->block);
            }
        }
    }
    return told;
}

/// A conversation without fault, for random bytes to spoil: few random inputs would get past the first header.
std::string good_conversation()
{
    spdy::header_compressor out;
    std::string wire;
    for (const std::uint32_t stream : {1u, 11u, 13u}) {
        const auto block = out.compress({{"streamtype", "data"}, {"port", "80"}, {"requestid", std::to_string(stream)}});
        spdy::append_syn_stream(wire, stream, 0, fwd::as_bytes(block));
        spdy::append_data(wire, stream, 0, fwd::as_bytes("hello"));
    }
    const auto block = out.compress({});
    spdy::append_syn_reply(wire, 1, 0, fwd::as_bytes(block));
    spdy::append_ping(wire, 2);
    spdy::append_data(wire, 1, spdy::flag_fin, {});
    spdy::append_rst_stream(wire, 11, spdy::status_cancel);
    spdy::append_window_update(wire, 13, 1);
    spdy::append_goaway(wire, 13, 0);
    return wire;
}

/// Each three bytes of input change one of the conversation.
std::string spoiled(std::span<const std::uint8_t> how)
{
    auto wire = good_conversation();
    for (; how.size() >= 3; how = how.subspan(3)) wire[(how[0] << 8 | how[1]) % wire.size()] ^= static_cast<char>(how[2]);
    return wire;
}

void check(std::span<const std::byte> wire, std::size_t step);

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    const std::size_t step = 1 + data[0] % 23;
    check(std::as_bytes(std::span{data, size}).subspan(1), step);
    check(fwd::as_bytes(spoiled(std::span{data, size}.subspan(1))), step);
    return 0;
}

namespace {

void check(std::span<const std::byte> wire, std::size_t step)
{
    const auto whole = story(wire, wire.size());
    const auto cut = story(wire, step);
    if (whole != cut) std::abort();

    spdy::frame_decoder decoder;
    decoder.feed(wire);
    for (;;) {
        const auto found = decoder.next();
        if (!found || !*found) break;
        static_cast<void>((*found)->parsed());
    }
    spdy::header_decompressor headers;
    if (const auto pairs = headers.read(wire); pairs && pairs->size() > 100) std::abort();
}

} // namespace
