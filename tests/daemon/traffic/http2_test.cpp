#include "tests/daemon/traffic/told.hpp"
#include "tests/support/http2_bytes.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::test;

namespace {

using lines = std::vector<std::string>;
const std::string preface{traffic::http2_preface};

http2_fields get(const std::string& path)
{
    return {{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "web"}, {"cookie", "a=hidden"}};
}
http2_fields call(const std::string& path)
{
    return {{":method", "POST"},    {":scheme", "http"}, {":path", path}, {"content-type", "application/grpc+proto"},
            {":authority", "cart"}, {"te", "trailers"}};
}
http2_fields status(const std::string& code)
{
    return {{":status", code}, {"content-type", "text/plain"}};
}

} // namespace

TEST_CASE("streams of HTTP/2 are paired with their answers, however the bytes are cut", "[traffic]")
{
    http2_writer us, pods;
    const std::vector<said> script{
        client(joined({preface, http2_settings(), us.head(1, get("/a?q=hidden"), true), us.head(3, get("/b"), true)})),
        pod(joined({http2_settings(http2_number(3, 2) + http2_number(100, 4)), http2_frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, {}),
                    pods.head(3, status("404"), true), pods.head(1, {{":status", "103"}, {"link", "</x>"}}), pods.head(1, status("200"))})),
        client(joined(
            {http2_frame(NGHTTP2_PING, 0, 0, "12345678"), us.head_in_parts(5, {{":method", "PUT"}, {":path", "/c"}, {"host", "web"}})})),
        pod(joined({http2_padded_data(1, "hello"), http2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, http2_number(9, 4))})),
        client(joined({http2_data(5, "abc"), http2_padded_data(5, "de"), us.head(5, {{"sum", "x"}}, true)})),
        pod(joined({http2_data(1, "", true), pods.head_in_parts(5, status("201")), http2_data(5, "done", true)})),
    };
    const auto made = records_of(script);
    CHECK(made == lines{"GET /b web 404 in 0 out 0 HTTP/2 by web-0 10ms", "GET /a web 200 in 0 out 5 HTTP/2 by web-0 50ms",
                        "PUT /c web 201 in 5 out 4 HTTP/2 by web-0 30ms"});
    CHECK(same_however_cut(script, made));
}

TEST_CASE("gRPC calls are told with the status in their trailers", "[traffic]")
{
    http2_writer us, pods;
    const http2_fields fine{{"grpc-status", "0"}};
    const http2_fields refused{{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "7"}, {"grpc-message", "hidden"}};
    const std::vector<said> script{
        client(joined({preface, http2_settings(), us.head(1, call("/shop.Cart/Add")), http2_data(1, "message", true)})),
        pod(joined({http2_settings(), pods.head(1, status("200")), http2_data(1, "reply"), pods.head(1, fine, true)})),
        client(joined({us.head(3, call("/shop.Cart/Pay")), http2_data(3, "message", true)})),
        pod(pods.head(3, refused, true)),
    };
    const auto made = records_of(script);
    CHECK(made == lines{"POST /shop.Cart/Add cart 200 in 7 out 5 gRPC by web-0 10ms grpc 0",
                        "POST /shop.Cart/Pay cart 200 in 7 out 0 gRPC by web-0 10ms grpc 7"});
    CHECK(same_however_cut(script, made));
}

TEST_CASE("streams that are reset or cut off are told by whom", "[traffic]")
{
    http2_writer us, pods;
    const std::vector<said> script{
        client(joined({preface, http2_settings(), us.head(1, get("/a"), true), us.head(3, get("/b"), true), us.head(5, get("/c"), true)})),
        pod(joined({http2_settings(), pods.head(1, status("200")), http2_data(1, "ab")})),
        client(http2_reset(1)),
        pod(joined({http2_reset(3), http2_reset(99)})),
    };
    const auto made = records_of(script);
    CHECK(made == lines{"GET /a web 200 in 0 out 2 HTTP/2 by web-0 20ms cut by client",
                        "GET /b web 0 in 0 out 0 HTTP/2 by web-0 30ms cut by pod",
                        "GET /c web 0 in 0 out 0 HTTP/2 by web-0 40ms cut by pod"});
    CHECK(same_however_cut(script, made));
}

TEST_CASE("what a server pushes is unpacked, since it changes the table, and not recorded", "[traffic]")
{
    http2_writer us, pods;
    const http2_fields pushed{{":method", "GET"}, {":path", "/style.css"}, {":authority", "web"}, {"x-new", "in the table"}};
    const http2_fields after{{":status", "200"}, {"x-new", "in the table"}};
    const auto promise = [&](std::uint8_t flags, std::string before, std::string padding) {
        return http2_frame(NGHTTP2_PUSH_PROMISE, flags, 1, before + http2_number(2, 4) + pods.block(pushed) + padding);
    };
    const std::vector<said> script{
        client(joined({preface, http2_settings(), us.head(1, get("/a"), true)})),
        pod(joined({http2_settings(), promise(NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_PADDED, "\x02", "pp"),
                    promise(NGHTTP2_FLAG_END_HEADERS, "", ""), pods.head(2, after, true), pods.head(1, after, true)})),
    };
    const auto made = records_of(script);
    CHECK(made == lines{"GET /a web 200 in 0 out 0 HTTP/2 by web-0 10ms"});
    CHECK(same_however_cut(script, made));
}

