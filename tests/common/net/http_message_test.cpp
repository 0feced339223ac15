#include "common/net/http_message.hpp"

#include "common/net/byte_stream.hpp"

#include <catch2/catch.hpp>

using namespace fwd;

namespace {

http_parser request_parser(http_limits limits = {})
{
    return {http_parser::role::request, limits};
}
http_parser response_parser(http_limits limits = {}, bool head = false)
{
    return {http_parser::role::response, limits, head};
}

/// Feeds all of `text`; what is left behind the message's end is returned.
std::string_view feed_all(http_parser& parser, std::string_view text)
{
    while (!text.empty() && !parser.done()) {
        auto used = parser.feed(as_bytes(text));
        REQUIRE(used.has_value());
        text.remove_prefix(*used);
    }
    return text;
}

constexpr std::string_view chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
                                     "5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\nX-A: late\r\nTrailer: yes\r\n\r\n";
constexpr std::string_view posted = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";

} // namespace

TEST_CASE("a chunked answer is whole however the bytes were cut", "[http]")
{
    const auto cut = GENERATE(range(std::size_t{1}, chunked.size()));
    auto parser = response_parser();
    CHECK(feed_all(parser, chunked.substr(0, cut)).empty());
    CHECK_FALSE(parser.done());
    CHECK(feed_all(parser, chunked.substr(cut)).empty());
    REQUIRE(parser.done());
    CHECK(parser.take_body() == "hello, world");
    CHECK(parser.response().status == 200);
    CHECK(parser.response().reason == "OK");
    CHECK(parser.keep_alive());
}

TEST_CASE("a request is whole when its bytes come one by one", "[http]")
{
    auto parser = request_parser();
    CHECK_FALSE(parser.started());
    std::string body;
    for (const char c : posted) {
        auto used = parser.feed(as_bytes({&c, 1}));
        REQUIRE(used.has_value());
        CHECK(*used == 1);
        body += parser.take_body();
    }
    CHECK(parser.started());
    REQUIRE(parser.done());
    CHECK(parser.request().method == "POST");
    CHECK(parser.request().target == "/a?b=c");
    CHECK(parser.request().fields.get("host") == "x");
    CHECK(body == "body");
}

TEST_CASE("feeding stops behind the header and behind the message", "[http]")
{
    auto parser = request_parser();
    const std::string two = std::string{posted} + "GET /next HTTP/1.1\r\n\r\n";
    auto used = parser.feed(as_bytes(two));
    REQUIRE(used.has_value());
    CHECK(*used == posted.size() - 4);
    CHECK(parser.header_done());
    CHECK_FALSE(parser.done());
    CHECK(feed_all(parser, std::string_view{two}.substr(*used)) == "GET /next HTTP/1.1\r\n\r\n");
    CHECK(parser.done());
}

TEST_CASE("trailers do not change the header", "[http]")
{
    auto parser = response_parser();
    feed_all(parser, chunked);
    CHECK(parser.response().fields.get("X-A") == "b");
    CHECK_FALSE(parser.response().fields.has("Trailer"));
}

TEST_CASE("a body without length ends when the peer closes", "[http]")
{
    auto parser = response_parser();
    feed_all(parser, "HTTP/1.1 200 OK\r\n\r\nall of");
    feed_all(parser, " it");
    CHECK_FALSE(parser.done());
    CHECK(parser.feed_end().has_value());
    CHECK(parser.done());
    CHECK(parser.take_body() == "all of it");
    CHECK_FALSE(parser.keep_alive());
}

