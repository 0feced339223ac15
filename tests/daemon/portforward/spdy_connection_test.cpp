#include "daemon/portforward/negotiate.hpp"
#include "tests/daemon/portforward/tunnel_fixture.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace fwd::portforward;
using namespace fwd::portforward::test;
using namespace std::chrono_literals;
using fwd::as_bytes;

namespace {

using events = std::vector<std::string>;

} // namespace

TEST_CASE("a pair's two streams and its first bytes leave in one write", "[tunnel]")
{
    const auto how = GENERATE(framing::raw, framing::websocket);
    spdy_tunnel t{how};
    recording_pair_sink sink;
    const auto one = t.tunnel->open(8080, sink);
    CHECK(write(*one, "GET /") == 5);
    CHECK(t.frames() == "syn 1 fin streamtype=error port=8080 requestid=0\n"
                        "syn 11 streamtype=data port=8080 requestid=0\n"
                        "data 11 GET /\n");
    CHECK(one->sent() == 5);
    if (how == framing::websocket) CHECK(t.runtime->binary_messages == 1);
    CHECK(t.tunnel->kind() == (how == framing::raw ? transport_kind::spdy : transport_kind::websocket));
}

TEST_CASE("bytes flow both ways and both ends finish", "[tunnel]")
{
    const auto how = GENERATE(framing::raw, framing::websocket);
    spdy_tunnel t{how};
    recording_pair_sink sink;
    auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->reply(1);
    t.runtime->reply(11);
    t.runtime->send_data(11, "hello ");
    t.runtime->send_data(11, "");
    t.runtime->send_data(11, "world");
    t.clock.settle();
    CHECK(sink.events == events{"accepted"});
    CHECK(sink.got == "hello world");
    CHECK(sink.drains == 1);
    write(*one, "last words");
    one->finish();
    CHECK(t.frames() == "data 11 last words fin\n");
    CHECK(write(*one, "more") == 0);
    t.runtime->send_data(11, "bye", true);
    t.clock.settle();
    CHECK(sink.got == "hello worldbye");
    CHECK(sink.events == events{"accepted", "end"});
    one.reset();
    CHECK(t.frames().empty()); // both sides had finished: no RST
    CHECK(t.tunnel->pairs() == 0);
}

TEST_CASE("the server may speak first", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(25, sink);
    t.frames();
    t.runtime->reply(1);
    t.runtime->reply(11);
    t.runtime->send_data(11, "220 ready");
    t.clock.settle();
    CHECK(sink.got == "220 ready");
}

TEST_CASE("bytes behind the upgrade's answer are not lost", "[tunnel]")
{
    std::string rest;
    spdy::append_ping(rest, 2);
    spdy_tunnel t{framing::raw, rest};
    CHECK(t.frames() == "ping 2\n");
}

TEST_CASE("a message or frame that was split anywhere is put together", "[tunnel]")
{
    const auto how = GENERATE(framing::raw, framing::websocket);
    spdy_tunnel t{how};
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    std::string wire;
    spdy::append_data(wire, 11, 0, as_bytes("one frame over many messages"));
    for (std::size_t i = 0; i < wire.size(); i += 3) {
        t.runtime->send(std::string_view{wire}.substr(i, 3));
        t.runtime->send(""); // no data, not the end
        t.clock.settle();
    }
    CHECK(sink.got == "one frame over many messages");
}

TEST_CASE("the runtime's words come before its RST or FIN is acted on, and end that pair alone", "[tunnel]")
{
    const bool modern = GENERATE(true, false);
    spdy_tunnel t;
    recording_pair_sink sink, other;
    auto one = t.tunnel->open(81, sink);
    const auto two = t.tunnel->open(80, other);
    t.frames();
    t.runtime->reply(1);
    t.runtime->reply(11);
    t.runtime->send_data(1, "error forwarding port 81 to pod x, uid : failed to connect to localhost:81: connection refused");
    if (modern) {
        t.runtime->send_rst(11);
        t.runtime->send_rst(1);
    } else {
        t.runtime->send_data(1, "", true);
        t.runtime->send_data(11, "", true);
    }
    t.clock.settle();
    CHECK(sink.events == events{"accepted", "failed refused"});
    CHECK(sink.failure == "error forwarding port 81 to pod x, uid : failed to connect to localhost:81: connection refused");
    CHECK(other.events.empty());
    one.reset();
    CHECK(t.tunnel->usable());
    write(*two, "still here");
    t.frames();
    CHECK(t.runtime->data[23] == "still here");
}

