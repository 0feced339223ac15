#include "common/text.hpp"
#include "tests/daemon/portforward/tunnel_fixture.hpp"

#include <catch2/catch.hpp>

using namespace fwd::portforward;
using namespace fwd::portforward::test;
using namespace std::chrono_literals;
using fwd::as_bytes;

namespace {

using events = std::vector<std::string>;

/// A legacy tunnel to port 8080, and the server's end of it.
struct legacy_tunnel {
    explicit legacy_tunnel(std::string rest = {})
    {
        auto [ours, theirs] = fwd::test::make_memory_pair(loop.get_executor());
        server = std::move(theirs);
        auto over = std::make_unique<dark_stream>(std::move(ours), silence);
        tunnel = make_legacy_tunnel({std::move(over), std::move(rest), 42}, 8080, clock, loop.get_executor(), sink, {});
        clock.settle();
    }
    static std::string message(std::string_view payload)
    {
        std::string out;
        websocket::append_message(out, websocket::opcode::binary, as_bytes(payload), std::nullopt);
        return out;
    }
    static std::string preambles(std::uint16_t port = 8080)
    {
        const char low = static_cast<char>(port & 0xff), high = static_cast<char>(port >> 8);
        return message({std::string{'\0', low, high}}) + message({std::string{'\1', low, high}});
    }
    void send(std::string_view bytes)
    {
        const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
        REQUIRE(server->try_writev({&piece, 1}).bytes == bytes.size());
        clock.settle();
    }
    /// Messages that came, one per line.
    std::string messages()
    {
        clock.settle();
        std::string told;
        std::array<std::byte, 65536> chunk;
        for (;;) {
            const auto step = server->try_read(chunk);
            if (step.what != fwd::io_step::state::moved) return told;
            auto bytes = std::span{chunk}.first(step.bytes);
            while (const auto found = decoder.next(bytes).value()) {
                if (found->op == websocket::opcode::close) told += "close\n";
                if (found->op == websocket::opcode::ping) told += "ping\n";
                if (found->op != websocket::opcode::binary) continue;
                REQUIRE(found->first);
                REQUIRE(found->last); // neither fragmented nor cut by our reading
                told += std::to_string(static_cast<int>(found->bytes[0])) + " " + std::string{fwd::as_text(found->bytes.subspan(1))} + "\n";
            }
        }
    }

    fwd::asio::io_context loop{1};
    fwd::test::virtual_clock clock{loop};
    std::chrono::nanoseconds silence{};
    recording_transport_sink sink;
    std::unique_ptr<fwd::data_stream> server;
    std::unique_ptr<transport> tunnel;
    websocket::frame_decoder decoder{websocket::sender::client};
};

} // namespace

TEST_CASE("a legacy tunnel carries one connection in messages with a channel byte", "[legacy]")
{
    legacy_tunnel t;
    CHECK(t.tunnel->most_pairs() == 1);
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    write(*one, "early");
    CHECK(t.messages() == std::string{"0 early\n"}); // no preamble of ours
    t.send(legacy_tunnel::preambles());
    CHECK(sink.events == events{"accepted"});
    CHECK(sink.got.empty());
    t.send(legacy_tunnel::message(std::string{'\0'} + "answer") + legacy_tunnel::message("") +
           legacy_tunnel::message(std::string{'\7'} + "unknown channel") + legacy_tunnel::message(std::string{'\0'} + "!"));
    CHECK(sink.got == "answer!");
    CHECK(sink.drains == 1);
    write(*one, "a");
    t.clock.settle();
    write(*one, "b");
    CHECK(t.messages() == "0 a\n0 b\n");
    CHECK_FALSE(t.tunnel->usable());

    recording_pair_sink second;
    const auto none = t.tunnel->open(8080, second);
    t.clock.settle();
    CHECK(second.events == events{"failed tunnel_lost"});
    CHECK(sink.events == events{"accepted"});
}

TEST_CASE("legacy messages are found however the bytes were cut", "[legacy]")
{
    const auto wire = legacy_tunnel::preambles() + legacy_tunnel::message(std::string{'\0'} + "answer");
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        legacy_tunnel t{wire.substr(0, cut)};
        recording_pair_sink sink;
        const auto one = t.tunnel->open(8080, sink);
        t.send(std::string_view{wire}.substr(cut));
        REQUIRE(sink.events == events{"accepted"});
        REQUIRE(sink.got == "answer");
    }
}

TEST_CASE("what a server says before anybody listens is kept", "[legacy]")
{
    legacy_tunnel t{legacy_tunnel::preambles() + legacy_tunnel::message(std::string{'\0'} + "220 ready")};
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    t.clock.settle();
    CHECK(sink.events == events{"accepted"});
    CHECK(sink.got == "220 ready");
}

TEST_CASE("a preamble for another port is an error", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    t.send(legacy_tunnel::preambles(80));
    CHECK(sink.events == events{"failed tunnel_lost"});
    CHECK(t.sink.closed == "the server forwards port 80, not 8080");
}

TEST_CASE("the error channel's words end the connection", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    t.send(legacy_tunnel::preambles() + legacy_tunnel::message(std::string{'\1'} + "error forwarding port 8080: connection refused"));
    CHECK(sink.events == events{"accepted", "failed refused"});
    CHECK(sink.failure == "error forwarding port 8080: connection refused");
    CHECK_FALSE(t.sink.closed.empty());
}

