#include "tests/bridge/scripted_daemon.hpp"

using namespace fwd;
using namespace fwd::bridge;
using namespace fwd::bridge::test;

namespace {

struct bench {
    asio::io_context loop{1};
    virtual_clock clock{loop};
    scripted_daemon daemon{loop, clock};
    rest_client rest = daemon.client();
};

} // namespace

TEST_CASE("a call names its caller and reads typed data", "[rest]")
{
    bench b;
    b.daemon.up();
    b.daemon.page("GET /api/v1/services",
                  R"({"services":[)" + service_text("web", "shop", "active") + R"(],"summary":)" + summary_text(1, 1) + "}", 7);
    service_query which;
    which.name_space = "shop";
    which.search = "a b&c";
    const auto page = b.clock.run(b.rest.services(which));
    REQUIRE(page.has_value());
    CHECK(page->total == 7);
    CHECK(page->services.at(0).forwards.at(0).local_port == 80);
    REQUIRE(b.daemon.requests.size() == 1);
    CHECK(b.daemon.requests[0].target == "/api/v1/services?limit=1000&offset=0&namespace=shop&search=a%20b%26c");
    CHECK(b.daemon.requests[0].client == "fwd/1.0; test");
}

TEST_CASE("without a daemon the problem says where it was looked for and what starts it", "[rest]")
{
    bench b;
    const auto info = b.clock.run(b.rest.info());
    REQUIRE(info.has_error());
    CHECK(info.error().code == "daemon_not_running");
    REQUIRE_FALSE(info.error().evidence.empty());
    CHECK_THAT(info.error().evidence[0], Catch::Contains("/run/fwd/1/api.sock"));
    CHECK(info.error().next.at(0).command == "fwd start");
}

TEST_CASE("a daemon that comes and goes is noticed at each call", "[rest]")
{
    bench b;
    b.daemon.data("GET /api/v1/info", R"({"version":"1","pid":7})");
    CHECK(b.clock.run(b.rest.info()).has_error());
    b.daemon.up();
    CHECK(b.clock.run(b.rest.info()).has_value());
    b.daemon.down();
    CHECK(b.clock.run(b.rest.info()).has_error());
}

TEST_CASE("questions in quick succession share a connection, what changes something has its own", "[rest]")
{
    bench b;
    b.daemon.up();
    b.daemon.data("GET /api/v1/info", R"({"version":"1","pid":7})");
    b.daemon.data("DELETE /api/v1/services/web.shop", R"({"removed":true,"key":"web.shop.kind","message":"m"})");
    CHECK(b.clock.run(b.rest.info()).has_value());
    CHECK(b.clock.run(b.rest.in_the_name_of("other/1; x").info()).has_value());
    CHECK(b.daemon.accepted == 1);
    CHECK(b.daemon.requests.at(1).client == "other/1; x");
    CHECK(b.clock.run(b.rest.remove_service("web.shop")).has_value());
    CHECK(b.daemon.accepted == 2);
    CHECK(b.clock.run(b.rest.info()).has_value());
    CHECK(b.daemon.accepted == 2);

    b.clock.run(b.clock.sleep_for(kept_connections::burst + 1s));
    CHECK(b.clock.run(b.rest.info()).has_value());
    CHECK(b.daemon.accepted == 3);
}

TEST_CASE("a kept connection that the daemon closed costs nobody an answer", "[rest]")
{
    bench b;
    b.daemon.up();
    b.daemon.data("GET /api/v1/info", R"({"version":"1","pid":7})");
    SECTION("before the question")
    {
        CHECK(b.clock.run(b.rest.info()).has_value());
        b.daemon.hang_up();
    }
    SECTION("at its sight")
    {
        b.daemon.hangs_up_at = 2;
        CHECK(b.clock.run(b.rest.info()).has_value());
    }
    CHECK(b.clock.run(b.rest.info()).has_value());
    CHECK(b.daemon.accepted == 2);
}

TEST_CASE("an answer that closes the connection is taken", "[rest]")
{
    bench b;
    b.daemon.up();
    b.daemon.keeps_open = false;
    b.daemon.data("GET /api/v1/info", R"({"version":"1","pid":7})");
    CHECK(b.clock.run(b.rest.info()).has_value());
    CHECK(b.clock.run(b.rest.info()).has_value());
    CHECK(b.daemon.accepted == 2);
}

