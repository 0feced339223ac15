#include "common/net/dialer.hpp"

#include "common/async/suspend.hpp"
#include "common/net/byte_stream.hpp"
#include "common/net/http_client.hpp"
#include "common/text.hpp"
#include "tests/common/net/certificates.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace fwd;
using stream_ptr = std::unique_ptr<data_stream>;

namespace {

const test::authority& our_authority()
{
    static const test::authority only{"test authority"};
    return only;
}

std::shared_ptr<tls_context> server_context()
{
    test::subject who;
    who.cn = "server";
    who.alternative_names = "DNS:server.test,DNS:proxy.test";
    const auto identity = our_authority().issue(who);
    tls_server_settings settings;
    settings.certificate_pem = identity.certificate_pem;
    settings.key_pem = identity.key_pem;
    return make_tls_server_context(settings).value();
}

endpoint at(const char* ip, std::uint16_t port)
{
    return {asio::ip::make_address(ip), port};
}

/// A network in memory with a server and a proxy that follows a script.
struct bed {
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    test::memory_network net{loop.get_executor()};
    dialer dial{net, clock};
    std::string seen; ///< what the far end read before it answered

    bed()
    {
        net.hosts["server.test"] = {asio::ip::make_address("10.0.0.1")};
        net.hosts["proxy.test"] = {asio::ip::make_address("10.0.0.9")};
    }

    /// Lets the conversations see that the other side went, and end.
    ~bed() { clock.settle(); }

    /// Listens and plays `conversation` with the first that comes.
    template <class F>
    void play(endpoint where, F conversation)
    {
        auto listening = net.listen(where, {}).value();
        asio::co_spawn(loop, serve(std::move(listening), std::move(conversation)), asio::detached);
    }

    result<stream_ptr> go(dial_target target) { return clock.run(dial.dial(std::move(target))); }

    std::string failure(dial_target target, errc kind)
    {
        auto made = go(std::move(target));
        REQUIRE(made.has_error());
        CHECK(made.error().is(kind));
        return made.error().message();
    }

private:
    template <class F>
    static awaitable<void> serve(std::unique_ptr<acceptor> listening, F conversation)
    {
        auto got = listening->try_accept();
        while (got.has_value() && !got->has_value()) {
            const auto begin = [&](waker wake) { listening->wait([wake] { wake(); }); };
            co_await suspend(begin, {});
            got = listening->try_accept();
        }
        auto keep = std::move(got.value()->stream);
        co_await conversation(std::move(keep));
    }
};

awaitable<std::string> read_text(byte_stream& from)
{
    std::array<std::byte, 2000> chunk;
    const auto got = (co_await from.read_some(chunk)).value();
    co_return std::string{as_text(std::span{chunk}.first(got))};
}

dial_target plain(const char* host = "server.test")
{
    dial_target target;
    target.host = host;
    return target;
}

dial_target by_proxy(const char* url, const char* host = "server.test")
{
    auto target = plain(host);
    target.proxy = proxy_address::parse(url).value();
    return target;
}

/// Notes what it reads and answers with the script's lines in turn; what is said after them is answered with "hello".
auto script(std::string& seen, std::vector<std::string> answers)
{
    return [&seen, answers = std::move(answers)](stream_ptr stream) -> awaitable<void> {
        auto over = make_byte_stream(std::move(stream));
        for (const auto& answer : answers) {
            seen += co_await read_text(*over);
            (co_await over->write_all(as_bytes(answer))).value();
        }
        if ((co_await read_text(*over)).empty()) co_return;
        (co_await over->write_all(as_bytes("hello"))).value();
        co_await read_text(*over); // until the other side goes
    };
}

std::string greeting(bed& here, stream_ptr stream)
{
    auto over = make_byte_stream(std::move(stream));
    here.clock.run(over->write_all(as_bytes("?"))).value();
    return here.clock.run(read_text(*over));
}

} // namespace

TEST_CASE("a dial tries each address in turn", "[dialer]")
{
    bed here;
    here.net.hosts["server.test"] = {asio::ip::make_address("10.0.0.2"), asio::ip::make_address("10.0.0.3"),
                                     asio::ip::make_address("10.0.0.1")};
    here.net.black_holes[at("10.0.0.3", 443)] = true;
    here.play(at("10.0.0.1", 443), script(here.seen, {}));
    auto made = here.go(plain());
    REQUIRE(made.has_value());
    CHECK(greeting(here, std::move(*made)) == "hello");
}