TEST_CASE("the server's close is the connection's end, a cut is not", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    std::string wire = legacy_tunnel::preambles() + legacy_tunnel::message(std::string{'\0'} + "all of it");
    SECTION("in order")
    {
        websocket::append_close(wire, 1000, "", std::nullopt);
        t.send(wire);
        CHECK(sink.events == events{"accepted", "end"});
        CHECK(sink.got == "all of it");
    }
    SECTION("reset")
    {
        t.send(wire);
        t.server->reset();
        t.clock.settle();
        CHECK(sink.events == events{"accepted", "failed tunnel_lost"});
    }
    CHECK_FALSE(t.sink.closed.empty());
}

TEST_CASE("a finished legacy connection ends after a second of silence, there being no half-close", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    t.send(legacy_tunnel::preambles());
    write(*one, "request");
    one->finish();
    CHECK(t.messages() == "0 request\n");
    t.clock.advance(900ms);
    t.send(legacy_tunnel::message(std::string{'\0'} + "slow answer"));
    t.clock.advance(900ms);
    CHECK(sink.events == events{"accepted"});
    t.clock.advance(1200ms);
    CHECK(sink.events == events{"accepted", "end"});
    CHECK(t.messages() == "close\n");
}

TEST_CASE("while a legacy connection is choked its silence is not the pod's", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    t.send(legacy_tunnel::preambles());
    one->finish();
    one->choke(true);
    t.clock.advance(4700ms);
    one->choke(false);
    t.clock.advance(600ms);
    t.send(legacy_tunnel::message(std::string{'\0'} + "the rest"));
    CHECK(sink.got == "the rest");
    CHECK(sink.events == events{"accepted"});
    t.clock.advance(3s);
    CHECK(sink.events == events{"accepted", "end"});
}

TEST_CASE("a destroyed legacy connection closes its tunnel", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    auto one = t.tunnel->open(8080, sink);
    t.send(legacy_tunnel::preambles());
    one.reset();
    t.clock.settle();
    CHECK(t.messages() == "close\n");
    CHECK_FALSE(t.sink.closed.empty());
    CHECK(sink.events == events{"accepted"});
}

TEST_CASE("a quiet legacy tunnel is kept open by WebSocket pings", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    std::string pong;
    websocket::append_message(pong, websocket::opcode::pong, {}, std::nullopt);
    for (int i = 0; i < 10; ++i) {
        t.clock.advance(16s);
        REQUIRE(t.messages() == "ping\n");
        t.send(pong);
    }
    CHECK(sink.events.empty());
    CHECK(t.sink.closed.empty());
}

TEST_CASE("an unanswered ping ends a legacy tunnel only when the server has nothing of ours to read", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    std::string pong;
    websocket::append_message(pong, websocket::opcode::pong, {}, std::nullopt);
    SECTION("nothing was sent")
    {
        t.clock.advance(26s);
        CHECK(sink.events == events{"failed tunnel_lost"});
        CHECK(t.sink.closed == "the tunnel's other end does not answer");
    }
    SECTION("a machine that does not acknowledge is out of reach, whatever was sent")
    {
        write(*one, "into the dark");
        t.clock.advance(16s);
        t.silence = 16s;
        t.clock.advance(20s);
        CHECK(sink.events == events{"failed tunnel_lost"});
    }
    SECTION("a pod that does not read is not dead")
    {
        write(*one, "unread");
        t.clock.advance(1000s);
        CHECK(sink.events.empty());
        SECTION("until it has read it, and is silent then")
        {
            t.send(pong);
            t.clock.advance(40s);
            CHECK(sink.events == events{"failed tunnel_lost"});
        }
    }
}

TEST_CASE("a legacy upload larger than the queue arrives whole, in messages of its own", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    const std::string much(400'000, 'x');
    std::size_t sent = write(*one, much);
    CHECK(sent < much.size());
    sink.on_room = [&] { sent += write(*one, std::string_view{much}.substr(sent)); };
    std::size_t got = 0;
    std::array<std::byte, 65536> chunk;
    for (int i = 0; i < 200 && got < much.size(); ++i) {
        t.clock.settle();
        const auto step = t.server->try_read(chunk);
        if (step.what != fwd::io_step::state::moved) continue;
        auto bytes = std::span{chunk}.first(step.bytes);
        while (const auto found = t.decoder.next(bytes).value()) {
            if (found->first) REQUIRE(found->bytes[0] == std::byte{0});
            got += found->bytes.size() - (found->first ? 1 : 0);
        }
    }
    CHECK(got == much.size());
}

TEST_CASE("many small pieces in one turn each keep their channel byte", "[legacy]")
{
    legacy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    const std::string piece(1460, 'x');
    std::string all, expected;
    for (int i = 0; i < 43; ++i) { // more than a chunk of the pipe takes
        write(*one, piece);
        expected += piece;
    }
    for (const auto& message : fwd::split(t.messages(), '\n')) {
        if (message.empty()) continue;
        REQUIRE(message.substr(0, 2) == "0 ");
        all += message.substr(2);
    }
    CHECK(all == expected);
}

TEST_CASE("a spare legacy tunnel whose connection the pod reset is given to nobody", "[legacy]")
{
    legacy_tunnel t;
    t.send(legacy_tunnel::preambles());
    CHECK(t.tunnel->usable());
    t.send(legacy_tunnel::message(std::string{'\1'} + "error forwarding port 8080 to pod x, uid : read: connection reset by peer"));
    CHECK_FALSE(t.tunnel->usable());
    CHECK_FALSE(t.sink.closed.empty());
}