TEST_CASE("the daemon's problem comes through whole", "[rest]")
{
    bench b;
    b.daemon.up();
    b.daemon.error(
        "DELETE /api/v1/services/web.shop", 409,
        R"({"code":"ambiguous","message":"two fit","cause":"x","evidence":["a","b"],"next":[{"command":"fwd ls","why":"shows"}]})");
    const auto gone = b.clock.run(b.rest.remove_service("web.shop"));
    REQUIRE(gone.has_error());
    CHECK(gone.error().status == 409);
    CHECK(gone.error().code == "ambiguous");
    CHECK(gone.error().evidence == std::vector<std::string>{"a", "b"});
    CHECK(gone.error().next.at(0).command == "fwd ls");
}

TEST_CASE("a key's odd characters are escaped", "[rest]")
{
    bench b;
    b.daemon.up();
    CHECK(b.clock.run(b.rest.service("web.shop.arn:aws:eks:x/y")).has_error());
    CHECK(b.daemon.requests.at(0).target == "/api/v1/services/web.shop.arn%3Aaws%3Aeks%3Ax%2Fy");
}

TEST_CASE("connections come typed, of one service or of all", "[rest]")
{
    bench b;
    b.daemon.up();
    const std::string list = R"({"connections":[{"id":3,"state":"waiting","waitingFor":"pod","serviceKey":"web.shop.kind",
        "serviceName":"web","namespace":"shop","context":"kind","forwardKey":"web.shop.kind.80","client":{"address":"127.0.0.1:4711",
        "pid":42,"process":"curl","uid":1000},"localIP":"127.1.27.1","localPort":"80","since":"2026-11-21T07:00:00.000Z",
        "bytesIn":0,"bytesOut":0,"stalled":false}],"open":0,"waiting":1,"closing":0})";
    b.daemon.page("GET /api/v1/services/web.shop.kind/connections", list, 1);
    b.daemon.page("GET /api/v1/connections", list, 1);
    for (const auto* key : {"web.shop.kind", ""}) {
        const auto got = b.clock.run(b.rest.connections(key));
        REQUIRE(got.has_value());
        REQUIRE(got->connections.size() == 1);
        CHECK(got->waiting == 1);
        CHECK(got->connections[0].waiting_for == "pod");
        CHECK(got->connections[0].client.pid == 42);
        CHECK(got->connections[0].local_port == 80);
        CHECK(got->connections[0].since.has_value());
    }
    CHECK(b.daemon.requests.at(0).target == "/api/v1/services/web.shop.kind/connections?limit=1000");
    CHECK(b.daemon.requests.at(1).target == "/api/v1/connections?limit=1000");
}

TEST_CASE("something else than fwd that answers is said to be that", "[rest]")
{
    bench b;
    b.daemon.up();
    b.daemon.script["GET /api/v1/info"] = {{200, "<html>", {}}};
    const auto info = b.clock.run(b.rest.info());
    REQUIRE(info.has_error());
    CHECK(info.error().code == "protocol_error");
    CHECK_THAT(info.error().message, Catch::Contains("no fwd daemon"));
}

TEST_CASE("a daemon that does not answer is given up", "[rest]")
{
    bench b;
    b.daemon.up();
    b.daemon.data("GET /api/v1/info", "{}", 200, 1h);
    const auto info = b.clock.run(b.rest.info());
    REQUIRE(info.has_error());
    CHECK(info.error().code == "timed_out");
}

TEST_CASE("a call that waits has the time it asked for", "[rest]")
{
    bench b;
    b.daemon.up();
    b.daemon.data("POST /api/v1/services",
                  R"({"key":"web.shop.kind","serviceName":"web","namespace":"shop","context":"kind","status":"active","ready":true})", 201,
                  100s);
    wire::add_service ask;
    ask.service_name = "web";
    ask.wait = "ready";
    ask.timeout_ms = 120'000;
    const auto added = b.clock.run(b.rest.add(ask));
    REQUIRE(added.has_value());
    CHECK(added->ready);
}