TEST_CASE("each stage of a dial names itself when it fails", "[dialer]")
{
    bed here;
    SECTION("name")
    {
        CHECK_THAT(here.failure(plain("nowhere.test"), errc::dns_failed), Catch::Matchers::Contains("nowhere.test"));
    }
    SECTION("refused")
    {
        CHECK(here.failure(plain(), errc::refused) == "connect 10.0.0.1:443: connection refused");
    }
    SECTION("no answer")
    {
        here.net.black_holes[at("10.0.0.1", 443)] = true;
        CHECK(here.failure(plain(), errc::timed_out) == "connect 10.0.0.1:443: no answer within 10 s");
    }
    SECTION("TLS refused")
    {
        here.play(at("10.0.0.1", 443), script(here.seen, {"HTTP/1.1 400 Bad Request\r\n\r\n"}));
        auto target = plain();
        target.tls = make_tls_client_context({.ca_pem = our_authority().pem()}).value();
        CHECK(here.failure(target, errc::tls_failed) == "connect server.test:443: the peer does not speak TLS");
    }
    SECTION("TLS silent")
    {
        here.play(at("10.0.0.1", 443), [](stream_ptr stream) -> awaitable<void> {
            auto over = make_byte_stream(std::move(stream));
            while (!(co_await read_text(*over)).empty()) {}
        });
        auto target = plain();
        target.tls = make_tls_client_context({.ca_pem = our_authority().pem()}).value();
        CHECK(here.failure(target, errc::timed_out) == "connect server.test:443: TLS handshake: no answer in time");
    }
}

TEST_CASE("TLS is spoken to the host, under the name that was asked for", "[dialer]")
{
    bed here;
    const auto context = server_context();
    here.play(at("10.0.0.1", 443), [&](stream_ptr stream) -> awaitable<void> {
        auto secured = co_await tls_accept(context, std::move(stream));
        if (!secured) co_return;
        auto hello = script(here.seen, {});
        co_await hello(std::move(*secured));
    });
    auto target = plain("10.0.0.1");
    target.tls = make_tls_client_context({.ca_pem = our_authority().pem()}).value();
    SECTION("given")
    {
        target.tls_name = "server.test";
        auto made = here.go(target);
        REQUIRE(made.has_value());
        CHECK(tls_facts_of(**made).has_value());
        CHECK(greeting(here, std::move(*made)) == "hello");
    }
    SECTION("not given")
    {
        CHECK(here.failure(target, errc::tls_failed) ==
              "connect 10.0.0.1:443: certificate is valid for server.test, proxy.test, not 10.0.0.1");
    }
}

TEST_CASE("an HTTP proxy is asked to connect, and never given our lookup", "[dialer]")
{
    bed here;
    here.play(at("10.0.0.9", 3128), script(here.seen, {"HTTP/1.1 200 Connection established\r\n\r\n"}));
    SECTION("without credentials")
    {
        auto made = here.go(by_proxy("http://proxy.test:3128", "inside.only"));
        REQUIRE(made.has_value());
        CHECK(greeting(here, std::move(*made)) == "hello");
        CHECK(here.seen == "CONNECT inside.only:443 HTTP/1.1\r\nHost: inside.only:443\r\n\r\n");
    }
    SECTION("with credentials")
    {
        auto made = here.go(by_proxy("http://jane:p%40ss@proxy.test:3128"));
        REQUIRE(made.has_value());
        CHECK_THAT(here.seen, Catch::Matchers::Contains("Proxy-Authorization: Basic " + base64(as_bytes("jane:p@ss")) + "\r\n"));
    }
}

TEST_CASE("an HTTP proxy's refusal is told without the password", "[dialer]")
{
    bed here;
    const auto [answer, words] = GENERATE(table<const char*, const char*>(
        {{"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407 Proxy Authentication Required"},
         {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "it refused CONNECT server.test:443 with 502 Bad Gateway"},
         {"nonsense\r\n\r\n", "HTTP"}}));
    here.play(at("10.0.0.9", 80), script(here.seen, {answer}));
    const auto text = here.failure(by_proxy("http://jane:secret@proxy.test"), errc::proxy_failed);
    CHECK_THAT(text, Catch::Matchers::StartsWith("proxy http://proxy.test:80: ") && Catch::Matchers::Contains(words));
    CHECK(text.find("secret") == std::string::npos);
}

TEST_CASE("a proxy that cannot be reached or is silent is a proxy failure", "[dialer]")
{
    bed here;
    SECTION("refused")
    {
        CHECK(here.failure(by_proxy("http://proxy.test"), errc::proxy_failed) ==
              "proxy http://proxy.test:80: connect 10.0.0.9:80: connection refused");
    }
    SECTION("silent")
    {
        here.play(at("10.0.0.9", 80), [](stream_ptr stream) -> awaitable<void> {
            auto over = make_byte_stream(std::move(stream));
            while (!(co_await read_text(*over)).empty()) {}
        });
        CHECK(here.failure(by_proxy("http://proxy.test"), errc::proxy_failed) == "proxy http://proxy.test:80: no answer in time");
    }
}