TEST_CASE("a connection that closes too early is an error", "[http]")
{
    const auto* text = GENERATE("", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    auto parser = response_parser();
    feed_all(parser, text);
    auto ended = parser.feed_end();
    REQUIRE(ended.has_error());
    CHECK(ended.error().is(errc::closed));
}

TEST_CASE("answers that never have a body end with their header", "[http]")
{
    SECTION("204")
    {
        CHECK_NOTHROW([] {
            auto p = response_parser();
            feed_all(p, "HTTP/1.1 204 No Content\r\n\r\n");
            REQUIRE(p.done());
        }());
    }
    SECTION("304 with a length")
    {
        auto parser = response_parser();
        feed_all(parser, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n");
        CHECK(parser.done());
    }
    SECTION("to HEAD")
    {
        auto parser = response_parser({}, true);
        feed_all(parser, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
        CHECK(parser.done());
    }
    SECTION("101, and what follows is not HTTP")
    {
        auto parser = response_parser();
        CHECK(feed_all(parser, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n\x01\x02") == "\x01\x02");
        CHECK(parser.done());
        CHECK(parser.upgraded());
    }
}

TEST_CASE("limits are held", "[http]")
{
    const http_limits limits{.header = 200, .body = 10};
    SECTION("header")
    {
        auto parser = request_parser(limits);
        auto used = parser.feed(as_bytes("GET / HTTP/1.1\r\nX: " + std::string(300, 'a') + "\r\n\r\n"));
        REQUIRE(used.has_error());
        CHECK(used.error().is(errc::too_large));
        CHECK(used.error().context == "header");
    }
    SECTION("header without an end, in pieces")
    {
        auto parser = request_parser(limits);
        REQUIRE(parser.feed(as_bytes("GET / HTTP/1.1\r\n")).has_value());
        result<std::size_t> used = std::size_t{0};
        for (int i = 0; i < 100 && used.has_value(); ++i) used = parser.feed(as_bytes("X: aaaaaaa\r\n"));
        REQUIRE(used.has_error());
        CHECK(used.error().is(errc::too_large));
    }
    SECTION("announced body")
    {
        auto parser = request_parser(limits);
        auto used = parser.feed(as_bytes("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"));
        REQUIRE(used.has_error());
        CHECK(used.error().context == "body");
    }
    SECTION("chunked body")
    {
        auto parser = request_parser(limits);
        const std::string_view text = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsixsix\r\n6\r\nsixsix\r\n";
        auto used = parser.feed(as_bytes(text));
        REQUIRE(used.has_value());
        auto rest = text.substr(*used);
        while (used.has_value() && !rest.empty()) {
            used = parser.feed(as_bytes(rest));
            if (used) rest.remove_prefix(*used);
        }
        REQUIRE(used.has_error());
        CHECK(used.error().is(errc::too_large));
        CHECK(used.error().context == "body");
    }
}

TEST_CASE("what is not HTTP is refused", "[http]")
{
    const auto* text =
        GENERATE("\x16\x03\x01 hello there, this is TLS\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nA b\r\n\r\n",
                 "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                 "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n");
    auto parser = request_parser();
    auto used = parser.feed(as_bytes(text));
    REQUIRE(used.has_error());
    CHECK(used.error().is(errc::protocol_error));
}

TEST_CASE("keep-alive follows version and Connection", "[http]")
{
    const auto [text, alive] = GENERATE(table<const char*, bool>({{"GET / HTTP/1.1\r\n\r\n", true},
                                                                  {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false},
                                                                  {"GET / HTTP/1.0\r\n\r\n", false},
                                                                  {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true}}));
    auto parser = request_parser();
    feed_all(parser, text);
    CHECK(parser.keep_alive() == alive);
}

TEST_CASE("messages are written with the length they need", "[http]")
{
    http_request get;
    get.fields.add("Host", "a");
    CHECK(wire_text(get) == "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    http_request post;
    post.method = "POST";
    CHECK(wire_text(post) == "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    post.body = "abc";
    CHECK(wire_text(post) == "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    http_response ok;
    ok.body = "hi";
    CHECK(wire_text(ok) == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    CHECK(wire_header(ok) == "HTTP/1.1 200 OK\r\n\r\n");
    ok.status = 204;
    ok.body.clear();
    CHECK(wire_text(ok) == "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("no value can begin another line", "[http]")
{
    http_request sly;
    sly.target = "/a b\r\nX: y";
    sly.fields.add("A", "1\r\nB: 2");
    CHECK(wire_text(sly) == "GET /a%20b%0D%0AX:%20y HTTP/1.1\r\nA: 1  B: 2\r\n\r\n");
}

TEST_CASE("fields are found without regard to case, and lists by token", "[http]")
{
    http_fields fields;
    fields.add("Connection", "keep-alive, Upgrade");
    fields.add("X", "1");
    fields.add("x", "2");
    CHECK(fields.lists("connection", "upgrade"));
    CHECK_FALSE(fields.lists("connection", "up"));
    CHECK(fields.get("X") == "1");
    fields.set("x", "3");
    CHECK(fields.get("X") == "3");
    CHECK(std::distance(fields.begin(), fields.end()) == 2);
    CHECK_FALSE(fields.has("Y"));
}

TEST_CASE("a target is split before it is decoded", "[http]")
{
    auto target = parse_target("/api/v1/services/a%2Fb%3Ac?x=1%262&name=a+b&flag&&empty=");
    REQUIRE(target.has_value());
    CHECK(target->segments == std::vector<std::string>{"api", "v1", "services", "a/b:c"});
    CHECK(target->path == "/api/v1/services/a%2Fb%3Ac");
    CHECK(target->parameter("x") == "1&2");
    CHECK(target->parameter("name") == "a b");
    CHECK(target->parameter("flag") == "");
    CHECK(target->parameter("empty") == "");
    CHECK_FALSE(target->parameter("other").has_value());

    CHECK(parse_target("/")->segments.empty());
    CHECK(parse_target("/a/")->segments == std::vector<std::string>{"a"});
    CHECK(parse_target("/a//b")->segments == std::vector<std::string>{"a", "", "b"});
    CHECK(parse_target("http://host:1/a?b=c")->segments == std::vector<std::string>{"a"});
    CHECK(parse_target("http://host")->path == "/");
}

TEST_CASE("bad percent escapes in a target are refused", "[http]")
{
    const auto* text = GENERATE("/a%", "/a%2", "/%zz", "/a?b=%", "/a?%g0=1");
    auto target = parse_target(text);
    REQUIRE(target.has_error());
    CHECK(target.error().is(errc::invalid_request));
}
