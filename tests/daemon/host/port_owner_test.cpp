#include "daemon/host/port_owner.hpp"

#include "daemon/host/client.hpp"
#include "tests/daemon/host/sandbox.hpp"
#include "tests/support/run.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <sys/socket.h>
#include <unistd.h>

namespace fwd::test {
namespace {

constexpr ipv4 here{0x7f011b01};
constexpr std::string_view table =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 4711 1 0000000000000000 100 0 0 10 0\n"
    "   1: 011B017F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000000000000000 100 0 0 10 0\n"
    "   2: 0100007F:0051 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0000000000000000 100 0 0 10 0\n"
    "   3: 00000000:0052 0100007F:0001 01 00000000:00000000 00:00000000 00000000  1000        0 4714 1 0000000000000000 100 0 0 10 0\n"
    "rubbish\n";

} // namespace

TEST_CASE("listeners in the way are those on the address or on all addresses", "[host][ports]")
{
    const auto wildcard = host::listeners_in(table, here, 80);
    REQUIRE(wildcard.size() == 1);
    CHECK(wildcard[0].text() == "a program of user 33 on 0.0.0.0:80");
    CHECK(wildcard[0].inode == 4711);
    CHECK(host::listeners_in(table, here, 8080).front().at == "127.1.27.1:8080");
    CHECK(host::listeners_in(table, here, 81).empty()); // on another address
    CHECK(host::listeners_in(table, here, 82).empty()); // connected, not listening
    const auto six = host::listeners_in("  0: 00000000000000000000000000000000:0050 0:0 0A 0 0 0 7 0 99 1\n", here, 80);
    REQUIRE(six.size() == 1);
    CHECK(six[0].at == "[::]:80");
}

TEST_CASE("without root a port is bound where it can be, and who has it is named where it cannot", "[host][ports]")
{
    asio::io_context loop;
    auto host = host::make_unprivileged_client(loop.get_executor());
    CHECK_FALSE(host->about().privileged);
    CHECK(host->about().listening == host::listening_mode::bind);
    const int other = tcp_listener("0.0.0.0", 0);
    const auto port = static_cast<std::uint16_t>(port_of(other));
    auto taken = run_on(loop, host->listen(here, port));
    REQUIRE(taken.has_error());
    CHECK(taken.error().is(errc::conflict));
    CHECK(taken.error().message().find(fmt::format("port {} is taken by test_host (pid {}) on 0.0.0.0:{}", port, ::getpid(), port)) == 0);
    ::close(other);
    auto bound = run_on(loop, host->listen(here, port));
    REQUIRE(bound.has_value());
    const ::pid_t greeter = start_child([&] { return greet_one(*bound, "bound") ? 0 : 1; });
    CHECK(greeting_of("127.1.27.1", port) == fmt::format("bound 127.1.27.1:{}", port));
    CHECK(wait_child(greeter) == 0);
    ::close(*bound);
    CHECK(run_on(loop, host->listen({0x0a000001}, port)).error().is(errc::invalid_request));
    CHECK(run_on(loop, host->attach(0, 0)).error().is(errc::unsupported));
}

TEST_CASE("without root names go only to a file of the user's own, and leave it as it was", "[host][ports]")
{
    const auto path = fmt::format("/tmp/fwd-hosts-{}", ::getpid());
    write_content(path, "10.0.0.1 mine");
    {
        asio::io_context loop;
        auto host = host::make_unprivileged_client(loop.get_executor(), path);
        std::vector<host::host_names> sets{{here, {"web", "mine"}}};
        const auto refused = run_on(loop, host->put_names(sets));
        REQUIRE(refused.has_value());
        REQUIRE(refused->size() == 1);
        CHECK(refused->front().why == "line 1 of " + path);
        CHECK(content(path) ==
              fmt::format("10.0.0.1 mine\n# BEGIN fwd uid={0} (newline added)\n127.1.27.1\tweb\n# END fwd uid={0}\n", ::getuid()));
    }
    CHECK(content(path) == "10.0.0.1 mine");
    ::unlink(path.c_str());
}

} // namespace fwd::test