TEST_CASE("an upgrade to h2c is followed, its first request being stream 1", "[traffic]")
{
    http2_writer us, pods;
    const std::vector<said> script{
        client("POST /a HTTP/1.1\r\nHost: web\r\nContent-Length: 2\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
               "HTTP2-Settings: AAMAAABk\r\n\r\nhi"),
        pod(joined({"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", http2_settings(),
                    pods.head(1, status("200")), http2_data(1, "hello", true)})),
        client(joined({preface, http2_settings(), us.head(3, get("/b"), true)})),
        pod(pods.head(3, status("204"), true)),
    };
    const auto made = records_of(script);
    CHECK(made == lines{"POST /a web 200 in 2 out 5 HTTP/2 by web-0 10ms", "GET /b web 204 in 0 out 0 HTTP/2 by web-0 10ms"});
    CHECK(same_however_cut(script, made));
}

TEST_CASE("a larger table than usual is followed", "[traffic]")
{
    http2_writer us{64 * 1024};
    std::string asked = preface + http2_settings();
    for (std::uint32_t i = 0; i < 40; ++i) {
        auto fields = get("/" + std::to_string(i));
        fields.emplace_back("x-long-" + std::to_string(i % 20), std::string(1000, 'v'));
        asked += us.head(2 * i + 1, fields, true);
    }
    watched one;
    one.say(said::by::client, asked);
    CHECK(one.log.counts().in_flight == 40);
    CHECK_FALSE(one.let_go());
}

TEST_CASE("what is no HTTP/2 is let go", "[traffic]")
{
    struct row {
        std::string what, client, pod;
    };
    http2_writer some;
    const auto head = some.head(1, get("/"), true);
    std::string bomb;
    for (int i = 0; i < 400; ++i)
        bomb += http2_frame(NGHTTP2_CONTINUATION, 0, 1, std::string{"\x00\x01x\x7f\x81\x07", 6} + std::string(1030, 'y'));
    const auto row = GENERATE_COPY(values<struct row>({
        {"another preface", preface.substr(0, 20) + "XXXX", ""},
        {"a first frame other than settings", preface + head, ""},
        {"a pod that goes on with HTTP/1", preface + http2_settings(), "HTTP/1.1 400 Bad Request\r\n\r\n"},
        {"a head that no frame continues", preface + http2_settings() + http2_frame(NGHTTP2_HEADERS, 0, 1, "\x82") + http2_settings(), ""},
        {"a continuation of nothing", preface + http2_settings() + http2_frame(NGHTTP2_CONTINUATION, 0, 1, "\x82"), ""},
        {"padding longer than its frame", preface + http2_settings() + http2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, "\x05xx"), ""},
        {"a frame too short for its prefix", preface + http2_settings() + http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_PRIORITY, 1, "xx"), ""},
        {"fields that HPACK cannot mean",
         preface + http2_settings() + http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff"), ""},
        {"a field that ends in the middle", preface + http2_settings() + http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\x40"),
         ""},
        {"a head without end", preface + http2_settings() + http2_frame(NGHTTP2_HEADERS, 0, 1, "\x82") + bomb, ""},
    }));
    INFO(row.what);
    watched one;
    one.say(said::by::client, row.client);
    if (!row.pod.empty()) one.say(said::by::pod, row.pod);
    CHECK(one.let_go());
    CHECK(one.log.counts().in_flight == 0);
    CHECK(one.records().empty());
}

TEST_CASE("streams beyond those that are followed pass unseen, and the table stays right", "[traffic]")
{
    http2_writer us, pods;
    std::string asked = preface + http2_settings();
    for (std::uint32_t i = 0; i < 300; ++i) asked += us.head(2 * i + 1, get("/" + std::to_string(i)), true);
    std::string answered = http2_settings();
    for (std::uint32_t i = 0; i < 300; ++i) answered += pods.head(2 * i + 1, status("200"), true);
    watched one;
    one.say(said::by::client, asked);
    CHECK(one.log.counts().in_flight == traffic::http2_connection::most_open);
    one.say(said::by::pod, answered);
    CHECK(one.log.counts().total() == traffic::http2_connection::most_open);
    one.say(said::by::client, us.head(999, get("/last"), true));
    one.say(said::by::pod, pods.head(999, status("200"), true));
    CHECK(one.records().back() == "GET /last web 200 in 0 out 0 HTTP/2 by  0ms");
}
