#include "tests/simcluster/bed.hpp"

using namespace fwd;
using namespace fwd::simcluster;
using namespace fwd::simcluster::test;

namespace {

std::string joined(const words& parts)
{
    std::string all;
    for (const auto& part : parts)
        if (part != "reply" && part != "fin" && !part.starts_with("reset ")) all += part;
    return all;
}

} // namespace

TEST_CASE("a stream pair reaches the port of the pod", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open_pair(1, "7000");
    tunnel.data(3, "hello");
    const auto heard = tunnel.heard();
    CHECK(heard.at(1) == words{"reply"});
    CHECK(heard.at(3) == words{"reply", "hello"});
    tunnel.open_pair(5, "7000");
    tunnel.data(7, "again");
    CHECK(tunnel.heard().at(7) == words{"reply", "again"});
    CHECK(here.cluster->count().pods["shop/" + here.pod_of("echo").name].streams == 2);
}

TEST_CASE("data right behind the streams needs no waiting", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("greeter")};
    tunnel.open_pair(1, "2525");
    CHECK(joined(tunnel.heard().at(3)) == "220 greeter ready\r\n");
}

TEST_CASE("one byte in a port tells on the error stream what the runtime met", "[simcluster][spdy]")
{
    const bool resets = GENERATE(true, false);
    auto options = bed::plain();
    options.settings.reset_on_error = resets;
    bed here{options};
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open_pair(1, "81");
    auto heard = tunnel.heard();
    REQUIRE(heard.at(1).size() == 3);
    CHECK(heard.at(1)[1].starts_with("error forwarding port 81 to pod "));
    CHECK(heard.at(1)[1].find("connection refused") != std::string::npos);
    CHECK(heard.at(1)[2] == (resets ? "reset 5" : "fin"));
    CHECK(heard.at(3) == words{"reply", resets ? "reset 5" : "fin"});
}

TEST_CASE("the sandbox of a pod that is gone is closed", "[simcluster][spdy]")
{
    bed here;
    const auto pod = here.pod_of("echo");
    tunnel_client tunnel{here, pod};
    tunnel.open_pair(1, "7000");
    tunnel.data(3, "x");
    here.cluster->control().delete_pod(pod, 0ns);
    here.clock.advance(2s);
    CHECK(tunnel.heard().at(3) == words{"reply", "x", "fin"});
    tunnel.open_pair(5, "7000");
    const auto heard = tunnel.heard();
    CHECK(joined(heard.at(5)).find("network namespace for sandbox") != std::string::npos);
    CHECK(joined(heard.at(5)).find("is closed") != std::string::npos);
}

TEST_CASE("a client that ends its side has one second for the answer", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("web")};
    tunnel.open_pair(1, "8080");
    tunnel.data(3, "GET /slow?ms=3000 HTTP/1.1\r\nHost: web\r\n\r\n", true);
    here.clock.advance(999ms);
    CHECK(tunnel.heard().at(3) == words{"reply"});
    here.clock.advance(2ms);
    const auto heard = tunnel.heard();
    CHECK(heard.at(3) == words{"fin"});
    CHECK(heard.at(1) == words{"fin"});
}

TEST_CASE("a pod that closes first is told to the client a second later, unless the client ends too", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("web")};
    const std::string request = "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n";
    tunnel.open_pair(1, "8080");
    tunnel.data(3, request);
    CHECK(tunnel.heard().at(3).back() != "fin");
    here.clock.advance(1001ms);
    CHECK(tunnel.heard().at(3) == words{"fin"});

    tunnel.open_pair(5, "8080");
    tunnel.data(7, request);
    (void)tunnel.heard();
    tunnel.data(7, "", true);
    CHECK(tunnel.heard().at(7) == words{"fin"});
}

TEST_CASE("frames that nobody takes stop a worker, then the reader, and a reset behind them is not seen", "[simcluster][spdy]")
{
    bed here;
    const auto pod = here.pod_of("echo");
    tunnel_client tunnel{here, pod};
    tunnel.open_pair(1, "7000"); // data stream 3: worker 3
    (void)tunnel.heard();
    here.cluster->pods().set_stalled(pod, true);
    // The socket's buffer of the pod fills first, then a frame is held by the copy, the next one by the worker.
    const std::string frame(64 * 1024, 'x');
    for (int i = 0; i < 6; ++i) REQUIRE(tunnel.data(3, frame));
    tunnel.reset(3);
    // Streams of other workers are served, those of the same one are not.
    tunnel.open_pair(5, "7000"); // 5 and 7: workers 0 and 2
    tunnel.open(13, "error", "7000", "late");
    auto heard = tunnel.heard();
    CHECK(heard.at(7) == words{"reply"});
    CHECK_FALSE(heard.contains(13));
    // Pings go round the workers: one of five is not answered.
    for (std::uint32_t id = 1; id < 11; id += 2) tunnel.ping(id);
    CHECK(tunnel.heard().at(0).size() == 4);
    CHECK(here.cluster->pods().connections(pod) == 2);

    // Fifty more and nothing moves at all.
    for (int i = 0; i < 60; ++i) tunnel.data(3, "y");
    tunnel.open(25, "error", "7000", "later");
    for (std::uint32_t id = 11; id < 21; id += 2) tunnel.ping(id);
    CHECK(tunnel.heard().empty());

    here.cluster->pods().set_stalled(pod, false);
    here.clock.advance(10ms);
    heard = tunnel.heard();
    CHECK(heard.at(0).size() == 6);
    CHECK(heard.contains(13));
    CHECK(heard.contains(25));
}

