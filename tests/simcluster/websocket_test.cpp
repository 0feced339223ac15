#include "common/text.hpp"
#include "daemon/portforward/websocket_frame.hpp"
#include "tests/simcluster/bed.hpp"
#include "tests/simcluster/outbox.hpp"

using namespace fwd;
using namespace fwd::simcluster;
using namespace fwd::simcluster::test;
namespace ws = fwd::portforward::websocket;

namespace {

std::string handshake(const std::string& protocol)
{
    return "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Protocol: " +
           protocol + "\r\n";
}

std::string path_of(const object_key& pod, const std::string& query = {})
{
    return fmt::format("/api/v1/namespaces/{}/pods/{}/portforward{}", pod.namespace_name, pod.name, query);
}

std::string message(std::string_view payload)
{
    std::string frame;
    ws::append_message(frame, ws::opcode::binary, as_bytes(payload), 0x04030201);
    return frame;
}

/// The messages in `wire`, whole.
words messages(std::string wire)
{
    ws::frame_decoder decoder{ws::sender::server};
    std::span<std::byte> left{reinterpret_cast<std::byte*>(wire.data()), wire.size()};
    words all;
    while (!left.empty()) {
        auto part = decoder.next(left);
        REQUIRE(part.has_value());
        if (!*part) break;
        if ((*part)->op != ws::opcode::binary) {
            all.emplace_back((*part)->op == ws::opcode::close ? "close" : "other");
            continue;
        }
        if ((*part)->first) all.emplace_back();
        all.back() += as_text((*part)->bytes);
    }
    return all;
}

/// Takes everything, and remembers each write.
class recording_stream final : public data_stream {
public:
    io_step try_read(std::span<std::byte>) override { return {}; }
    io_step try_readv(std::span<const iovec>) override { return {}; }
    io_step try_writev(std::span<const iovec> from) override
    {
        std::size_t bytes = 0;
        for (const auto& piece : from) bytes += piece.iov_len;
        writes.push_back(bytes);
        return {io_step::state::moved, bytes, {}};
    }
    void wait(interest, callback) override {}
    void cancel(interest) override {}
    void shutdown_write() override {}
    void reset() override {}
    void close() override {}
    std::vector<std::size_t> writes;
};

} // namespace

TEST_CASE("SPDY passes through WebSocket messages of any shape", "[simcluster][websocket]")
{
    bed here;
    client asks{here};
    const auto answer = asks.ask("GET", path_of(here.pod_of("echo")), handshake("SPDY/3.1+portforward.k8s.io"));
    REQUIRE(answer.starts_with("HTTP/1.1 101"));
    CHECK(answer.find("Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io\r\n") != std::string::npos);
    CHECK(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos); // RFC 6455 1.3

    spdy::header_compressor deflater;
    std::string frames;
    for (const auto& [id, type] : {std::pair{1u, "error"}, std::pair{3u, "data"}}) {
        const auto block = deflater.compress({{"streamtype", type}, {"port", "7000"}, {"requestid", "0"}});
        spdy::append_syn_stream(frames, id, 0, as_bytes(block));
    }
    spdy::append_data(frames, 3, 0, as_bytes("through a tunnel"));
    asks.send(message(frames.substr(0, 5)) + message("") + message(frames.substr(5, 50)) + message(frames.substr(55)));
    std::string stream;
    for (const auto& each : messages(asks.receive())) stream += each;
    CHECK(stream.find("through a tunnel") != std::string::npos);
    CHECK(here.cluster->count().tunnels["websocket"] == 1);

    std::string text;
    ws::append_message(text, ws::opcode::text, as_bytes("no"), 1);
    asks.send(text);
    CHECK(messages(asks.receive()) == words{"close"});
    CHECK(asks.ended);
}

TEST_CASE("an old server knows no tunnel in WebSocket", "[simcluster][websocket]")
{
    auto options = bed::plain();
    options.settings.websockets = false;
    bed here{options};
    client asks{here};
    CHECK(asks.ask("GET", path_of(here.pod_of("echo")), handshake("SPDY/3.1+portforward.k8s.io")).starts_with("HTTP/1.1 400"));
}

TEST_CASE("a WebSocket needs the right to get, from 1.35 on also that to create; SPDY only the latter", "[simcluster][websocket]")
{
    const int minor = GENERATE(34, 35);
    auto options = bed::plain();
    options.settings.minor = minor;
    bed here{options};
    const auto path = path_of(here.pod_of("echo"));
    const std::string spdy_upgrade = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n";
    const auto websocket = [&] { return client{here}.ask("GET", path, handshake("SPDY/3.1+portforward.k8s.io")).substr(9, 3); };
    const auto plain = [&] { return client{here}.ask("POST", path, spdy_upgrade).substr(9, 3); };
    here.cluster->rules().deny({"", {"create"}, {"pods/portforward"}, {}});
    CHECK(websocket() == (minor == 34 ? "101" : "403"));
    CHECK(plain() == "403");
    here.cluster->heal();
    here.cluster->rules().deny({"", {"get"}, {"pods/portforward"}, {}});
    CHECK(websocket() == "403");
    CHECK(plain() == "101");
}

