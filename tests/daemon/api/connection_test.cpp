#include "common/json_reader.hpp"
#include "tests/daemon/api/running_api.hpp"

using namespace fwd;
using namespace fwd::test;

namespace {

const std::string start = "GET /api/health HTTP/1.1\r\nHost: localhost:8080\r\n";

std::size_t count(std::string_view text, std::string_view part)
{
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

} // namespace

TEST_CASE("requests that were cut anywhere, or come together, are answered in order", "[api]")
{
    running_api daemon{{}, memory_pipe_options{.most_per_step = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{64 * 1024})}};
    const auto over = daemon.connect();
    const auto post = daemon.request("POST", "/api/v1/services", R"({"serviceName":"cart"})");
    daemon.send(*over, wire_text(post) + start + "\r\n" + wire_text(daemon.request("GET", "/api/v1/services/cart")));
    const auto text = daemon.read_for(*over, 1s);
    CHECK(count(text, "HTTP/1.1 ") == 3);
    CHECK(text.starts_with("HTTP/1.1 201"));
    CHECK_FALSE(daemon.closed);
}

TEST_CASE("a chunked body is read as any other", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect();
    daemon.send(*over, "POST /api/v1/services HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Bearer " + daemon.token +
                           "\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"servic\r\ne\r\neName\":\"cart\"}\r\n0\r\n\r\n");
    CHECK(daemon.read_for(*over, 1s).starts_with("HTTP/1.1 201"));
}

TEST_CASE("a client that waits to be asked for its body is asked", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect();
    daemon.send(*over, "POST /api/v1/services HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Bearer " + daemon.token +
                           "\r\nExpect: 100-continue\r\nContent-Length: 22\r\n\r\n");
    CHECK(daemon.read_for(*over, 1s) == "HTTP/1.1 100 Continue\r\n\r\n");
    daemon.send(*over, R"({"serviceName":"cart"})");
    CHECK(daemon.read_for(*over, 1s).starts_with("HTTP/1.1 201"));
}

TEST_CASE("Connection: close and HTTP/1.0 end the connection after the answer", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect();
    daemon.send(*over,
                GENERATE(start + "Connection: close\r\n\r\n", std::string{"GET /api/health HTTP/1.0\r\nHost: localhost:8080\r\n\r\n"}));
    CHECK(daemon.read_for(*over, 2s).find("Connection: close") != std::string::npos);
    CHECK(daemon.closed);
}

TEST_CASE("a header over 32 KiB is answered with 431, a body over 1 MiB with 413", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect();
    SECTION("header")
    {
        daemon.send(*over, start + "X: " + std::string(33 * 1024, 'a') + "\r\n\r\n");
        const auto text = daemon.read_for(*over, 2s);
        CHECK(text.starts_with("HTTP/1.1 431"));
        CHECK(text.find("too_large") != std::string::npos);
    }
    SECTION("body that says its length")
    {
        daemon.send(*over, "POST /api/v1/services HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 1048577\r\n\r\n");
        CHECK(daemon.read_for(*over, 2s).starts_with("HTTP/1.1 413"));
    }
    CHECK(daemon.closed);
}

TEST_CASE("a body of another media type is refused with 415", "[api]")
{
    running_api daemon;
    auto ask = daemon.request("POST", GENERATE(as<std::string>{}, "/api/v1/services", "/api/v1/namespaces", "/api/v1/shutdown"), "a=b");
    ask.fields.set("Content-Type", "application/x-www-form-urlencoded");
    const auto got = daemon.ask(ask);
    CHECK(got.status == 415);
    CHECK(problem_of(got).code == "unsupported_media_type");
    CHECK(daemon.engine.ended.empty());
}

TEST_CASE("what is not HTTP is answered with 400 and closed", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect();
    daemon.send(*over, GENERATE(as<std::string>{}, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "hello\r\n\r\n",
                                "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"));
    const auto text = daemon.read_for(*over, 15s);
    CHECK(text.starts_with("HTTP/1.1 400"));
    CHECK(daemon.closed);
}

TEST_CASE("a client that is slow to send its header is let go after 10 s, an idle one after 30 s", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect();
    SECTION("says nothing")
    {
        CHECK(daemon.read_for(*over, 9s).empty());
        CHECK_FALSE(daemon.closed);
        CHECK(daemon.read_for(*over, 3s).empty());
        CHECK(daemon.closed);
    }
    SECTION("a byte a second")
    {
        for (const char c : start.substr(0, 9)) {
            daemon.send(*over, {c});
            daemon.clock.advance(1s);
        }
        const auto text = daemon.read_for(*over, 4s);
        CHECK(text.starts_with("HTTP/1.1 408"));
        CHECK(daemon.closed);
    }
    SECTION("idle after a request")
    {
        daemon.send(*over, start + "\r\n");
        CHECK_FALSE(daemon.read_for(*over, 29s).empty());
        CHECK_FALSE(daemon.closed);
        CHECK(daemon.read_for(*over, 3s).empty());
        CHECK(daemon.closed);
    }
}

