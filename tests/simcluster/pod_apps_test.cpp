#include "common/text.hpp"
#include "tests/simcluster/bed.hpp"
#include "tests/simcluster/pod_app.hpp"
#include "tests/support/http2_bytes.hpp"

using namespace fwd;
using namespace fwd::simcluster;
using namespace fwd::simcluster::test;

namespace {

/// A connection inside a pod, without any tunnel.
struct dialled {
    dialled(bed& of, const std::string& service, std::uint16_t port) : here{of}
    {
        const auto pod = of.pod_of(service);
        auto outcome = of.cluster->pods().dial(pod, of.cluster->store().find(*find_type("", "pods"), pod)->uid, port);
        REQUIRE(std::holds_alternative<std::unique_ptr<pod_socket>>(outcome));
        socket = std::move(std::get<std::unique_ptr<pod_socket>>(outcome));
    }
    std::string ask(std::string_view text)
    {
        CHECK(socket->write(as_bytes(text)) == text.size());
        return read();
    }
    std::string read(std::size_t most = std::string::npos)
    {
        std::string all;
        for (auto bytes = socket->peek(); !bytes.empty() && all.size() < most; bytes = socket->peek()) {
            const auto part = bytes.first(std::min(bytes.size(), most - all.size()));
            all += as_text(part);
            socket->take(part.size());
        }
        return all;
    }
    bed& here;
    std::unique_ptr<pod_socket> socket;
};

std::string get(const std::string& target, const std::string& more = {})
{
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

std::string content(const std::string& answer)
{
    return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::string message(char type, const std::string& body)
{
    std::string made(type == 0 ? 0 : 1, type);
    const auto size = static_cast<std::uint32_t>(body.size() + 4);
    for (int shift = 24; shift >= 0; shift -= 8) made += static_cast<char>(size >> shift & 0xff);
    return made + body;
}

} // namespace

TEST_CASE("the web of a pod says who answers", "[simcluster][apps]")
{
    bed here;
    dialled web{here, "cart", 8080};
    const auto pod = here.pod_of("cart").name;
    CHECK(content(web.ask(get("/"))).starts_with("hello from " + pod + " (shop/cart) at "));
    CHECK(content(web.ask(get("/echo?a=1", "X-Test: yes\r\n"))) == "GET /echo?a=1 HTTP/1.1\nHost: x\nX-Test: yes\n");
    CHECK(web.ask(get("/status?code=503")).starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    CHECK(content(web.ask(get("/healthz"))) == "ok\n");
    CHECK(web.ask("POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello").ends_with("\r\n\r\nhello"));
    const auto& count = here.cluster->count().pods["shop/" + pod];
    CHECK(count.requests == 5);
    CHECK(count.posts == 1);
    CHECK(count.bodies == words{"hello"});
    CHECK(web.socket->now() == pod_socket::state::open);
    (void)web.ask(get("/", "Connection: close\r\n"));
    CHECK(web.socket->now() == pod_socket::state::finished);
}

TEST_CASE("a big answer has all its bytes, however slowly it is taken, and the next request waits for its end", "[simcluster][apps]")
{
    bed here;
    dialled web{here, "cart", 8080};
    CHECK(web.socket->write(as_bytes(get("/big?bytes=1000000") + get("/healthz"))) > 0);
    std::string all;
    while (true) {
        const auto part = web.read(7777);
        if (part.empty()) break;
        all += part;
        here.clock.advance(1ms);
    }
    const auto body = content(all);
    REQUIRE(body.size() > 1000000);
    CHECK(body.substr(0, 27) == "abcdefghijklmnopqrstuvwxyza");
    CHECK(body.substr(1000000).starts_with("HTTP/1.1 200 OK"));
    CHECK(body.ends_with("ok\n"));
    const auto chunked = content(web.ask(get("/big?bytes=70000&chunked=1")));
    CHECK(chunked.starts_with("10000\r\nabc"));
    CHECK(chunked.ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("a slow answer takes its time", "[simcluster][apps]")
{
    bed here;
    dialled web{here, "cart", 8080};
    CHECK(web.ask(get("/slow?ms=300&parts=2")).ends_with("\r\n\r\n"));
    here.clock.advance(299ms);
    CHECK(web.read().empty());
    here.clock.advance(2ms);
    CHECK(web.read().find("slept 300 ms (1)") != std::string::npos);
    here.clock.advance(300ms);
    CHECK(web.read().ends_with("(2)\n\r\n0\r\n\r\n"));
}

TEST_CASE("the database answers psql's first questions", "[simcluster][apps]")
{
    bed here;
    dialled db{here, "db", 5432};
    CHECK(db.ask(message(0, {"\x04\xd2\x16\x2f", 4})) == "N"); // SSLRequest
    const auto started = db.ask(message(0, std::string{"\x00\x03\x00\x00user\0postgres\0\0", 19}));
    CHECK(started.starts_with(message('R', std::string(4, '\0'))));
    CHECK(started.ends_with(message('Z', "I")));
    const auto simple = db.ask(message('Q', std::string{"select 1;"} + '\0'));
    CHECK(simple.find(message('D', std::string{"\x00\x01\x00\x00\x00\x01\x31", 7})) != std::string::npos);
    CHECK(simple.ends_with(message('C', std::string{"SELECT 1"} + '\0') + message('Z', "I")));
    const auto extended = db.ask(message('P', std::string{"\0select 'a'\0\0\0", 14}) + message('B', std::string(8, '\0')) +
                                 message('D', std::string{"P\0", 2}) + message('E', std::string(5, '\0')) + message('S', ""));
    CHECK(extended.starts_with(message('1', "") + message('2', "")));
    CHECK(extended.find(message('D', std::string{"\x00\x01\x00\x00\x00\x01\x61", 7})) != std::string::npos);
    CHECK(extended.ends_with(message('Z', "I")));
    CHECK(db.ask(message('Q', std::string{"drop table x"} + '\0')).starts_with("E"));
    (void)db.ask(message('X', ""));
    CHECK(db.socket->now() == pod_socket::state::finished);
}

TEST_CASE("the cache keeps what it is given", "[simcluster][apps]")
{
    bed here;
    dialled cache{here, "cache", 6379};
    CHECK(cache.ask("*1\r\n$4\r\nPING\r\n") == "+PONG\r\n");
    CHECK(cache.ask("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\nbc\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n") == "+OK\r\n$2\r\nbc\r\n");
    CHECK(cache.ask("*2\r\n$3\r\nG").empty());
    CHECK(cache.ask("ET\r\n$1\r\nz\r\n") == "$-1\r\n");
    dialled other{here, "cache", 6379};
    CHECK(other.ask("DEL a\r\n") == ":1\r\n");
    CHECK(cache.ask("get a\r\n") == "$-1\r\n");
    CHECK(cache.ask("*1\r\n$x\r\n").starts_with("-ERR"));
}

TEST_CASE("a pod that speaks HTTP/2 without TLS answers pages and calls", "[simcluster][apps]")
{
    namespace h2 = fwd::test;
    bed here;
    auto app = make_pod_app("h2c", here.cluster->pods(), {here.pod_of("web"), "web", "10.0.0.1", 9000});
    h2::http2_writer us;
    const h2::http2_fields page{{":method", "GET"}, {":scheme", "http"}, {":path", "/page"}, {":authority", "web"}};
    const h2::http2_fields call{
        {":method", "POST"}, {":scheme", "http"}, {":path", "/s/Fail"}, {":authority", "web"}, {"content-type", "application/grpc"}};
    const auto said = h2::joined({"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", h2::http2_settings(), us.head(1, page, true), us.head(3, call),
                                  h2::http2_data(3, "12345", true)});
    CHECK(app->write(as_bytes(said)) == said.size());
    const std::string answer{as_text(app->peek())};
    CHECK_THAT(answer, Catch::Contains("h2c /page from " + here.pod_of("web").name));
    CHECK(app->now() == pod_socket::state::open);
    CHECK(app->write(as_bytes("GET / HTTP/1.1\r\n\r\n")) == 18);
    CHECK(app->now() == pod_socket::state::finished);
}

TEST_CASE("a source waits a moment to be told how much", "[simcluster][apps]")
{
    bed here;
    dialled counted{here, "source", 7002};
    CHECK(counted.ask("100000\n").size() == 100000);
    CHECK(counted.socket->now() == pod_socket::state::finished);
    dialled endless{here, "source", 7002};
    CHECK(endless.read().empty());
    here.clock.advance(201ms);
    CHECK(endless.read(3000000).size() == 3000000);
}

TEST_CASE("a pod that stops reading takes what its socket holds, and no more", "[simcluster][apps]")
{
    bed here;
    const auto pod = here.pod_of("sink");
    dialled sink{here, "sink", 7001};
    const std::string much(1000000, 'x');
    CHECK(sink.socket->write(as_bytes(much)) == much.size());
    here.cluster->pods().set_stalled(pod, true);
    const auto taken = sink.socket->write(as_bytes(much));
    CHECK(taken < much.size());
    CHECK(sink.socket->write(as_bytes(much)) == 0);
    bool told = false;
    sink.socket->on_change([&] { told = true; });
    here.cluster->pods().set_stalled(pod, false);
    here.clock.advance(1ms);
    CHECK(told);
    CHECK(sink.socket->write(as_bytes(much)) == much.size());
}
