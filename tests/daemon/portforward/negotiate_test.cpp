#include "common/async/task_scope.hpp"
#include "common/log.hpp"
#include "common/net/http_client.hpp"
#include "daemon/portforward/negotiate.hpp"
#include "daemon/portforward/upgrade.hpp"
#include "tests/daemon/portforward/tunnel_fixture.hpp"

#include <catch2/catch.hpp>
#include <deque>

using namespace fwd::portforward;
using namespace fwd::portforward::test;
using namespace std::chrono_literals;
using fwd::awaitable;
using fwd::http_response;
using failed = tunnel_failure::kind;

namespace {

/// An API server that answers each upgrade request as the test says, by what was asked.
struct cluster {
    using answers = std::function<http_response(const fwd::http_request&)>;

    explicit cluster(transport_choice choice = transport_choice::automatic)
    {
        acceptor = net.listen({boost::asio::ip::make_address("10.0.0.1"), 6443}, {}).value();
        accept_next();
        use(1);
        through = make_negotiator(loop.get_executor(), net, clock, *random, choice);
        through->set_access(access);
    }
    ~cluster()
    {
        tasks.cancel();
        clock.settle();
    }

    void use(std::uint64_t generation)
    {
        auto made = std::make_shared<fwd::kube::access>();
        made->host = "10.0.0.1";
        made->port = 6443;
        made->tls = false;
        made->generation = generation;
        made->authorization.add("Authorization", "Bearer token-" + std::to_string(generation));
        access = made;
    }
    void accept_next()
    {
        acceptor->wait([this] {
            while (auto in = acceptor->try_accept().value()) tasks.start("serve", serve(std::move(in->stream)));
            accept_next();
        });
    }
    awaitable<void> serve(std::unique_ptr<fwd::data_stream> stream)
    {
        auto over = fwd::make_byte_stream(std::move(stream));
        fwd::http_parser parser{fwd::http_parser::role::request, {}};
        std::array<std::byte, 4096> chunk;
        while (!parser.header_done()) {
            const auto got = co_await over->read_some(chunk);
            if (!got || *got == 0) co_return;
            if (!parser.feed(std::span{chunk}.first(*got))) co_return;
        }
        const auto request = parser.request();
        asked.push_back(request.method + " " + std::string{request.fields.get("Upgrade")} + " " +
                        std::string{request.fields.get("Sec-WebSocket-Protocol")} + " " + std::string{request.fields.get("Authorization")});
        if (hang_up) co_return;
        if (silent) {
            kept.push_back(std::move(over));
            co_return;
        }
        const auto answer = answer_to(request);
        const auto text = answer.status == 101 ? fwd::wire_header(answer) + rest : fwd::wire_text(answer);
        if (!(co_await over->write_all(fwd::as_bytes(text)))) co_return;
        kept.push_back(std::move(over));
    }
    auto open() { return clock.run(through->open({"shop", "web-1", "uid"}, 8080, sink)); }

    static http_response plain(unsigned status, std::string body)
    {
        http_response made;
        made.status = status;
        made.body = std::move(body);
        return made;
    }
    static http_response accept(const fwd::http_request& request)
    {
        http_response made;
        made.status = 101;
        made.fields.add("Connection", "Upgrade");
        made.fields.add("Upgrade", std::string{request.fields.get("Upgrade")});
        if (request.method == "POST") {
            made.fields.add("X-Stream-Protocol-Version", "portforward.k8s.io");
        } else {
            made.fields.add("Sec-WebSocket-Accept", websocket_accept(request.fields.get("Sec-WebSocket-Key")));
            made.fields.add("Sec-WebSocket-Protocol", std::string{request.fields.get("Sec-WebSocket-Protocol")});
        }
        return made;
    }
    static bool is_tunnel(const fwd::http_request& r) { return r.fields.get("Sec-WebSocket-Protocol").starts_with("SPDY"); }
    static bool is_spdy(const fwd::http_request& r) { return r.method == "POST"; }

    fwd::asio::io_context loop{1};
    fwd::test::virtual_clock clock{loop};
    fwd::logger log;
    fwd::test::memory_network net{loop.get_executor()};
    std::unique_ptr<fwd::random_source> random = fwd::make_seeded_random(7);
    recording_transport_sink sink;
    std::unique_ptr<fwd::acceptor> acceptor;
    std::vector<std::unique_ptr<fwd::byte_stream>> kept;
    fwd::task_scope tasks{loop.get_executor(), log};
    std::shared_ptr<const fwd::kube::access> access;
    std::unique_ptr<negotiator> through;
    answers answer_to = accept;
    std::vector<std::string> asked;
    std::string rest;
    bool hang_up = false, silent = false;
};

} // namespace

TEST_CASE("the WebSocket tunnel is taken first", "[negotiate]")
{
    cluster c;
    const auto tunnel = c.open();
    REQUIRE(tunnel.has_value());
    CHECK((*tunnel)->kind() == transport_kind::websocket);
    CHECK(c.asked == std::vector<std::string>{"GET websocket SPDY/3.1+portforward.k8s.io Bearer token-1"});
    CHECK(c.through->preferred() == transport_kind::websocket);
}

TEST_CASE("bytes that came with the answer belong to the tunnel", "[negotiate]")
{
    cluster c{transport_choice::spdy};
    spdy::append_ping(c.rest, 2);
    const auto tunnel = c.open();
    REQUIRE(tunnel.has_value());
    c.clock.settle();
    REQUIRE(c.kept.size() == 1);
    std::array<std::byte, 64> chunk;
    auto reading = c.kept[0]->read_some(chunk);
    const auto got = c.clock.run(std::move(reading));
    REQUIRE(got.has_value());
    CHECK(*got == 12); // the echo
}