TEST_CASE("what is no proper upgrade is refused as servers refuse it", "[simcluster][websocket]")
{
    bed here;
    client asks{here};
    const auto path = path_of(here.pod_of("echo"));
    const std::string spdy_upgrade = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n";
    CHECK(asks.ask("POST", path).starts_with("HTTP/1.1 400"));
    CHECK(asks.ask("POST", path, spdy_upgrade).starts_with("HTTP/1.1 400"));
    const auto wrong = asks.ask("POST", path, spdy_upgrade + "X-Stream-Protocol-Version: other.k8s.io\r\n");
    CHECK(wrong.starts_with("HTTP/1.1 403"));
    CHECK(wrong.find("X-Accepted-Stream-Protocol-Versions: portforward.k8s.io") != std::string::npos);
    CHECK(asks.ask("GET", path + "?ports=7000", handshake("portforward.k8s.io")).starts_with("HTTP/1.1 403"));
    CHECK(asks.ask("GET", path, handshake("v4.channel.k8s.io")).starts_with("HTTP/1.1 400"));
    CHECK(asks.ask("POST", "/api/v1/namespaces/shop/pods/none/portforward", spdy_upgrade).starts_with("HTTP/1.1 404"));
}

TEST_CASE("channels carry one connection for each port", "[simcluster][websocket]")
{
    bed here;
    client asks{here};
    const auto answer = asks.ask("GET", path_of(here.pod_of("echo"), "?ports=7000&ports=81"), handshake("v4.channel.k8s.io"));
    REQUIRE(answer.starts_with("HTTP/1.1 101"));
    auto heard = messages(answer.substr(answer.find("\r\n\r\n") + 4));
    REQUIRE(heard.size() == 5);
    CHECK(heard[0] == std::string{"\x00\x58\x1b", 3}); // 7000, little-endian
    CHECK(heard[1] == std::string{"\x01\x58\x1b", 3});
    CHECK(heard[2] == std::string{"\x02\x51\x00", 3});
    CHECK(heard[4].find("connection refused") != std::string::npos);
    CHECK(heard[4][0] == '\x03');
    asks.send(message(std::string{"\x00hello", 6}));
    CHECK(messages(asks.receive()) == words{std::string{"\x00hello", 6}});
    asks.send(message(std::string{"\x01lost", 5}) + message(std::string{"\x09lost", 5}) + message(std::string{"\x00!", 2}));
    CHECK(messages(asks.receive()) == words{std::string{"\x00!", 2}});
    here.cluster->pods().end_connections(here.pod_of("echo"), false);
    here.clock.advance(1100ms);
    CHECK(messages(asks.receive()) == words{"close"});
}

TEST_CASE("bytes leave in the pieces that Go's servers write", "[simcluster][websocket]")
{
    bed here;
    unruly_stream wire{std::make_unique<recording_stream>(), here.loop.get_executor(), here.clock, 0ns};
    recording_stream out;
    const std::string header(8, 'h'), bulk(32 * 1024 - 8, 'b');
    SECTION("small frames of a plain tunnel: each header field, then the payload")
    {
        outbox box{record_pattern::go, outbox::framing::raw};
        box.data(header, as_bytes("hello"), 2);
        box.control("2244block", {2, 2, 4});
        CHECK(box.flush(out, wire));
        CHECK(out.writes == std::vector<std::size_t>{4, 4, 5, 2, 2, 4, 1});
    }
    SECTION("bulk of a plain tunnel: what one read of TLS gives")
    {
        outbox box{record_pattern::go, outbox::framing::raw};
        box.data(header, as_bytes(bulk), 2);
        CHECK(box.flush(out, wire));
        CHECK(out.writes == std::vector<std::size_t>{16384, 16384});
    }
    SECTION("bulk in WebSocket: header, piece and final frame apart")
    {
        outbox box{record_pattern::go, outbox::framing::websocket};
        box.data(header, as_bytes(bulk), 2);
        CHECK(box.flush(out, wire));
        CHECK(out.writes == std::vector<std::size_t>{4, 16384, 2, 4, 16384, 2});
    }
    SECTION("small frames in WebSocket: one message a field")
    {
        outbox box{record_pattern::go, outbox::framing::websocket};
        box.data(header, as_bytes("hello"), 2);
        CHECK(box.flush(out, wire));
        CHECK(out.writes == std::vector<std::size_t>{6, 6, 7});
    }
    SECTION("packed: all at once")
    {
        outbox box{record_pattern::packed, outbox::framing::websocket};
        box.data(header, as_bytes(bulk), 2);
        box.control("22", {2});
        CHECK(box.flush(out, wire));
        CHECK(out.writes == std::vector<std::size_t>{4 + 32 * 1024 + 2 + 2});
    }
    CHECK(out.writes.size() > 0);
}