TEST_CASE("a reset between frames frees the stream", "[simcluster][spdy]")
{
    bed here;
    const auto pod = here.pod_of("source");
    tunnel_client tunnel{here, pod};
    tunnel.open_pair(1, "7002");
    tunnel.data(3, "100\n");
    CHECK(joined(tunnel.heard().at(3)).size() == 100);
    tunnel.open_pair(5, "7002");
    tunnel.data(7, "x\n"); // without end
    CHECK(here.cluster->pods().connections(pod) == 2);
    tunnel.reset(7);
    here.clock.advance(1100ms);
    (void)tunnel.heard();
    CHECK(here.cluster->pods().connections(pod) == 0);
}

TEST_CASE("an application that resets is told in words", "[simcluster][spdy]")
{
    bed here;
    const auto pod = here.pod_of("echo");
    tunnel_client tunnel{here, pod};
    tunnel.open_pair(1, "7000");
    (void)tunnel.heard();
    here.cluster->pods().end_connections(pod, true);
    here.clock.advance(1100ms);
    const auto heard = tunnel.heard();
    CHECK(joined(heard.at(1)).find("connection reset by peer") != std::string::npos);
    CHECK(heard.at(3) == words{"reset 5"});
}

TEST_CASE("streams that are wrong are reset without a reply", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open(9, "error", "7000", "a");
    tunnel.open(11, "noise", "7000", "a");
    tunnel.open(13, "data", "0", "a");
    tunnel.open(3, "data", "7000", "a");
    const auto heard = tunnel.heard();
    CHECK(heard.at(11) == words{"reset 5"});
    CHECK(heard.at(13) == words{"reset 5"});
    CHECK(heard.at(3) == words{"reset 1"});
}

TEST_CASE("a pair that stays incomplete is given up after thirty seconds", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open(1, "error", "7000", "a");
    here.clock.advance(29s);
    CHECK(tunnel.heard().at(1) == words{"reply"});
    here.clock.advance(2s);
    CHECK(joined(tunnel.heard().at(1)).find("timed out waiting for streams") != std::string::npos);
}

TEST_CASE("pings of the client are echoed once, others never", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.ping(1);
    tunnel.ping(2);
    CHECK(tunnel.heard().at(0) == words{"ping 1"});
}

TEST_CASE("a frame of no known kind ends the tunnel", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open_pair(1, "7000");
    (void)tunnel.heard();
    tunnel.http.send(std::string_view{"\x80\x03\x00\x05\x00\x00\x00\x00", 8});
    (void)tunnel.http.receive();
    CHECK(tunnel.http.ended);
    CHECK(here.cluster->pods().connections(here.pod_of("echo")) == 0);
    CHECK(here.cluster->count().tunnels_open == 0);
}

TEST_CASE("frames may be cut anywhere", "[simcluster][spdy]")
{
    const auto cut = GENERATE(range(1, 40, 3));
    bed here;
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open_pair(1, "7000");
    std::string frames;
    spdy::append_data(frames, 3, 0, as_bytes("one"));
    spdy::append_data(frames, 3, 0, as_bytes(""));
    spdy::append_data(frames, 3, 0, as_bytes("two and three"));
    tunnel.http.send(std::string_view{frames}.substr(0, cut));
    tunnel.http.send(std::string_view{frames}.substr(cut));
    CHECK(joined(tunnel.heard().at(3)) == "onetwo and three");
}

TEST_CASE("megabytes pass both ways unharmed", "[simcluster][spdy]")
{
    bed here;
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open_pair(1, "7000");
    std::string sent, got;
    for (int i = 0; i < 200; ++i) {
        std::string part(static_cast<std::size_t>(here.random->below(30000)), '\0');
        here.random->fill({reinterpret_cast<std::byte*>(part.data()), part.size()});
        sent += part;
        REQUIRE(tunnel.data(3, part));
        got += joined(tunnel.heard()[3]);
    }
    got += joined(tunnel.heard()[3]);
    CHECK(got.size() == sent.size());
    CHECK(got == sent);
}

TEST_CASE("a tunnel ends with its connection, and so do the pod's connections", "[simcluster][spdy]")
{
    bed here;
    const auto pod = here.pod_of("echo");
    tunnel_client tunnel{here, pod};
    tunnel.open_pair(1, "7000");
    (void)tunnel.heard();
    CHECK(here.cluster->drop_connections({connection_use::tunnel, {}, pod, {}}) == 1);
    here.clock.settle();
    (void)tunnel.http.receive();
    CHECK(tunnel.http.ended);
    CHECK(here.cluster->pods().connections(pod) == 0);
}

TEST_CASE("a session without frames ends after its idle time, not one that is pinged", "[simcluster][spdy]")
{
    auto options = bed::plain();
    options.settings.stream_idle = 60s;
    bed here{options};
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open_pair(1, "7000");
    here.clock.advance(40s);
    tunnel.ping(1);
    here.clock.advance(59s);
    CHECK(tunnel.heard().at(0) == words{"ping 1"});
    here.clock.advance(2s);
    const auto heard = tunnel.heard();
    CHECK(heard.at(1) == words{"reset 5"});
    CHECK(heard.at(3) == words{"reset 5"});
    CHECK(tunnel.http.ended);
}