TEST_CASE("a refused WebSocket falls back to SPDY, which is remembered for half an hour", "[negotiate]")
{
    const unsigned status = GENERATE(400u, 403u, 404u, 501u, 200u);
    cluster c;
    c.answer_to = [&](const auto& request) {
        return cluster::is_tunnel(request) ? cluster::plain(status, "no") : cluster::accept(request);
    };
    auto tunnel = c.open();
    REQUIRE(tunnel.has_value());
    CHECK((*tunnel)->kind() == transport_kind::spdy);
    CHECK(c.asked.size() == 2);
    CHECK(c.through->preferred() == transport_kind::spdy);
    REQUIRE(c.open().has_value());
    CHECK(c.asked.size() == 3);
    c.clock.advance(31min);
    CHECK(c.through->preferred() == transport_kind::websocket);
}

TEST_CASE("a 101 without the right protocol falls back", "[negotiate]")
{
    cluster c;
    c.answer_to = [](const auto& request) {
        auto made = cluster::accept(request);
        if (cluster::is_tunnel(request)) made.fields.set("Sec-WebSocket-Protocol", "portforward.k8s.io");
        return made;
    };
    const auto tunnel = c.open();
    REQUIRE(tunnel.has_value());
    CHECK((*tunnel)->kind() == transport_kind::spdy);
}

TEST_CASE("behind a proxy that knows no SPDY the old WebSocket is used", "[negotiate]")
{
    cluster c;
    c.answer_to = [](const auto& request) {
        return cluster::is_tunnel(request) || cluster::is_spdy(request) ? cluster::plain(400, "<html>bad gateway</html>")
                                                                        : cluster::accept(request);
    };
    const auto tunnel = c.open();
    REQUIRE(tunnel.has_value());
    CHECK((*tunnel)->kind() == transport_kind::legacy);
    CHECK((*tunnel)->most_pairs() == 1);
    CHECK(c.asked.size() == 3);
}

TEST_CASE("403 everywhere names the verbs", "[negotiate]")
{
    cluster c;
    c.answer_to = [](const auto&) {
        return cluster::plain(403, R"({"kind":"Status","reason":"Forbidden","message":"pods \"web-1\" is forbidden","code":403})");
    };
    const auto tunnel = c.open();
    REQUIRE(tunnel.has_error());
    CHECK(tunnel.error().what == failed::forbidden);
    CHECK(tunnel.error().why.message().find("verbs get and create on pods/portforward") != std::string::npos);
    CHECK(c.asked.size() == 2); // Kubernetes said so itself: the oldest transport would hear the same
}

TEST_CASE("a pod that is gone, rejected credentials and an overloaded server are told at once", "[negotiate]")
{
    cluster c;
    SECTION("404")
    {
        c.answer_to = [](const auto&) {
            return cluster::plain(404, R"({"kind":"Status","reason":"NotFound","message":"pods \"web-1\" not found","code":404})");
        };
        CHECK(c.open().error().what == failed::pod_gone);
    }
    SECTION("401")
    {
        c.answer_to = [](const auto&) { return cluster::plain(401, "Unauthorized"); };
        CHECK(c.open().error().what == failed::credentials_rejected);
        c.use(2);
        c.through->set_access(c.access);
        c.answer_to = cluster::accept;
        REQUIRE(c.open().has_value());
        CHECK(c.asked.back() == "GET websocket SPDY/3.1+portforward.k8s.io Bearer token-2");
        return;
    }
    SECTION("429")
    {
        c.answer_to = [](const auto&) {
            auto made = cluster::plain(429, "slow down");
            made.fields.add("Retry-After", "2");
            return made;
        };
        const auto tunnel = c.open();
        CHECK(tunnel.error().what == failed::busy);
        CHECK(tunnel.error().retry_after == 2s);
    }
    CHECK(c.asked.size() == 1);
}

TEST_CASE("a server that is not there is not asked in other ways", "[negotiate]")
{
    cluster c;
    SECTION("nothing listens")
    {
        c.acceptor.reset();
        const auto tunnel = c.open();
        REQUIRE(tunnel.has_error());
        CHECK(tunnel.error().what == failed::unreachable);
        CHECK(c.asked.empty());
    }
    SECTION("it is silent")
    {
        c.silent = true;
        const auto tunnel = c.open();
        REQUIRE(tunnel.has_error());
        CHECK(tunnel.error().what == failed::unreachable);
        CHECK(c.asked.size() == 1);
    }
    SECTION("it hangs up, as some proxies do: all transports are tried")
    {
        c.hang_up = true;
        const auto tunnel = c.open();
        REQUIRE(tunnel.has_error());
        CHECK(tunnel.error().what == failed::unreachable);
        CHECK(c.asked.size() == 3);
    }
}

TEST_CASE("an old server is asked for SPDY first", "[negotiate]")
{
    cluster c;
    c.through->set_server_minor(29);
    REQUIRE(c.open().has_value());
    CHECK(c.asked == std::vector<std::string>{"POST SPDY/3.1  Bearer token-1"});
}

TEST_CASE("without an address there is no tunnel yet", "[negotiate]")
{
    cluster c;
    const auto fresh = make_negotiator(c.loop.get_executor(), c.net, c.clock, *c.random, transport_choice::automatic);
    const auto tunnel = c.clock.run(fresh->open({"shop", "web-1", "uid"}, 80, c.sink));
    REQUIRE(tunnel.has_error());
    CHECK(tunnel.error().what == failed::unreachable);
}