TEST_CASE("a stream that is rejected without a reply fails at once", "[tunnel]")
{
    const std::uint32_t which = GENERATE(1, 11);
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->send_rst(which);
    t.clock.settle();
    CHECK(sink.events == events{"failed rejected"});
    CHECK(t.tunnel->usable());
}

TEST_CASE("texts of a vanished sandbox retire the tunnel", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->send_data(1, "network namespace for sandbox \"abc\" is closed");
    t.clock.settle();
    CHECK(sink.events == events{"failed sandbox_gone"});
    CHECK_FALSE(t.tunnel->usable());
    CHECK(t.sink.closed.empty());
    one.reset();
    t.clock.settle();
    CHECK(t.sink.closed == "the tunnel was retired");
}

TEST_CASE("no reply to a new stream fails the pair after its deadline and retires the tunnel", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    t.clock.advance(9900ms);
    CHECK(sink.events.empty());
    t.clock.advance(200ms);
    CHECK(sink.events == events{"failed no_reply"});
    CHECK(t.frames() == "rst 11 5\nrst 1 5\n");
    CHECK_FALSE(t.tunnel->usable());
}

TEST_CASE("a destroyed pair is reset, and late frames for it mean nothing", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    auto one = t.tunnel->open(80, sink);
    t.frames();
    write(*one, "never sent");
    one.reset();
    CHECK(t.frames() == "rst 11 5\n");
    t.runtime->reply(11);
    t.runtime->send_data(11, "late");
    t.runtime->send_data(1, "late words");
    t.runtime->send_data(777, "never known");
    t.runtime->send_rst(11);
    CHECK(t.frames().empty());
    CHECK(t.tunnel->pairs() == 0);
    CHECK(t.tunnel->usable());
    CHECK(sink.events.empty());
}

TEST_CASE("stream ids grow, and pairs that live together share no queue of the peer while there are enough", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    std::vector<std::unique_ptr<pair>> live;
    std::uint32_t last = 0;
    std::map<const pair*, std::uint32_t> residue;
    for (int round = 0; round < 200; ++round) {
        if (live.size() == 5) {
            residue.erase(live[static_cast<std::size_t>(round * 7 % 5)].get());
            live.erase(live.begin() + round * 7 % 5);
        }
        t.frames();
        live.push_back(t.tunnel->open(80, sink));
        const auto text = t.frames();
        unsigned error_id = 0, data_id = 0;
        REQUIRE(std::sscanf(text.c_str(), "syn %u fin %*s %*s %*s syn %u", &error_id, &data_id) == 2);
        REQUIRE(error_id > last);
        REQUIRE(data_id > error_id);
        REQUIRE(error_id % 2 == 1);
        REQUIRE(data_id % 2 == 1);
        REQUIRE(error_id % 5 == data_id % 5);
        last = data_id;
        for (const auto& [_, taken] : residue) REQUIRE(taken != error_id % 5);
        residue[live.back().get()] = error_id % 5;
    }
}

TEST_CASE("a peer's ping is echoed once and our own never", "[tunnel]")
{
    spdy_tunnel t;
    t.runtime->send_ping(2);
    CHECK(t.frames() == "ping 2\n");
    t.runtime->send_ping(1);
    CHECK(t.frames().empty());
}

TEST_CASE("silence is answered with a ping, and a pong keeps the tunnel", "[tunnel]")
{
    spdy_tunnel t;
    t.clock.advance(14900ms);
    CHECK(t.frames().empty());
    t.clock.advance(200ms);
    CHECK(t.frames() == "ping 1\n");
    t.runtime->send_ping(1);
    t.clock.advance(14s);
    CHECK(t.frames().empty());
    t.clock.advance(2s);
    CHECK(t.frames() == "ping 3\n");
    t.runtime->send_ping(3);
    t.clock.advance(1s);
    CHECK(t.sink.closed.empty());
}

