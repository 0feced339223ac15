#include "daemon/portforward/spdy_frame.hpp"
#include "daemon/portforward/spdy_headers.hpp"
#include "tests/daemon/portforward/wire_bytes.hpp"

#include <catch2/catch.hpp>

namespace spdy = fwd::portforward::spdy;
using fwd::as_bytes;
using fwd::as_text;
using fwd::errc;
using fwd::portforward::from_hex;

namespace {

// Captured from kubectl 1.32.4, and what it accepts in reply.
const std::string syn_error =
    from_hex("8003 0001 00 00003d 00000001 00000000 00 00"
             "78f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45a024cc6461c0c0c0c0590489c44c50e2663400000000ffff");
const std::string syn_data = from_hex("8003 0001 00 000018 00000003 00000000 00 00 c2aa15540a2512d209000000ffff");
const std::string reply_error = from_hex("8003 0002 00 000014 00000001 78f9e3c6a7c202a6230600000000ffff");
const std::string reply_data = from_hex("8003 0002 00 00000c 00000003 020100000000ffff");

/// Everything a scanner tells about bytes that come in the given pieces, as text. Parts of one DATA frame are joined.
std::string story(std::string_view wire, std::size_t first_cut, std::size_t step)
{
    spdy::frame_scanner scanner;
    std::string told;
    bool in_data = false;
    for (std::size_t at = 0; at < wire.size();) {
        const auto size = at == 0 ? first_cut : step;
        const std::string piece{wire.substr(at, size)}; // its own memory, so that nothing is read past a piece
        at += piece.size();
        auto input = as_bytes(piece);
        for (;;) {
            auto found = scanner.next(input);
            if (!found) return told + "error: " + found.error().message();
            if (!*found) break;
            if (const auto* d = std::get_if<spdy::data>(&**found)) {
                if (!in_data) told += "data " + std::to_string(d->stream) + " ";
                told += as_text(d->bytes);
                in_data = !d->last;
                if (d->last) told += d->fin ? " fin\n" : "\n";
            } else if (const auto* s = std::get_if<spdy::syn_stream>(&**found)) {
                told += "syn_stream " + std::to_string(s->stream) + " " + std::to_string(s->block.size()) + "\n";
            } else if (const auto* r = std::get_if<spdy::rst_stream>(&**found)) {
                told += "rst " + std::to_string(r->stream) + " " + std::to_string(r->status) + "\n";
            } else if (const auto* p = std::get_if<spdy::ping>(&**found)) {
                told += "ping " + std::to_string(p->id) + "\n";
            } else {
                told += "other\n";
            }
        }
    }
    return told;
}

std::string fault_of(std::string_view hex)
{
    spdy::frame_scanner scanner;
    const auto wire = from_hex(hex);
    auto input = as_bytes(wire);
    auto found = scanner.next(input);
    return found ? "none" : found.error().message();
}

} // namespace

TEST_CASE("the golden SYN_STREAM frames are read and written byte by byte", "[spdy]")
{
    spdy::frame_scanner scanner;
    auto input = as_bytes(syn_error);
    const auto first = scanner.next(input);
    REQUIRE(first.has_value());
    REQUIRE(first->has_value());
    const auto& syn = std::get<spdy::syn_stream>(**first);
    CHECK(syn.stream == 1);
    CHECK(syn.associated == 0);
    CHECK(syn.priority == 0);
    CHECK(syn.flags == 0);
    CHECK(syn.block.size() == 0x3d - 10);
    CHECK(input.empty());

    std::string out;
    spdy::append_syn_stream(out, 1, 0, as_bytes(syn_error).subspan(18));
    spdy::append_syn_stream(out, 3, 0, as_bytes(syn_data).subspan(18));
    spdy::append_syn_reply(out, 1, 0, as_bytes(reply_error).subspan(12));
    spdy::append_syn_reply(out, 3, 0, as_bytes(reply_data).subspan(12));
    CHECK(out == syn_error + syn_data + reply_error + reply_data);
}

TEST_CASE("frames are written byte by byte as the draft lays them out", "[spdy]")
{
    std::string out;
    spdy::append_data(out, 3, spdy::flag_fin, as_bytes("hello"));
    CHECK(out == from_hex("00000003 01 000005 68656c6c6f"));
    out.clear();
    spdy::append_rst_stream(out, 3, spdy::status_cancel);
    CHECK(out == from_hex("8003 0003 00 000008 00000003 00000005"));
    out.clear();
    spdy::append_ping(out, 1);
    CHECK(out == from_hex("8003 0006 00 000004 00000001"));
    out.clear();
    spdy::append_goaway(out, 0, 0);
    CHECK(out == from_hex("8003 0007 00 000008 00000000 00000000"));
    out.clear();
    spdy::append_headers(out, 5, 0, as_bytes("xy"));
    CHECK(out == from_hex("8003 0008 00 000006 00000005 7879"));
    out.clear();
    spdy::append_window_update(out, 5, 0x10000);
    CHECK(out == from_hex("8003 0009 00 000008 00000005 00010000"));
    std::byte header[8];
    spdy::put_data_header(header, 0x7fffffff, 0, spdy::most_length);
    CHECK(as_text(header) == from_hex("7fffffff 00 ffffff"));
}

