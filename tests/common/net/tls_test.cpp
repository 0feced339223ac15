#include "common/net/tls.hpp"

#include "common/net/byte_stream.hpp"
#include "common/net/network.hpp"
#include "tests/common/net/certificates.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

#include <boost/asio/detached.hpp>
#include <openssl/evp.h>

#include <sys/socket.h>
#include <unistd.h>

using namespace fwd;
using stream_ptr = std::unique_ptr<data_stream>;
using stream_pair = std::pair<stream_ptr, stream_ptr>;

namespace {

const test::authority& our_authority()
{
    static const test::authority only{"test authority"};
    return only;
}

test::subject server_subject(std::string names = "DNS:server.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1")
{
    test::subject who;
    who.cn = "server.test";
    who.alternative_names = std::move(names);
    return who;
}

std::shared_ptr<tls_context> server_context(const test::subject& who = server_subject(), std::vector<std::string> alpn = {},
                                            std::optional<std::string> client_ca = {}, const test::authority& by = our_authority())
{
    const auto identity = by.issue(who);
    tls_server_settings settings;
    settings.certificate_pem = identity.certificate_pem;
    settings.key_pem = identity.key_pem;
    settings.client_ca_pem = std::move(client_ca);
    settings.alpn = std::move(alpn);
    return make_tls_server_context(settings).value();
}

std::shared_ptr<tls_context> client_context(tls_client_settings settings = {})
{
    if (!settings.ca_pem) settings.ca_pem = our_authority().pem();
    return make_tls_client_context(settings).value();
}

struct shaken {
    result<stream_ptr> client = error{errc::closed, "not tried"};
    result<stream_ptr> server = error{errc::closed, "not tried"};
};

/// Both handshakes at once.
struct bed {
    asio::io_context loop{1};
    test::virtual_clock clock{loop};

    stream_pair memory(test::memory_pipe_options options = {}) { return test::make_memory_pair(loop.get_executor(), options); }

    /// Over real sockets.
    stream_pair sockets()
    {
        auto net = make_network(loop.get_executor());
        auto listening = net->listen(make_endpoint(ipv4{0x7f000001}, 0), {}).value();
        auto near = test::run_on(loop, net->connect(listening->local())).value();
        auto far = listening->try_accept().value();
        REQUIRE(far.has_value());
        return {std::move(near), std::move(far->stream)};
    }