TEST_CASE("an https proxy is spoken to in TLS", "[dialer]")
{
    const auto roots = std::filesystem::temp_directory_path() / ("fwd-dialer-test-" + std::to_string(::getpid()) + ".pem");
    std::ofstream{roots} << our_authority().pem();
    ::setenv("SSL_CERT_FILE", roots.c_str(), 1);
    bed here;
    const auto context = server_context();
    here.play(at("10.0.0.9", 443), [&](stream_ptr stream) -> awaitable<void> {
        auto secured = co_await tls_accept(context, std::move(stream));
        if (!secured) co_return;
        auto hello = script(here.seen, {"HTTP/1.1 200 OK\r\n\r\n"});
        co_await hello(std::move(*secured));
    });
    auto made = here.go(by_proxy("https://proxy.test"));
    ::unsetenv("SSL_CERT_FILE");
    std::filesystem::remove(roots);
    REQUIRE(made.has_value());
    CHECK(greeting(here, std::move(*made)) == "hello");
    CHECK_THAT(here.seen, Catch::Matchers::StartsWith("CONNECT server.test:443"));
}

TEST_CASE("a SOCKS proxy resolves the name itself", "[dialer]")
{
    using namespace std::string_literals;
    bed here;
    SECTION("without credentials")
    {
        here.play(at("10.0.0.9", 1080), script(here.seen, {"\x05\x00"s, "\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50"s}));
        auto made = here.go(by_proxy("socks5://proxy.test", "inside.only"));
        REQUIRE(made.has_value());
        CHECK(greeting(here, std::move(*made)) == "hello");
        CHECK(here.seen == "\x05\x01\x00\x05\x01\x00\x03\x0binside.only\x01\xbb"s);
    }
    SECTION("with credentials and an address")
    {
        here.play(at("10.0.0.9", 1080), script(here.seen, {"\x05\x02"s, "\x01\x00"s, "\x05\x00\x00\x03\x03"s + "abc\x00\x50"s}));
        auto made = here.go(by_proxy("socks5h://jane:pw@proxy.test", "10.0.0.1"));
        REQUIRE(made.has_value());
        CHECK(greeting(here, std::move(*made)) == "hello");
        CHECK(here.seen == "\x05\x02\x00\x02\x01\x04jane\x02pw\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb"s);
    }
}

TEST_CASE("a SOCKS proxy's refusal is told", "[dialer]")
{
    using namespace std::string_literals;
    bed here;
    SECTION("not SOCKS")
    {
        here.play(at("10.0.0.9", 1080), script(here.seen, {"HTTP/1.1 400 Bad Request\r\n\r\n"}));
        CHECK(here.failure(by_proxy("socks5://proxy.test"), errc::proxy_failed) ==
              "proxy socks5://proxy.test:1080: it does not speak SOCKS 5");
    }
    SECTION("credentials wanted")
    {
        here.play(at("10.0.0.9", 1080), script(here.seen, {"\x05\xff"s}));
        CHECK(here.failure(by_proxy("socks5://proxy.test"), errc::proxy_failed) ==
              "proxy socks5://proxy.test:1080: it wants user and password");
    }
    SECTION("credentials wrong")
    {
        here.play(at("10.0.0.9", 1080), script(here.seen, {"\x05\x02"s, "\x01\x01"s}));
        CHECK(here.failure(by_proxy("socks5://jane:pw@proxy.test"), errc::proxy_failed) ==
              "proxy socks5://proxy.test:1080: it refused user and password");
    }
    SECTION("host unreachable")
    {
        here.play(at("10.0.0.9", 1080), script(here.seen, {"\x05\x00"s, "\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"s}));
        CHECK(here.failure(by_proxy("socks5://proxy.test"), errc::proxy_failed) ==
              "proxy socks5://proxy.test:1080: it could not connect to server.test:443: host unreachable");
    }
}

TEST_CASE("proxy URLs are read in all their forms", "[dialer]")
{
    const auto full = proxy_address::parse("HTTP://j%3Aane:s%40cret@Proxy:3128/ignored");
    REQUIRE(full.has_value());
    CHECK(full->how == proxy_address::kind::http);
    CHECK(full->host == "Proxy");
    CHECK(full->port == 3128);
    CHECK(full->user == "j:ane");
    CHECK(full->password == "s@cret");
    CHECK(proxy_address::parse("https://p")->port == 443);
    CHECK(proxy_address::parse("http://p")->port == 80);
    CHECK(proxy_address::parse("socks5h://p")->port == 1080);
    CHECK(proxy_address::parse("socks5://[::1]:99")->host == "::1");
    CHECK(proxy_address::parse("socks5://[::1]:99")->port == 99);
    CHECK(proxy_address::parse("socks5://[::1]")->port == 1080);
}

TEST_CASE("bad proxy URLs are refused without showing the password", "[dialer]")
{
    const auto* url =
        GENERATE("proxy:3128", "ftp://u:secret@p", "http://", "http://u:secret@", "http://u:secret@p:0", "http://u:secret@p:99999",
                 "http://u:secret@p:x", "http://u:secret%zz@p", "http://u:secret@[::1", "http://u:secret@[::1]x");
    const auto made = proxy_address::parse(url);
    REQUIRE(made.has_error());
    CHECK(made.error().is(errc::invalid_request));
    CHECK(made.error().message().find("secret") == std::string::npos);
}