TEST_CASE("an unused tunnel asks together with all others of the same second, one with a connection at once", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const bool used = GENERATE(false, true);
    const auto one = used ? t.tunnel->open(80, sink) : nullptr;
    t.clock.advance(300ms);
    if (used) t.runtime->reply(11);
    t.runtime->send_ping(2);
    t.clock.settle();
    t.frames();
    t.clock.advance(15100ms);
    CHECK(t.frames() == (used ? "ping 1\n" : ""));
    t.clock.advance(600ms);
    CHECK(t.frames() == (used ? "" : "ping 1\n"));
}

TEST_CASE("a black hole is noticed within thirty seconds", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->reply(11);
    t.clock.advance(25500ms);
    CHECK(t.frames() == "ping 1\nping 3\nping 5\nping 7\nping 9\nping 11\n");
    CHECK(sink.events == events{"accepted"});
    t.clock.advance(4s);
    CHECK(sink.events == events{"accepted", "failed tunnel_lost"});
    CHECK(t.sink.closed == "the tunnel's other end does not answer");
}

TEST_CASE("one wedged queue of the peer retires the tunnel and kills nothing", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->reply(11);
    t.clock.advance(25500ms);
    t.frames();
    for (const std::uint32_t id : {3u, 5u, 7u, 9u}) t.runtime->send_ping(id);
    t.clock.advance(5s);
    CHECK_FALSE(t.tunnel->usable());
    CHECK(t.sink.closed.empty());
    t.runtime->send_data(11, "alive");
    t.clock.settle();
    CHECK(sink.got == "alive");
}

TEST_CASE("a choked tunnel does not read, is stalled and is not judged by its silence", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->reply(11);
    t.clock.settle();
    one->choke(true);
    t.runtime->send_data(11, "unread");
    t.clock.advance(100s);
    CHECK(sink.got.empty());
    CHECK(t.tunnel->stalled());
    CHECK_FALSE(t.tunnel->usable());
    CHECK(t.sink.closed.empty());
    CHECK(t.sink.states == 1);
    SECTION("until there is room again")
    {
        one->choke(false);
        t.clock.settle();
        CHECK(sink.got == "unread");
    }
    SECTION("until the choked pair dies")
    {
        one.reset();
    }
    t.clock.settle();
    CHECK_FALSE(t.tunnel->stalled());
    CHECK(t.tunnel->usable());
    CHECK(t.sink.states == 2);
    t.runtime->send_ping(2);
    CHECK(t.frames().find("ping 2\n") != std::string::npos);
}

