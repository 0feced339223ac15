#include "daemon/portforward/websocket_frame.hpp"
#include "tests/daemon/portforward/wire_bytes.hpp"

#include <catch2/catch.hpp>
#include <cstring>

namespace ws = fwd::portforward::websocket;
using fwd::as_bytes;
using fwd::as_text;
using fwd::portforward::from_hex;

namespace {

ws::mask_key key_of(std::string_view hex)
{
    ws::mask_key key;
    std::memcpy(&key, from_hex(hex).data(), 4);
    return key;
}

std::span<std::byte> mutable_bytes(std::string& text)
{
    return {reinterpret_cast<std::byte*>(text.data()), text.size()};
}

/// What a decoder tells about bytes that come in pieces, as text; parts of one message are joined.
std::string story(std::string_view wire, std::size_t first_cut, std::size_t step, ws::sender from)
{
    ws::frame_decoder decoder{from};
    std::string told;
    for (std::size_t at = 0; at < wire.size();) {
        std::string piece{wire.substr(at, at == 0 ? first_cut : step)};
        at += piece.size();
        auto input = mutable_bytes(piece);
        for (;;) {
            auto found = decoder.next(input);
            if (!found) return told + "error: " + found.error().message();
            if (!*found) break;
            if ((*found)->first) told += std::to_string(static_cast<int>((*found)->op)) + ":";
            told += as_text((*found)->bytes);
            if ((*found)->last) told += "\n";
        }
    }
    return told;
}

std::string fault_of(std::string_view hex, ws::sender from = ws::sender::server)
{
    const auto wire = from_hex(hex);
    return story(wire, wire.size(), 1, from);
}

} // namespace

TEST_CASE("WebSocket messages are written byte by byte as RFC 6455 shows them", "[websocket]")
{
    std::string out;
    ws::append_message(out, ws::opcode::text, as_bytes("Hello"), std::nullopt);
    CHECK(out == from_hex("810548656c6c6f"));
    out.clear();
    ws::append_message(out, ws::opcode::text, as_bytes("Hello"), key_of("37fa213d"));
    CHECK(out == from_hex("818537fa213d7f9f4d5158"));
    out.clear();
    ws::append_message(out, ws::opcode::ping, as_bytes("Hello"), std::nullopt);
    CHECK(out == from_hex("890548656c6c6f"));
    out.clear();
    ws::append_message(out, ws::opcode::binary, as_bytes(std::string(256, 'a')), std::nullopt);
    CHECK(out.substr(0, 4) == from_hex("827e0100"));
    out.clear();
    ws::append_message(out, ws::opcode::binary, as_bytes(std::string(65536, 'a')), std::nullopt);
    CHECK(out.substr(0, 10) == from_hex("827f0000000000010000"));
    out.clear();
    ws::append_close(out, ws::close_normal, "bye", std::nullopt);
    CHECK(out == from_hex("880503e8627965"));
    for (const std::uint64_t length : {0u, 125u, 126u, 65535u, 65536u}) {
        std::byte header[ws::most_header];
        CHECK(ws::put_header(header, ws::opcode::binary, length, std::nullopt) == ws::header_size(length, false));
        CHECK(ws::put_header(header, ws::opcode::binary, length, 7u) == ws::header_size(length, true));
    }
}

TEST_CASE("the mask is the same whatever the length, place and offset", "[websocket]")
{
    const auto key = key_of("01020408");
    const char bytes[4] = {1, 2, 4, 8};
    for (std::size_t length = 0; length < 200; ++length) {
        for (std::uint64_t offset = 0; offset < 9; ++offset) {
            for (std::size_t place = 0; place < 8; ++place) {
                std::string text(place + length, 'z');
                ws::apply_mask(mutable_bytes(text).subspan(place), key, offset);
                std::string expected(place + length, 'z');
                for (std::size_t i = 0; i < length; ++i) expected[place + i] = static_cast<char>('z' ^ bytes[(i + offset) % 4]);
                REQUIRE(text == expected);
            }
        }
    }
}