    shaken shake(std::shared_ptr<tls_context> client, std::shared_ptr<tls_context> server, stream_pair over,
                 std::string name = "server.test")
    {
        shaken both;
        int running = 2;
        const auto keep = [&running](result<stream_ptr>& into) {
            return [&into, &running](std::exception_ptr thrown, result<stream_ptr> made) {
                if (thrown) std::rethrow_exception(thrown);
                if (!made)
                    into = made.error();
                else
                    into = std::move(*made);
                --running;
            };
        };
        asio::co_spawn(loop, tls_connect(std::move(client), std::move(over.first), std::move(name)), keep(both.client));
        asio::co_spawn(loop, tls_accept(std::move(server), std::move(over.second)), keep(both.server));
        loop.restart();
        while (running > 0 && loop.run_one() > 0) {}
        REQUIRE(running == 0);
        return both;
    }
};

std::string pattern(std::size_t size)
{
    std::string text(size, '\0');
    std::uint32_t state = 12345;
    for (auto& c : text) {
        state = state * 1664525 + 1013904223;
        c = static_cast<char>(state >> 24);
    }
    return text;
}

awaitable<void> send_all(byte_stream& to, std::string_view text, int times, bool& done)
{
    for (int i = 0; i < times; ++i) (co_await to.write_all(as_bytes(text))).value();
    done = true;
}

/// Reads `size` bytes; the SHA-256 of them.
awaitable<std::string> digest_of(byte_stream& from, std::size_t size)
{
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
    std::vector<std::byte> chunk(50'000);
    while (size > 0) {
        const auto got = (co_await from.read_some(std::span{chunk}.first(std::min(size, chunk.size())))).value();
        if (got == 0) throw std::runtime_error{"ended early"};
        EVP_DigestUpdate(digest.get(), chunk.data(), got);
        size -= got;
    }
    std::string sum(32, '\0');
    EVP_DigestFinal_ex(digest.get(), reinterpret_cast<unsigned char*>(sum.data()), nullptr);
    co_return sum;
}

std::string digest_of(std::string_view text, int times)
{
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
    for (int i = 0; i < times; ++i) EVP_DigestUpdate(digest.get(), text.data(), text.size());
    std::string sum(32, '\0');
    EVP_DigestFinal_ex(digest.get(), reinterpret_cast<unsigned char*>(sum.data()), nullptr);
    return sum;
}

std::string refusal(const std::shared_ptr<tls_context>& client, const std::shared_ptr<tls_context>& server,
                    std::string name = "server.test")
{
    bed here;
    auto both = here.shake(client, server, here.memory(), std::move(name));
    REQUIRE(both.client.has_error());
    CHECK(both.client.error().is(errc::tls_failed));
    return both.client.error().message();
}

} // namespace

TEST_CASE("64 MiB pass both ways at once, byte for byte, over sockets", "[tls]")
{
    bed here;
    auto both = here.shake(client_context(), server_context(), here.sockets());
    REQUIRE(both.client.has_value());
    REQUIRE(both.server.has_value());
    auto client = make_byte_stream(std::move(*both.client));
    auto server = make_byte_stream(std::move(*both.server));

    const auto block = pattern(1 << 20);
    bool up = false, down = false;
    std::string seen_by_server;
    asio::co_spawn(here.loop, send_all(*client, block, 64, up), asio::detached);
    asio::co_spawn(here.loop, send_all(*server, block, 64, down), asio::detached);
    asio::co_spawn(here.loop, digest_of(*server, 64u << 20), [&](std::exception_ptr, std::string sum) { seen_by_server = std::move(sum); });
    const auto seen_by_client = test::run_on(here.loop, digest_of(*client, 64u << 20));
    here.loop.restart();
    while ((!up || !down || seen_by_server.empty()) && here.loop.run_one() > 0) {}
    const auto expected = digest_of(block, 64);
    CHECK(seen_by_client == expected);
    CHECK(seen_by_server == expected);
}

TEST_CASE("bytes arrive whole however the stream beneath cuts them", "[tls]")
{
    const auto step = GENERATE(std::size_t{1}, std::size_t{5}, std::size_t{1000}, std::size_t{70'000});
    bed here;
    auto both = here.shake(client_context(), server_context(), here.memory({.capacity = 70'000, .most_per_step = step}));
    REQUIRE(both.client.has_value());
    REQUIRE(both.server.has_value());
    auto client = make_byte_stream(std::move(*both.client));
    auto server = make_byte_stream(std::move(*both.server));
    const auto text = pattern(100'000);
    bool sent = false;
    asio::co_spawn(here.loop, send_all(*client, text, 1, sent), asio::detached);
    CHECK(here.clock.run(digest_of(*server, text.size())) == digest_of(text, 1));
}

TEST_CASE("small pieces leave as full records, and arrive in order", "[tls]")
{
    bed here;
    auto both = here.shake(client_context(), server_context(), here.memory({.capacity = 1 << 20}));
    REQUIRE(both.client.has_value());
    const auto text = pattern(100'000);
    std::vector<iovec> pieces;
    const std::size_t sizes[] = {8, 14, 20'000, 1, 16'384, 3, 5, 40'000, 23'585};
    std::size_t at = 0;
    for (const auto size : sizes) {
        pieces.push_back({const_cast<char*>(text.data()) + at, size});
        at += size;
    }
    REQUIRE(at == text.size());
    const auto step = (*both.client)->try_writev(pieces);
    CHECK(step.what == io_step::state::moved);
    CHECK(step.bytes == text.size());
    auto server = make_byte_stream(std::move(*both.server));
    CHECK(here.clock.run(digest_of(*server, text.size())) == digest_of(text, 1));
}

TEST_CASE("decrypted bytes are never stranded when a read filled its target", "[tls]")
{
    // All of it is beneath or inside OpenSSL before the first read; no further readiness will come from the socket.
    bed here;
    auto both = here.shake(client_context(), server_context(), here.sockets());
    REQUIRE(both.client.has_value());
    REQUIRE(both.server.has_value());
    const auto text = pattern(200'000);
    const iovec piece{const_cast<char*>(text.data()), text.size()};
    REQUIRE((*both.server)->try_writev({&piece, 1}).bytes == text.size());
    REQUIRE((*both.server)->unsent() == 0);

    const auto chunk_size = GENERATE(std::size_t{1000}, std::size_t{16'384}, std::size_t{65'536});
    std::string seen;
    std::vector<std::byte> chunk(chunk_size);
    auto& client = **both.client;
    std::function<void()> on_ready = [&] {
        const auto step = client.try_read(chunk); // one attempt per wake-up, then wait again
        if (step.what == io_step::state::moved) seen += as_text(std::span{chunk}.first(step.bytes));
        client.wait(interest::read, [&] { on_ready(); });
    };
    client.wait(interest::read, [&] { on_ready(); });
    here.loop.restart();
    while (seen.size() < text.size() && here.loop.run_one() > 0) {}
    CHECK(seen == text);
}

TEST_CASE("many small records are all read, by waiting and by asking again", "[tls]")
{
    bed here;
    auto both = here.shake(client_context(), server_context(), here.sockets());
    REQUIRE(both.client.has_value());
    REQUIRE(both.server.has_value());
    auto& client = **both.client;
    const auto say = [&](std::string_view text) {
        const iovec piece{const_cast<char*>(text.data()), text.size()};
        REQUIRE((*both.server)->try_writev({&piece, 1}).bytes == text.size());
    };
    std::string sent, seen;
    std::array<std::byte, 4096> chunk;
    const auto read = [&] {
        const auto step = client.try_read(chunk);
        if (step.what == io_step::state::moved) seen += as_text(std::span{chunk}.first(step.bytes));
        return step.what;
    };
    for (int i = 0; i < 100; ++i) {
        const auto text = "line " + std::to_string(i) + "\n";
        sent += text;
        say(text);
        if (i % 3 == 0) read();
    }
    SECTION("waiting")
    {
        while (seen.size() < sent.size()) {
            test::run_on(here.loop, ready(client, interest::read));
            read();
        }
    }
    SECTION("asking")
    {
        for (int i = 0; i < 10'000 && seen.size() < sent.size(); ++i) read();
    }
    CHECK(seen == sent);
    // Emptied, it says so once without asking the kernel, and then looks again.
    while (read() == io_step::state::moved) {}
    say("late");
    if (read() != io_step::state::moved) read();
    CHECK(seen == sent + "late");
}

TEST_CASE("a writer is stopped when the peer does not read, and goes on when it does", "[tls]")
{
    bed here;
    auto both = here.shake(client_context(), server_context(), here.memory());
    REQUIRE(both.client.has_value());
    auto& client = **both.client;
    const auto text = pattern(64 * 1024);
    std::size_t taken = 0;
    for (;;) {
        const iovec piece{const_cast<char*>(text.data()), text.size()};
        const auto step = client.try_writev({&piece, 1});
        if (step.what != io_step::state::moved) {
            CHECK(step.what == io_step::state::would_block);
            break;
        }
        taken += step.bytes;
        REQUIRE(taken < 2'000'000);
    }
    CHECK(client.unsent() > 256 * 1024);
    CHECK(client.unsent() < 400 * 1024);
    bool writable = false;
    client.wait(interest::write, [&] { writable = true; });
    here.clock.settle();
    CHECK_FALSE(writable);

    auto server = make_byte_stream(std::move(*both.server));
    here.clock.run(digest_of(*server, taken));
    here.clock.settle();
    CHECK(writable);
    CHECK(client.unsent() == 0);
}

TEST_CASE("sessions are resumed once each, for the same name only", "[tls]")
{
    bed here;
    const auto client = client_context();
    const auto server = server_context();
    const auto resumed = [&](const char* name) {
        auto both = here.shake(client, server, here.memory(), name);
        REQUIRE(both.client.has_value());
        REQUIRE(both.server.has_value());
        const auto facts = tls_facts_of(**both.client);
        REQUIRE(facts.has_value());
        CHECK(facts->version == "TLSv1.3");
        CHECK(tls_facts_of(**both.server)->resumed == facts->resumed);
        // The ticket comes with the first bytes of the server.
        auto far = make_byte_stream(std::move(*both.server));
        auto near = make_byte_stream(std::move(*both.client));
        bool sent = false;
        asio::co_spawn(here.loop, send_all(*far, "x", 1, sent), asio::detached);
        std::array<std::byte, 1> byte;
        CHECK(here.clock.run(near->read_some(byte)).value() == 1);
        return facts->resumed;
    };
    CHECK_FALSE(resumed("server.test"));
    CHECK(resumed("server.test"));
    CHECK_FALSE(resumed("a.wild.test"));
    CHECK(resumed("server.test"));
}

TEST_CASE("names and addresses of the certificate are accepted", "[tls]")
{
    const auto* name = GENERATE("server.test", "SERVER.test", "server.test.", "x.wild.test", "127.0.0.1", "::1");
    bed here;
    auto both = here.shake(client_context(), server_context(), here.memory(), name);
    CHECK(both.client.has_value());
}

TEST_CASE("a certificate that is refused is explained", "[tls]")
{
    SECTION("unknown authority")
    {
        static const test::authority other{"somebody else"};
        CHECK(refusal(client_context(), server_context(server_subject(), {}, {}, other)) ==
              "certificate signed by unknown authority (unable to get local issuer certificate)");
    }
    SECTION("wrong name")
    {
        CHECK(refusal(client_context(), server_context(), "other.test") ==
              "certificate is valid for server.test, *.wild.test, 127.0.0.1, ::1, not other.test");
    }
    SECTION("wrong address")
    {
        CHECK(refusal(client_context(), server_context(), "10.0.0.1") ==
              "certificate is valid for server.test, *.wild.test, 127.0.0.1, ::1, not 10.0.0.1");
    }
    SECTION("the common name is no name")
    {
        CHECK(refusal(client_context(), server_context(server_subject(""))) ==
              "certificate has no subject alternative names (common name 'server.test'), so it is not valid for server.test");
    }
    SECTION("expired")
    {
        auto who = server_subject();
        who.valid_until = -60;
        CHECK_THAT(refusal(client_context(), server_context(who)), Catch::Matchers::StartsWith("certificate expired on 20"));
    }
    SECTION("not yet valid")
    {
        auto who = server_subject();
        who.valid_from = 600;
        CHECK_THAT(refusal(client_context(), server_context(who)), Catch::Matchers::StartsWith("certificate is not valid before 20"));
    }
}

TEST_CASE("without verification any certificate will do", "[tls]")
{
    static const test::authority other{"somebody else"};
    tls_client_settings settings;
    settings.verify = false;
    bed here;
    auto both = here.shake(client_context(settings), server_context(server_subject(), {}, {}, other), here.memory(), "other.test");
    CHECK(both.client.has_value());
}

TEST_CASE("the server's own certificate may be the anchor", "[tls]")
{
    const auto identity = our_authority().issue(server_subject());
    tls_server_settings theirs;
    theirs.certificate_pem = identity.certificate_pem;
    theirs.key_pem = identity.key_pem;
    tls_client_settings ours;
    ours.ca_pem = identity.certificate_pem;
    bed here;
    auto both = here.shake(client_context(ours), make_tls_server_context(theirs).value(), here.memory());
    CHECK(both.client.has_value());
}

TEST_CASE("a peer that speaks no TLS, or leaves, is told apart", "[tls]")
{
    bed here;
    auto [near, far] = here.memory();
    auto connecting = [&] { return here.clock.run(tls_connect(client_context(), std::move(near), "server.test")); };
    const auto answer = [&](std::string_view text) {
        const iovec piece{const_cast<char*>(text.data()), text.size()};
        far->try_writev({&piece, 1});
    };
    SECTION("HTTP")
    {
        answer("HTTP/1.1 400 Bad Request\r\n\r\n");
        auto made = connecting();
        REQUIRE(made.has_error());
        CHECK(made.error().message() == "the peer does not speak TLS");
    }
    SECTION("closed")
    {
        far->shutdown_write();
        auto made = connecting();
        REQUIRE(made.has_error());
        CHECK(made.error().message() == "the peer closed the connection during the TLS handshake");
    }
    SECTION("reset")
    {
        far->reset();
        auto made = connecting();
        REQUIRE(made.has_error());
        CHECK_THAT(made.error().message(), Catch::Matchers::StartsWith("TLS handshake: "));
    }
}

TEST_CASE("ALPN picks what both speak", "[tls]")
{
    tls_client_settings settings;
    settings.alpn = {"h2", "http/1.1"};
    bed here;
    auto both = here.shake(client_context(settings), server_context(server_subject(), {"http/1.1"}), here.memory());
    REQUIRE(both.client.has_value());
    CHECK(tls_facts_of(**both.client)->alpn == "http/1.1");
    CHECK(tls_facts_of(**both.server)->alpn == "http/1.1");
}

TEST_CASE("a client certificate is asked for and may be missing", "[tls]")
{
    const auto server = server_context(server_subject(), {}, our_authority().pem());
    bed here;
    SECTION("shown")
    {
        test::subject who;
        who.cn = "jane";
        who.organizations = {"dev", "ops"};
        const auto identity = our_authority().issue(who);
        tls_client_settings settings;
        settings.certificate_pem = identity.certificate_pem;
        settings.key_pem = identity.key_pem;
        auto both = here.shake(client_context(settings), server, here.memory());
        REQUIRE(both.server.has_value());
        CHECK(tls_facts_of(**both.server)->peer_subject_cn == "jane");
        CHECK(tls_facts_of(**both.server)->peer_subject_o == std::vector<std::string>{"dev", "ops"});
    }
    SECTION("missing")
    {
        auto both = here.shake(client_context(), server, here.memory());
        REQUIRE(both.server.has_value());
        CHECK(tls_facts_of(**both.server)->peer_subject_cn.empty());
    }
}

TEST_CASE("bad PEM texts are named", "[tls]")
{
    const auto identity = our_authority().issue(server_subject());
    const auto other = our_authority().issue(server_subject());
    tls_client_settings settings;
    const auto problem = [&] {
        auto made = make_tls_client_context(settings);
        REQUIRE(made.has_error());
        CHECK(made.error().is(errc::tls_failed));
        return made.error().message();
    };
    SECTION("authority")
    {
        settings.ca_pem = "nonsense";
        CHECK(problem() == "certificate authority: no certificate in PEM form found");
    }
    SECTION("damaged authority")
    {
        settings.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        CHECK_THAT(problem(), Catch::Matchers::StartsWith("certificate authority: "));
    }
    SECTION("key of another certificate")
    {
        settings.certificate_pem = identity.certificate_pem;
        settings.key_pem = other.key_pem;
        CHECK(problem() == "client: private key: it does not belong to the certificate");
    }
    SECTION("missing key")
    {
        settings.certificate_pem = identity.certificate_pem;
        CHECK_THAT(problem(), Catch::Matchers::StartsWith("client: private key: "));
    }
}

TEST_CASE("an end is an end with close_notify and without", "[tls]")
{
    bed here;
    auto both = here.shake(client_context(), server_context(), here.memory());
    REQUIRE(both.client.has_value());
    REQUIRE(both.server.has_value());
    std::array<std::byte, 10> chunk;
    SECTION("half-close: the other direction goes on")
    {
        (*both.client)->shutdown_write();
        auto server = make_byte_stream(std::move(*both.server));
        CHECK(here.clock.run(server->read_some(chunk)).value() == 0);
        bool sent = false;
        asio::co_spawn(here.loop, send_all(*server, "still here", 1, sent), asio::detached);
        auto client = make_byte_stream(std::move(*both.client));
        CHECK(here.clock.run(client->read_some(chunk)).value() == 10);
    }
    SECTION("closed")
    {
        (*both.server)->close();
        CHECK((*both.server)->try_read(chunk).failure == make_error_code(errc::closed));
        auto client = make_byte_stream(std::move(*both.client));
        CHECK(here.clock.run(client->read_some(chunk)).value() == 0);
        CHECK(here.clock.run(client->read_some(chunk)).value() == 0);
    }
    SECTION("reset is a failure")
    {
        (*both.server)->reset();
        auto client = make_byte_stream(std::move(*both.client));
        CHECK(here.clock.run(client->read_some(chunk)).has_error());
        CHECK(here.clock.run(client->read_some(chunk)).has_error());
    }
}

TEST_CASE("TCP's end without close_notify counts as an end", "[tls]")
{
    bed here;
    auto over = here.sockets();
    const int far = ::dup(over.second->descriptor());
    auto both = here.shake(client_context(), server_context(), std::move(over));
    REQUIRE(both.client.has_value());
    ::shutdown(far, SHUT_WR);
    auto client = make_byte_stream(std::move(*both.client));
    std::array<std::byte, 10> chunk;
    CHECK(test::run_on(here.loop, client->read_some(chunk)).value() == 0);
    ::close(far);
}

TEST_CASE("a stream's waits are dropped with it, and never called from inside", "[tls]")
{
    bed here;
    auto both = here.shake(client_context(), server_context(), here.memory());
    REQUIRE(both.client.has_value());
    int calls = 0;
    (*both.client)->wait(interest::read, [&] { ++calls; });
    (*both.client)->wait(interest::write, [&] { ++calls; });
    CHECK(calls == 0);
    SECTION("called")
    {
        here.clock.settle();
        CHECK(calls >= 1);
    }
    SECTION("dropped")
    {
        both.client = error{errc::closed};
        here.clock.settle();
        CHECK(calls == 0);
    }
    SECTION("cancelled")
    {
        (*both.client)->cancel(interest::read);
        (*both.client)->cancel(interest::write);
        here.clock.settle();
        CHECK(calls == 0);
    }
}