TEST_CASE("the same frames are found however the bytes were cut", "[spdy]")
{
    std::string wire = syn_error + syn_data;
    spdy::append_data(wire, 3, 0, as_bytes("hello"));
    spdy::append_data(wire, 3, 0, {});
    spdy::append_ping(wire, 2);
    spdy::append_data(wire, 3, spdy::flag_fin, as_bytes("bye"));
    spdy::append_data(wire, 1, spdy::flag_fin, {});
    spdy::append_rst_stream(wire, 3, 5);
    const std::string whole = story(wire, wire.size(), 1);
    CHECK(whole == "syn_stream 1 51\nsyn_stream 3 14\ndata 3 hello\ndata 3 \nping 2\ndata 3 bye fin\ndata 1  fin\nrst 3 5\n");
    for (std::size_t cut = 1; cut < wire.size(); ++cut) REQUIRE(story(wire, cut, wire.size()) == whole);
    for (std::size_t step = 1; step < 20; ++step) REQUIRE(story(wire, step, step) == whole);
}

TEST_CASE("a data frame is whole however the bytes were cut", "[spdy]")
{
    std::string hello;
    spdy::append_data(hello, 3, spdy::flag_fin, as_bytes("hello"));
    for (std::size_t cut = 1; cut < hello.size(); ++cut) {
        spdy::frame_decoder decoder;
        decoder.feed(as_bytes(hello).first(cut));
        REQUIRE(decoder.next().value() == std::nullopt);
        decoder.feed(as_bytes(hello).subspan(cut));
        const auto found = decoder.next().value();
        REQUIRE(found.has_value());
        CHECK(found->is_data());
        CHECK(found->payload == "hello");
        CHECK(std::get<spdy::data>(found->parsed().value()).fin);
        CHECK(decoder.next().value() == std::nullopt);
    }
}

TEST_CASE("data is handed on as it comes, whatever length its frame claims", "[spdy]")
{
    spdy::frame_scanner scanner;
    const auto header = from_hex("00000003 01 ffffff");
    auto input = as_bytes(header);
    REQUIRE(scanner.next(input).value() == std::nullopt);
    CHECK_FALSE(scanner.at_boundary());
    const std::string chunk(100'000, 'x');
    std::size_t got = 0;
    while (got + chunk.size() < spdy::most_length) {
        input = as_bytes(chunk);
        const auto found = scanner.next(input).value();
        const auto& part = std::get<spdy::data>(*found);
        REQUIRE(part.bytes.data() == as_bytes(chunk).data()); // not a copy
        REQUIRE_FALSE(part.last);
        got += part.bytes.size();
    }
    input = as_bytes(chunk);
    const auto end = scanner.next(input).value();
    const auto& part = std::get<spdy::data>(*end);
    CHECK(got + part.bytes.size() == spdy::most_length);
    CHECK(part.last);
    CHECK(part.fin);
    CHECK(scanner.at_boundary());
}

TEST_CASE("frames that break the rules are named", "[spdy]")
{
    CHECK(fault_of("8003 0004 00 00000c 00000002 00 000004 00000064") == "SPDY: SETTINGS count 2 in 12 bytes");
    CHECK(fault_of("8003 0004 00 000004 10000000") == "SPDY: SETTINGS count 268435456 in 4 bytes");
    CHECK(fault_of("8003 0006 00 000004 00000000") == "SPDY: PING with id 0");
    CHECK(fault_of("8003 0006 01 000004 00000001") == "SPDY: PING with flags 1");
    CHECK(fault_of("8003 0006 00 000005 0000000100") == "SPDY: PING of 5 bytes");
    CHECK(fault_of("8003 0003 00 000008 00000003 00000000") == "SPDY: RST_STREAM with status 0");
    CHECK(fault_of("8003 0003 00 000008 00000000 00000005") == "SPDY: RST_STREAM for stream 0");
    CHECK(fault_of("8003 0007 00 000004 00000000") == "SPDY: GOAWAY of 4 bytes");
    CHECK(fault_of("8003 0009 00 000004 00000000") == "SPDY: WINDOW_UPDATE of 4 bytes");
    CHECK(fault_of("8003 0001 00 000004 00000001") == "SPDY: SYN_STREAM of 4 bytes");
    CHECK(fault_of("8003 0005 00 000000") == "SPDY: unknown control frame 5");
    CHECK(fault_of("8003 000a 00 000000") == "SPDY: unknown control frame 10");
    CHECK(fault_of("8002 0006 00 000004 00000001") == "SPDY: version 2");
    CHECK(fault_of("00000000 00 000000") == "SPDY: DATA for stream 0");
    CHECK(fault_of("8003 0001 00 ffffff") == "SPDY: a control frame is too large");
    CHECK(fault_of("8003 0004 00 00000c 00000001 00 000004 00000064") == "none");
}

TEST_CASE("a control frame that claims too much is refused before its payload is collected", "[spdy]")
{
    const auto wire = from_hex("8003 0001 00 ffffff");
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        spdy::frame_scanner scanner;
        auto input = as_bytes(wire).first(cut);
        REQUIRE(scanner.next(input).has_value());
        input = as_bytes(wire).subspan(cut);
        const auto found = scanner.next(input);
        REQUIRE(found.has_error());
        CHECK(found.error().is(errc::too_large));
    }
}
