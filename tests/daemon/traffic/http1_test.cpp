#include "tests/daemon/traffic/told.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::test;

namespace {

using lines = std::vector<std::string>;

std::string get(const std::string& path)
{
    return "GET " + path + " HTTP/1.1\r\nHost: web\r\nAccept: */*\r\n\r\n";
}
std::string ok(const std::string& body, const std::string& status = "200 OK")
{
    return fmt::format("HTTP/1.1 {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

} // namespace

TEST_CASE("requests of HTTP/1 are paired with their answers, however the bytes are cut", "[traffic]")
{
    struct row {
        std::string what;
        std::vector<said> script;
        lines made;
    };
    const auto row = GENERATE(values<struct row>({
        {"one", {client(get("/")), pod(ok("hello"))}, {"GET / web 200 in 0 out 5 HTTP/1.1 by web-0 10ms"}},
        {"kept alive",
         {client(get("/a")), pod(ok("1")), client(get("/b")), pod(ok("22", "404 Not Found"))},
         {"GET /a web 200 in 0 out 1 HTTP/1.1 by web-0 10ms", "GET /b web 404 in 0 out 2 HTTP/1.1 by web-0 10ms"}},
        {"pipelined",
         {client(get("/a") + get("/b")), client(get("/c")), pod(ok("1") + ok("22")), pod(ok("333"))},
         {"GET /a web 200 in 0 out 1 HTTP/1.1 by web-0 20ms", "GET /b web 200 in 0 out 2 HTTP/1.1 by web-0 20ms",
          "GET /c web 200 in 0 out 3 HTTP/1.1 by web-0 20ms"}},
        {"with a body each",
         {client("POST /in HTTP/1.1\r\nContent-Length: 4\r\nHOST: web:8080\r\n\r\nGET "), pod(ok("HTTP/1.1 500 no\r\n\r\n"))},
         {"POST /in web:8080 200 in 4 out 19 HTTP/1.1 by web-0 10ms"}},
        {"HEAD has no body, whatever it says",
         {client("HEAD /a HTTP/1.1\r\n\r\n"), pod("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"), client(get("/b")), pod(ok("x"))},
         {"HEAD /a - 200 in 0 out 0 HTTP/1.1 by web-0 10ms", "GET /b web 200 in 0 out 1 HTTP/1.1 by web-0 10ms"}},
        {"204 and 304 have none",
         {client(get("/a")), pod("HTTP/1.1 204 No Content\r\n\r\n"), client(get("/b")),
          pod("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), client(get("/c")), pod(ok("x"))},
         {"GET /a web 204 in 0 out 0 HTTP/1.1 by web-0 10ms", "GET /b web 304 in 0 out 0 HTTP/1.1 by web-0 10ms",
          "GET /c web 200 in 0 out 1 HTTP/1.1 by web-0 10ms"}},
        {"1xx comes before the answer",
         {client("PUT /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"), pod("HTTP/1.1 100 Continue\r\n\r\n"),
          client("ab"), pod("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("x", "201 Created"))},
         {"PUT /a - 201 in 2 out 1 HTTP/1.1 by web-0 30ms"}},
        {"chunked, with extensions and trailers",
         {client("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nSum: 1\r\n\r\n" +
                 get("/b")),
          pod("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" + ok("yy"))},
         {"POST /a - 200 in 13 out 1 HTTP/1.1 by web-0 10ms", "GET /b web 200 in 0 out 2 HTTP/1.1 by web-0 10ms"}},
        {"an answer to the end of the connection",
         {client("GET /a HTTP/1.0\r\n\r\n"), pod("HTTP/1.0 200 OK\r\n\r\nall of"), pod(" it")},
         {"GET /a - 200 in 0 out 9 HTTP/1.0 by web-0 30ms"}},
        {"a coding that is not chunked goes to the end too",
         {client(get("/a")), pod("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nabcdef")},
         {"GET /a web 200 in 0 out 6 HTTP/1.1 by web-0 20ms"}},
        {"an answer before the request is said",
         {client("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n1234"), pod(ok("too big", "413 Content Too Large")), client("567890"),
          client(get("/b")), pod(ok("x"))},
         {"POST /a - 413 in 4 out 7 HTTP/1.1 by web-0 10ms", "GET /b web 200 in 0 out 1 HTTP/1.1 by web-0 10ms"}},
        {"no answer",
         {client(get("/a") + get("/b")), pod("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")},
         {"GET /a web 200 in 0 out 3 HTTP/1.1 by web-0 20ms cut by pod", "GET /b web 0 in 0 out 0 HTTP/1.1 by web-0 20ms cut by pod"}},
        {"another protocol after 101 or CONNECT",
         {client("GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
          pod("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"), client(get("/no"))},
         {"GET /ws - 101 in 0 out 0 HTTP/1.1 by web-0 10ms"}},
        {"a tunnel",
         {client("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n"), pod("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"),
          client(get("/no"))},
         {"CONNECT db:5432 db:5432 200 in 0 out 0 HTTP/1.1 by web-0 10ms"}},
        {"a CONNECT that is refused",
         {client("CONNECT db:5432 HTTP/1.1\r\n\r\n"), pod(ok("no", "403 Forbidden")), client(get("/a")), pod(ok("x"))},
         {"CONNECT db:5432 - 403 in 0 out 2 HTTP/1.1 by web-0 10ms", "GET /a web 200 in 0 out 1 HTTP/1.1 by web-0 10ms"}},
        {"lines that end in LF alone, empty ones between, fields that are folded",
         {client("GET /a HTTP/1.1\nX: 1\n  more: 2\nHost: web\n\n\r\n" + get("/b")),
          pod("HTTP/1.1 200 OK\nContent-Length: 1\n\nx" + ok("yy"))},
         {"GET /a web 200 in 0 out 1 HTTP/1.1 by web-0 10ms", "GET /b web 200 in 0 out 2 HTTP/1.1 by web-0 10ms"}},
        {"equal lengths",
         {client("PUT /a HTTP/1.1\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nab"), pod(ok("x"))},
         {"PUT /a - 200 in 2 out 1 HTTP/1.1 by web-0 10ms"}},
    }));
    INFO(row.what);
    const auto made = records_of(row.script);
    CHECK(made == row.made);
    CHECK(same_however_cut(row.script, made));
}

TEST_CASE("secrets of a request never reach its record", "[traffic]")
{
    const std::vector<said> script{
        client(
            "GET http://ann:pass@web:80/in;jsessionid=7/x;v=1?token=hidden#part HTTP/1.1\r\nHost: web\r\nAuthorization: Bearer hidden\r\n"
            "Cookie: a=hidden\r\n\r\n"),
        pod(ok("hidden"))};
    const auto made = records_of(script);
    CHECK(made == lines{"GET /in/x web:80 200 in 0 out 6 HTTP/1.1 by web-0 10ms"});
    CHECK(records_of({client("GET /caf\xc3\xa9/\x1b[31m HTTP/1.1\r\nHost: a@we\x07"
                             "b\r\n\r\n"),
                      pod(ok(""))}) == lines{"GET /caf%C3%A9/%1B[31m we%07b 200 in 0 out 0 HTTP/1.1 by web-0 10ms"});
    CHECK(records_of({client("OPTIONS * HTTP/1.1\r\n\r\n"), pod(ok(""))}) == lines{"OPTIONS * - 200 in 0 out 0 HTTP/1.1 by web-0 10ms"});
    CHECK(records_of({client("GET http://web?q=hidden HTTP/1.1\r\n\r\n"), pod(ok(""))}) ==
          lines{"GET / web 200 in 0 out 0 HTTP/1.1 by web-0 10ms"});
}

TEST_CASE("what is not HTTP, or not understood, is let go and leaves no record", "[traffic]")
{
    struct row {
        std::string what;
        std::vector<said> script;
    };
    const auto row = GENERATE(values<struct row>({
        {"the pod speaks first", {pod("220 mail ready\r\n"), client("EHLO x\r\n")}},
        {"redis", {client("*1\r\n$4\r\nPING\r\n"), pod("+PONG\r\n")}},
        {"inline redis", {client("PING\r\n"), pod("+PONG\r\n")}},
        {"postgres", {client(std::string{"\0\0\0\x08\x04\xd2\x16\x2f", 8}), pod("N")}},
        {"amqp", {client(std::string{"AMQP\0\0\x09\x01", 8}), pod("x")}},
        {"ssh", {client("SSH-2.0-OpenSSH_9.2\r\n"), pod("SSH-2.0-x\r\n")}},
        {"a request without a version", {client("GET /\r\n"), pod("hello")}},
        {"another version", {client("GET / HTTP/2.0\r\n\r\n"), pod("x")}},
        {"a method that never ends", {client(std::string(64, 'A')), pod("x")}},
        {"a line that never ends", {client("GET /" + std::string(9000, 'a')), pod("x")}},
        {"an answer that is none", {client(get("/")), pod("hello there\r\n\r\n")}},
        {"an answer to nothing", {client(get("/")), pod(ok("a") + ok("b")), client(get("/"))}},
        {"lengths that contradict each other",
         {client("PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc"), pod(ok(""))}},
        {"a length that is no number", {client("PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\nabc"), pod(ok(""))}},
        {"a request with a coding but chunked", {client("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc"), pod(ok(""))}},
        {"chunks that are none", {client("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), pod(ok(""))}},
        {"a chunk beyond all numbers", {client("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"), pod(ok(""))}},
    }));
    INFO(row.what);
    watched one;
    for (const auto& step : row.script) one.say(step.who, step.bytes);
    CHECK(one.let_go());
    CHECK(one.log.counts().in_flight == 0);
    const auto made = records_of(row.script);
    CHECK(made.size() == (row.what == "an answer to nothing" ? 1 : 0));
    CHECK(same_however_cut(row.script, made));
}

TEST_CASE("a long field or path does not end the reading", "[traffic]")
{
    const std::string cookie(20'000, 'c');
    const std::vector<said> script{client("GET /" + std::string(600, 'p') + " HTTP/1.1\r\nCookie: " + cookie + "\r\nHost: web\r\n\r\n"),
                                   pod(ok("x"))};
    const auto made = records_of(script);
    REQUIRE(made.size() == 1);
    CHECK(made[0] == "GET /" + std::string(508, 'p') + "... web 200 in 0 out 1 HTTP/1.1 by web-0 10ms");
    for (const std::size_t most : {1, 100, 8191, 8192, 8193}) CHECK(records_of(script, {.most = most}) == made);
}

TEST_CASE("more requests ahead of their answers than are followed let the connection go", "[traffic]")
{
    watched one;
    std::string many;
    for (int i = 0; i < 129; ++i) many += get("/");
    one.say(said::by::client, many);
    CHECK(one.let_go());
    CHECK(one.log.counts().in_flight == 0);
}

TEST_CASE("bodies are passed over without being shown", "[traffic]")
{
    watched one;
    one.say(said::by::client, "PUT /a HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    const iovec unreadable{nullptr, 999'999}; // inside the body nobody may look
    one.watch.client_said({&unreadable, 1}, 999'999);
    one.say(said::by::client, "x");
    one.say(said::by::pod, "HTTP/1.1 200 OK\r\n\r\n");
    one.watch.pod_said({&unreadable, 1}, 999'999);
    one.watch.pod_ended();
    CHECK(one.records() == lines{"PUT /a - 200 in 1000000 out 999999 HTTP/1.1 by  0ms"});
}

TEST_CASE("only the first bytes of the pieces count", "[traffic]")
{
    watched one;
    std::string a = "GET / HT", b = "TP/1.1\r\n\r\nGARBAGE";
    const std::array<iovec, 2> pieces{iovec{a.data(), a.size()}, iovec{b.data(), b.size()}};
    one.watch.client_said(pieces, a.size() + 10);
    one.say(said::by::pod, ok(""));
    CHECK(one.records().size() == 1);
    CHECK_FALSE(one.let_go());
}

TEST_CASE("a connection that ends with the client or with us is told so", "[traffic]")
{
    watched one;
    one.watch.served_by("web-1");
    one.say(said::by::client, get("/slow"));
    CHECK(one.log.counts().in_flight == 1);
    one.watch.over(traffic::cut_by::client);
    CHECK(one.records() == lines{"GET /slow web 0 in 0 out 0 HTTP/1.1 by web-1 0ms cut by client"});
    CHECK(one.let_go());
    CHECK(one.log.counts().in_flight == 0);
}