TEST_CASE("the 257th connection is told that there are too many, and another may come when one went", "[api]")
{
    running_api daemon;
    std::vector<std::unique_ptr<byte_stream>> all;
    for (int i = 0; i < 256; ++i) all.push_back(daemon.connect());
    const auto one_more = daemon.connect();
    CHECK(daemon.read_for(*one_more, 10ms).starts_with("HTTP/1.1 503"));
    CHECK(daemon.closed);
    all.pop_back();
    daemon.clock.advance(10ms);
    CHECK(daemon.ask_over(*daemon.connect(), daemon.request("GET", "/api/v1/info")).status == 200);
}

TEST_CASE("a client that does not read its answers holds up nobody else", "[api]")
{
    running_api daemon{{}, memory_pipe_options{.capacity = 2048}};
    const auto stuck = daemon.connect();
    std::string many;
    for (int i = 0; i < 4; ++i) many += wire_text(daemon.request("GET", "/api/v1/services"));
    daemon.send(*stuck, many);
    daemon.clock.advance(1s);
    CHECK(daemon.ask("GET", "/api/v1/info").status == 200);
    daemon.clock.advance(40s); // and is let go
    daemon.read_for(*stuck, 1s);
    CHECK(daemon.closed);
}

TEST_CASE("the next free port is taken and said where it is", "[api]")
{
    asio::io_context loop{1};
    running_api daemon;
    api::api_settings settings;
    settings.token_path = daemon.folder.path + "/state/token";
    settings.address_path = daemon.folder.path + "/second.json";
    api::server second{daemon.parts(), settings};
    REQUIRE(second.start().has_value());
    CHECK(second.port() == 8081);
    std::ifstream file{settings.address_path};
    const auto content = parse_json(std::string{std::istreambuf_iterator<char>{file}, {}});
    REQUIRE(content.has_value());
    CHECK(content->as_object().at("url").as_string() == "http://localhost:8081");
    CHECK(content->as_object().at("pid").as_int64() == 4711);
    auto end = [](api::server& of) -> awaitable<void> { co_await of.stop(); };
    daemon.clock.run(end(second));
    CHECK_FALSE(std::filesystem::exists(settings.address_path));
}

TEST_CASE("with all ports taken the daemon goes on by its socket, and without one it says so", "[api]")
{
    running_api daemon;
    api::api_settings settings;
    settings.token_path = daemon.folder.path + "/state/token";
    settings.last_port = 8080;
    const bool socket = GENERATE(true, false);
    if (socket) settings.socket_path = daemon.folder.path + "/second.sock";
    api::server second{daemon.parts(), settings};
    const auto started = second.start();
    CHECK(started.has_value() == socket);
    if (!socket) CHECK(started.error().is(errc::conflict));
    auto end = [](api::server& of) -> awaitable<void> { co_await of.stop(); };
    daemon.clock.run(end(second));
}

TEST_CASE("an address that is not loopback is refused", "[api]")
{
    running_api daemon;
    api::api_settings settings;
    settings.token_path = daemon.folder.path + "/state/token";
    settings.addresses = {GENERATE(as<std::string>{}, "0.0.0.0", "::", "10.0.0.1", "somewhere")};
    api::server second{daemon.parts(), settings};
    const auto started = second.start();
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().is(errc::invalid_request));
}

TEST_CASE("a state folder that cannot be written costs the kept token and the lock, not the API", "[api]")
{
    std::string said;
    running_api daemon;
    daemon.log.add_sink([&said](const log_line& line) { said += line.as_text() + "\n"; });
    api::api_settings settings;
    settings.token_path = "/dev/null/state/token";
    settings.lock_path = "/dev/null/state/lock";
    settings.tcp = false;
    settings.socket_path = daemon.folder.path + "/second.sock";
    api::server second{daemon.parts(), settings};
    REQUIRE(second.start().has_value());
    CHECK_THAT(said, Catch::Contains("only its Unix socket can be used") && Catch::Contains("a second daemon would not be noticed"));
    auto end = [](api::server& of) -> awaitable<void> { co_await of.stop(); };
    daemon.clock.run(end(second));
}
