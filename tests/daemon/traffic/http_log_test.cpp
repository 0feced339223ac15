#include "daemon/traffic/client_hello.hpp"
#include "tests/daemon/traffic/told.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::test;

namespace {

traffic::seen_request request(std::int64_t second, int status, std::string path = "/")
{
    traffic::seen_request made;
    made.at = wall_time{std::chrono::seconds{1'700'000'000 + second}};
    made.method = "GET";
    made.path = std::move(path);
    made.status = status;
    return made;
}

/// A TLS 1.3 client's first record, with a name or without.
std::string hello(const std::string& name)
{
    const auto number = [](std::size_t value, int size) {
        std::string made;
        for (int i = size - 1; i >= 0; --i) made += static_cast<char>(value >> (8 * i));
        return made;
    };
    const auto sized = [&](const std::string& what, int size) { return number(what.size(), size) + what; };
    std::string extensions = number(43, 2) + sized(sized("\x03\x04", 1), 2);
    if (!name.empty()) extensions += number(0, 2) + sized(sized(number(0, 1) + sized(name, 2), 2), 2);
    const auto body = "\x03\x03" + std::string(32, 'r') + sized("session", 1) + sized("\x13\x01", 2) + sized(std::string(1, '\0'), 1) +
                      sized(extensions, 2);
    return "\x16\x03\x01" + sized("\x01" + sized(body, 3), 2);
}

} // namespace

TEST_CASE("a log keeps the last requests, newest first, and counts all", "[traffic]")
{
    traffic::http_log log;
    for (int i = 0; i < 250; ++i) {
        log.begin();
        log.end(request(0, i % 2 ? 200 : 503, std::to_string(i)));
    }
    log.begin();
    const auto now = log.picture(request(0, 0).at);
    REQUIRE(now.requests.size() == traffic::http_log::kept);
    CHECK(now.requests.front()->path == "249");
    CHECK(now.requests.back()->path == "50");
    CHECK(now.counts.by_class == std::array<std::uint64_t, 6>{0, 0, 125, 0, 0, 125});
    CHECK(now.counts.total() == 250);
    CHECK(now.counts.in_flight == 1);
}

TEST_CASE("a log's rate is that of the last ten seconds", "[traffic]")
{
    traffic::http_log log;
    for (const int second : {0, 5, 5, 9, 12}) {
        log.begin();
        log.end(request(second, 200));
    }
    CHECK(log.picture(request(12, 0).at).per_second == Approx(0.4));
    CHECK(log.picture(request(19, 0).at).per_second == Approx(0.1));
    CHECK(log.picture(request(40, 0).at).per_second == 0);
}

TEST_CASE("TLS is recognised by its name and left alone", "[traffic]")
{
    for (const std::string name : {"shop.example", ""}) {
        for (const std::size_t cut : {std::size_t{1}, std::size_t{5}, std::size_t{6}, std::size_t{40}, hello(name).size()}) {
            watched one;
            const auto bytes = hello(name);
            one.say(said::by::client, std::string_view{bytes}.substr(0, cut));
            CHECK(one.let_go() == (cut == bytes.size()));
            if (cut < bytes.size()) one.say(said::by::client, std::string_view{bytes}.substr(cut));
            CHECK(one.let_go());
            const auto seen = one.log.picture(one.clock.wall_now());
            CHECK(seen.tls_connections == 1);
            CHECK(seen.tls_names == (name.empty() ? std::vector<std::string>{} : std::vector{name}));
            CHECK(seen.requests.empty());
        }
    }
}

TEST_CASE("what only begins like TLS counts as nothing", "[traffic]")
{
    using found = traffic::client_hello::found;
    CHECK(traffic::read_client_hello(std::string{"\x16\x03\x01\x00\x02\x02\x00", 7}).what == found::no);
    CHECK(traffic::read_client_hello("\x16\x04\x01zzzz").what == found::no);
    CHECK(traffic::read_client_hello("\x16\x03\x01\x7f\x7f\x01").what == found::no); // longer than anybody's
    CHECK(traffic::read_client_hello("\x16\x03").what == found::more);
    // Lengths that lead beyond the record give no name.
    auto bytes = hello("a");
    bytes[bytes.size() - 3] = 0x7f;
    CHECK(traffic::read_client_hello(bytes).what == found::yes);
}

TEST_CASE("a thread looks at so many connections, and HTTP/2 counts for more", "[traffic]")
{
    watched one;
    one.budget.most = traffic::http2_units;
    std::vector<std::unique_ptr<traffic::http_watch>> more;
    const auto watch = [&](std::string bytes) {
        more.push_back(std::make_unique<traffic::http_watch>(one.log, one.clock, &one.budget));
        const iovec piece{bytes.data(), bytes.size()};
        more.back()->client_said({&piece, 1}, bytes.size());
    };
    watch("GET / HTTP/1.1\r\n");
    CHECK(one.budget.used == 1);
    watch(std::string{traffic::http2_preface}); // one too many
    CHECK(one.budget.used == 1);
    for (int i = 0; i < 20; ++i) watch("GET / HTTP/1.1\r\n");
    CHECK(one.budget.used == traffic::http2_units);
    more.clear();
    CHECK(one.budget.used == 0);
    CHECK(one.log.counts().in_flight == 0);
}