TEST_CASE("the same messages are found however the bytes were cut", "[websocket]")
{
    const auto from = GENERATE(ws::sender::client, ws::sender::server);
    const auto key = from == ws::sender::client ? std::optional{key_of("a1b2c3d4")} : std::nullopt;
    std::string wire;
    ws::append_message(wire, ws::opcode::binary, as_bytes("hello"), key);
    ws::append_message(wire, ws::opcode::binary, {}, key);
    ws::append_message(wire, ws::opcode::ping, as_bytes("are you there"), key);
    ws::append_message(wire, ws::opcode::binary, as_bytes(std::string(200, 'x')), key);
    ws::append_close(wire, ws::close_normal, "", key);
    const auto whole = story(wire, wire.size(), 1, from);
    CHECK(whole == "2:hello\n2:\n9:are you there\n2:" + std::string(200, 'x') + "\n8:\x03\xe8\n");
    for (std::size_t cut = 1; cut < wire.size(); ++cut) REQUIRE(story(wire, cut, wire.size(), from) == whole);
    for (std::size_t step = 1; step < 20; ++step) REQUIRE(story(wire, step, step, from) == whole);
}

TEST_CASE("a message in fragments is one message, with control frames between them", "[websocket]")
{
    const auto wire = from_hex("0202 6162 8901 70 0000 0001 63 8001 64 8201 65");
    const auto whole = story(wire, wire.size(), 1, ws::sender::server);
    CHECK(whole == "2:ab9:p\ncd\n2:e\n");
    for (std::size_t cut = 1; cut < wire.size(); ++cut) REQUIRE(story(wire, cut, wire.size(), ws::sender::server) == whole);
    // An empty first fragment still begins the message, an empty last one ends it.
    CHECK(fault_of("0200 0001 61 8000") == "2:a\n");
    CHECK(fault_of("0200 8000") == "2:\n");
}

TEST_CASE("payload is handed on in place, however long its frame claims to be", "[websocket]")
{
    ws::frame_decoder decoder{ws::sender::server};
    auto wire = from_hex("827f 0000001000000000") + "abc";
    auto input = mutable_bytes(wire);
    const auto found = decoder.next(input).value();
    REQUIRE(found.has_value());
    CHECK(found->bytes.data() == mutable_bytes(wire).data() + 10);
    CHECK(as_text(found->bytes) == "abc");
    CHECK_FALSE(found->last);
}

TEST_CASE("WebSocket frames that break the rules are named", "[websocket]")
{
    CHECK(fault_of("c200") == "error: WebSocket: reserved bits are set");
    CHECK(fault_of("8300") == "error: WebSocket: unknown opcode 3");
    CHECK(fault_of("8b00") == "error: WebSocket: unknown opcode 11");
    CHECK(fault_of("8280 00000000") == "error: WebSocket: a server's frame is masked");
    CHECK(fault_of("8200", ws::sender::client) == "error: WebSocket: a client's frame is not masked");
    CHECK(fault_of("8001 61") == "error: WebSocket: a continuation of nothing");
    CHECK(fault_of("0201 61 8201 62") == "2:aerror: WebSocket: a message begins inside another");
    CHECK(fault_of("0900") == "error: WebSocket: a control frame is fragmented or too long");
    CHECK(fault_of("897e 007e") == "error: WebSocket: a control frame is fragmented or too long");
    CHECK(fault_of("827e 007d") == "error: WebSocket: a length is not in its shortest form");
    CHECK(fault_of("827f 000000000000ffff") == "error: WebSocket: a length is not in its shortest form, or negative");
    CHECK(fault_of("827f 8000000000000000") == "error: WebSocket: a length is not in its shortest form, or negative");
}

TEST_CASE("a close frame says its code, or that it has none", "[websocket]")
{
    const auto reason = ws::parse_close(as_bytes(std::string_view{"\x03\xf3gone"}));
    CHECK(reason.code == 1011);
    CHECK(reason.text == "gone");
    CHECK(ws::parse_close({}).code == ws::close_none);
    CHECK(ws::parse_close(as_bytes("\x03")).code == ws::close_none);
}