TEST_CASE("the queue towards the pod has a limit, and room is told", "[tunnel]")
{
    const auto how = GENERATE(framing::raw, framing::websocket);
    spdy_tunnel t{how};
    recording_pair_sink sink, other;
    const auto one = t.tunnel->open(80, sink);
    const auto two = t.tunnel->open(80, other);
    const std::string much(700'000, 'x');
    std::size_t sent = write(*one, much);
    CHECK(sent >= 250 * 1024);
    CHECK(sent <= 256 * 1024 + 64 * 1024);
    CHECK(write(*two, "small") == 5); // a busy pair does not starve its neighbour
    sink.on_room = [&] { sent += write(*one, std::string_view{much}.substr(sent)); };
    for (int i = 0; i < 1000 && t.runtime->data[11].size() < much.size(); ++i) t.frames();
    CHECK(sent == much.size());
    CHECK((t.runtime->data[11] == much));
    CHECK(t.runtime->data[23] == "small");
    CHECK(one->sent() == much.size());
}

TEST_CASE("a peer that reads nothing makes the tunnel stalled, not dead", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->reply(11);
    t.clock.settle();
    write(*one, std::string(300'000, 'x'));
    t.clock.advance(3s);
    CHECK(t.tunnel->stalled());
    t.clock.advance(300s);
    CHECK(t.sink.closed.empty());
    CHECK(sink.events == events{"accepted"});
    for (int i = 0; i < 20; ++i) t.frames();
    CHECK(t.runtime->data[11].size() >= 256 * 1024);
    CHECK_FALSE(t.tunnel->stalled());
    t.clock.advance(500ms);
    CHECK(t.tunnel->usable());
}

TEST_CASE("pairs share the wire by turns, and small ones go first", "[tunnel]")
{
    spdy_tunnel t{framing::raw, {}, {.capacity = 16 * 1024 * 1024}};
    recording_pair_sink sink;
    std::vector<std::unique_ptr<pair>> pairs;
    const std::size_t full = 32 * 1024 - 8; // a frame is 32 KiB with its header
    for (int i = 0; i < 3; ++i) pairs.push_back(t.tunnel->open(80, sink));
    t.frames();
    write(*pairs[0], std::string(4 * full, 'a'));
    write(*pairs[1], std::string(2 * full, 'b'));
    write(*pairs[2], "quick");
    CHECK(t.frames() == "data 35 quick\ndata 11 32760\ndata 11 32760\ndata 23 32760\ndata 23 32760\ndata 11 32760\ndata 11 32760\n");
}

TEST_CASE("GOAWAY lets pairs finish and takes no new ones", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    auto one = t.tunnel->open(80, sink);
    t.frames();
    std::string goaway;
    spdy::append_goaway(goaway, 11, 0);
    t.runtime->send(goaway);
    t.runtime->send_data(11, "last", true);
    t.clock.settle();
    CHECK_FALSE(t.tunnel->usable());
    CHECK(sink.got == "last");
    one.reset();
    t.clock.settle();
    CHECK(t.sink.closed == "the tunnel was retired");
}

TEST_CASE("frames that mean nothing to us are passed over, their headers read", "[tunnel]")
{
    spdy_tunnel t;
    spdy::header_compressor theirs;
    std::string wire;
    const auto first = theirs.compress({{"some", "thing"}});
    spdy::append_headers(wire, 11, 0, as_bytes(first));
    spdy::append_window_update(wire, 11, 100);
    wire += std::string{"\x80\x03\x00\x04\x00\x00\x00\x04\x00\x00\x00\x00", 12}; // SETTINGS of none
    t.runtime->send(wire);
    t.clock.settle();
    CHECK(t.sink.closed.empty());
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    wire.clear();
    const auto second = theirs.compress({}); // leans on the first
    spdy::append_syn_reply(wire, 11, 0, as_bytes(second));
    t.runtime->send(wire);
    t.clock.settle();
    CHECK(sink.events == events{"accepted"});
}

TEST_CASE("what breaks the protocol closes the tunnel with its reason", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    std::string wire;
    SECTION("an unknown frame")
    {
        wire = std::string{"\x80\x03\x00\x05\x00\x00\x00\x00", 8};
    }
    SECTION("a broken header block")
    {
        spdy::append_syn_reply(wire, 11, 0, as_bytes("garbage"));
    }
    t.runtime->send(wire);
    t.clock.settle();
    CHECK(sink.events == events{"failed tunnel_lost"});
    CHECK(t.sink.closed.starts_with("SPDY"));
}

TEST_CASE("the end of the stream beneath fails the pairs first, then the tunnel", "[tunnel]")
{
    const auto how = GENERATE(framing::raw, framing::websocket);
    spdy_tunnel t{how};
    recording_pair_sink sink;
    bool closed_before = false;
    auto one = t.tunnel->open(80, sink);
    sink.on_failure = [&] {
        closed_before = !t.sink.closed.empty();
        one.reset(); // a sink may end its pair from here
    };
    t.frames();
    t.runtime->stream().close();
    t.clock.settle();
    CHECK(sink.events == events{"failed tunnel_lost"});
    CHECK_FALSE(closed_before);
    CHECK_FALSE(t.sink.closed.empty());
    CHECK_FALSE(t.tunnel->usable());
    const auto late = t.tunnel->open(80, sink);
    t.clock.settle();
    CHECK(sink.events.size() == 2);
}

TEST_CASE("closing a tunnel tells its pairs from the loop and leaves with GOAWAY", "[tunnel]")
{
    spdy_tunnel t{framing::websocket};
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    t.tunnel->close();
    CHECK(sink.events.empty());
    CHECK(t.frames() == "goaway\n");
    CHECK(t.runtime->close_code == 1000);
    CHECK(sink.events == events{"failed tunnel_lost"});
    CHECK(t.sink.closed.empty());
}

TEST_CASE("a tunnel may be destroyed before its pairs, and with a peer that does not read", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    write(*one, std::string(250'000, 'x'));
    t.clock.settle();
    t.tunnel.reset();
    CHECK(one->write_room().empty());
    t.clock.settle();
    CHECK(sink.events == events{"failed tunnel_lost"});
}

TEST_CASE("a WebSocket ping is answered and its close ends the tunnel", "[tunnel]")
{
    spdy_tunnel t{framing::websocket};
    std::string wire;
    websocket::append_message(wire, websocket::opcode::ping, as_bytes("you there"), std::nullopt);
    t.runtime->send_raw(wire);
    t.frames();
    CHECK(t.runtime->pongs == "you there");
    wire.clear();
    SECTION("1000 is an orderly end")
    {
        websocket::append_close(wire, 1000, "", std::nullopt);
        t.runtime->send_raw(wire);
        t.clock.settle();
        CHECK(t.sink.closed == "the API server closed the tunnel");
    }
    SECTION("any other code is told")
    {
        websocket::append_close(wire, 1011, "backend gone", std::nullopt);
        t.runtime->send_raw(wire);
        t.clock.settle();
        CHECK(t.sink.closed == "the API server closed the tunnel with WebSocket code 1011: backend gone");
    }
    SECTION("a text message is a breach")
    {
        websocket::append_message(wire, websocket::opcode::text, as_bytes("hi"), std::nullopt);
        t.runtime->send_raw(wire);
        t.clock.settle();
        CHECK(t.sink.closed == "WebSocket: a text message in a tunnel of binary ones");
    }
}

TEST_CASE("a probe after sleep keeps new pairs away until something is heard", "[tunnel]")
{
    spdy_tunnel t;
    t.tunnel->probe();
    t.clock.advance(1ms);
    CHECK(t.frames() == "ping 1\n");
    CHECK_FALSE(t.tunnel->usable());
    SECTION("an answer makes it usable again")
    {
        t.runtime->send_ping(1);
        t.clock.advance(1ms);
        CHECK(t.tunnel->usable());
        CHECK(t.sink.states == 2);
    }
    SECTION("no answer ends it")
    {
        t.clock.advance(15s);
        CHECK(t.sink.closed == "the tunnel's other end does not answer");
    }
}

TEST_CASE("what was finished on both sides is still sent after its pair was destroyed", "[tunnel]")
{
    spdy_tunnel t{framing::raw, {}, {.capacity = 1024}};
    recording_pair_sink sink;
    auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->send_data(11, "", true);
    t.clock.settle();
    const std::string much(100'000, 'y');
    CHECK(write(*one, much) == much.size());
    one->finish();
    one.reset();
    std::string last;
    for (int i = 0; i < 300; ++i) {
        const auto told = t.frames();
        if (!told.empty()) last = told;
    }
    CHECK((t.runtime->data[11] == much));
    CHECK(last.find("fin") != std::string::npos);
    CHECK(t.tunnel->usable());
}

TEST_CASE("a peer whose machine acknowledges nothing is out of reach, however much waits for it", "[tunnel]")
{
    spdy_tunnel t;
    recording_pair_sink sink;
    const auto one = t.tunnel->open(80, sink);
    t.frames();
    t.runtime->reply(11);
    t.clock.settle();
    write(*one, std::string(300'000, 'x'));
    t.clock.advance(20s);
    REQUIRE(t.tunnel->stalled());
    t.silence = 20s;
    t.clock.advance(2s);
    CHECK(t.sink.closed.empty());
    t.silence = 30s;
    t.clock.advance(8s);
    CHECK(t.sink.closed == "the tunnel's other end is out of reach");
    CHECK(sink.events == events{"accepted", "failed tunnel_lost"});
}
