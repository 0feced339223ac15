// Requests through the whole byte path: what clients say to a forward is what its log tells.
#include "tests/daemon/forward/plane_bed.hpp"

using namespace fwd;
using namespace fwd::forward;
using namespace fwd::test;

namespace {

struct web_bed : plane_bed {
    explicit web_bed(const std::string& service = "web", std::uint16_t port = 80, std::uint16_t pod_port = 8080)
    {
        connect_context();
        at = add_route(1, service, port);
        put({1, {target_of(service, pod_port)}, false, false});
    }
    traffic::http_picture seen() { return clock.run(plane->requests({traffic[1]})).at(0); }
    std::string pod() { return target_of("web", 8080).pod.name; }
    endpoint at;
};

std::string get(const std::string& path)
{
    return "GET " + path + " HTTP/1.1\r\nHost: web.shop\r\n\r\n";
}

} // namespace

TEST_CASE("requests on one connection that is kept alive are told with the pod that answered", "[data_plane]")
{
    web_bed b;
    plane_client one{b, b.at};
    for (const auto* path : {"/healthz", "/status?code=404", "/slow?ms=300"}) {
        one.say(get(path));
        b.clock.advance(400ms);
        one.hear();
    }
    const auto seen = b.seen();
    REQUIRE(seen.requests.size() == 3);
    const auto& slow = *seen.requests[0];
    CHECK(slow.path == "/slow");
    CHECK(slow.status == 200);
    CHECK(slow.took >= 300ms);
    CHECK(slow.took < 400ms);
    CHECK(slow.pod == b.pod());
    CHECK(slow.host == "web.shop");
    const auto& missing = *seen.requests[1];
    CHECK(missing.path == "/status");
    CHECK(missing.status == 404);
    CHECK(missing.at < slow.at);
    CHECK(seen.counts.by_class[2] == 2);
    CHECK(seen.counts.by_class[4] == 1);
    CHECK(seen.counts.in_flight == 0);
}

TEST_CASE("bodies are counted as the client gets them, and sizes agree", "[data_plane]")
{
    web_bed b;
    plane_client one{b, b.at};
    one.say(get("/big?bytes=300000"));
    b.clock.advance(1s);
    one.hear();
    const auto head = one.heard.find("\r\n\r\n") + 4;
    const auto seen = b.seen();
    REQUIRE(seen.requests.size() == 1);
    CHECK(seen.requests[0]->response_bytes == one.heard.size() - head);
    CHECK(seen.requests[0]->response_bytes == 300000);
}

TEST_CASE("a client that leaves before the answer is told as the one who did", "[data_plane]")
{
    web_bed b;
    {
        plane_client one{b, b.at};
        one.say(get("/slow?ms=60000"));
        b.clock.advance(100ms);
        CHECK(b.seen().counts.in_flight == 1);
        one.stream->reset();
    }
    b.clock.advance(5s);
    const auto seen = b.seen();
    REQUIRE(seen.requests.size() == 1);
    CHECK(seen.requests[0]->cut == traffic::cut_by::client);
    CHECK(seen.requests[0]->status == 0);
    CHECK(seen.counts.in_flight == 0);
}

TEST_CASE("a request whose pod goes away is told so, one whose forward is removed likewise", "[data_plane]")
{
    web_bed b;
    plane_client one{b, b.at};
    one.say(get("/slow?ms=60000"));
    b.clock.advance(100ms);
    const auto whose = GENERATE(traffic::cut_by::pod, traffic::cut_by::daemon);
    if (whose == traffic::cut_by::pod)
        b.cluster->restart_container(b.pod_of("web"), 10s);
    else
        b.plane->drop_route(1);
    b.clock.advance(40s);
    one.hear();
    const auto seen = b.seen();
    REQUIRE(seen.requests.size() == 1);
    CHECK(seen.requests[0]->cut == whose);
    CHECK(seen.counts.in_flight == 0);
}

TEST_CASE("what does not speak HTTP leaves nothing", "[data_plane]")
{
    web_bed b{"echo", 7000, 7000};
    plane_client one{b, b.at};
    one.say("HELLO there, no HTTP\r\n");
    b.clock.advance(100ms);
    one.hear();
    CHECK(one.heard == "HELLO there, no HTTP\r\n");
    const auto seen = b.seen();
    CHECK(seen.requests.empty());
    CHECK(seen.counts.total() == 0);
}
