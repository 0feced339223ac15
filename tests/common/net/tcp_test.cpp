#include "common/net/network.hpp"
#include "common/net/socket_diag.hpp"

#include <catch2/catch.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fwd {

TEST_CASE("listening on an address that is taken says so", "[net]")
{
    asio::io_context loop{1};
    const auto net = make_network(loop.get_executor());
    // Each family: an address was written as text before errno was read, which cleared it.
    const auto* address = GENERATE("127.0.0.1", "::1");
    error_code bad;
    const auto ip = asio::ip::make_address(address, bad);
    const auto first = net->listen(endpoint{ip, 0}, {});
    if (!first) return; // a machine without this family
    const auto second = net->listen((*first)->local(), {});
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == boost::system::errc::address_in_use);
    CHECK(second.error().message().find(address) != std::string::npos);
}

namespace {

/// A client of a listener, and the accepted side of it.
struct linked {
    explicit linked(asio::io_context& loop, acceptor& listener) : client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
    {
        const asio::ip::tcp::endpoint to{listener.local().ip, listener.local().port};
        REQUIRE(::connect(client, to.data(), static_cast<socklen_t>(to.size())) == 0);
        auto got = listener.try_accept();
        if (!got) {
            refused = got.error();
            return;
        }
        REQUIRE(got->has_value());
        near = std::move((*got)->stream);
        loop.poll();
    }
    ~linked() { close(); }
    void close()
    {
        if (client >= 0) ::close(std::exchange(client, -1));
    }
    int client;
    std::unique_ptr<data_stream> near;
    std::optional<error> refused;
};

std::unique_ptr<acceptor> listener_on_loopback(network& net)
{
    auto made = net.listen(make_endpoint(ipv4{0x7f000001}, 0), {});
    REQUIRE(made.has_value());
    return std::move(*made);
}

/// Until it is so: the kernel's own work may take a moment.
template <class F>
bool soon(F holds)
{
    for (int i = 0; i < 2000 && !holds(); ++i) ::sched_yield();
    return holds();
}

} // namespace

TEST_CASE("a client that closed is told from one that only finished writing", "[net]")
{
    asio::io_context loop{1};
    const auto net = make_network(loop.get_executor());
    const auto listener = listener_on_loopback(*net);
    linked one{loop, *listener};
    std::array<std::byte, 8> room;
    CHECK_FALSE(one.near->peer_closed());
    REQUIRE(::shutdown(one.client, SHUT_WR) == 0);
    REQUIRE(soon([&] { return one.near->try_read(room).what == io_step::state::end; }));
    CHECK_FALSE(one.near->peer_closed());
    one.close();
    CHECK(soon([&] { return one.near->peer_closed(); }));

    linked at_once{loop, *listener};
    at_once.close();
    REQUIRE(soon([&] { return at_once.near->try_read(room).what == io_step::state::end; }));
    CHECK(soon([&] { return at_once.near->peer_closed(); }));
    at_once.near->close();
    CHECK(at_once.near->peer_closed());
}

TEST_CASE("the kernel tells whose a client's socket is", "[net]")
{
    asio::io_context loop{1};
    const auto net = make_network(loop.get_executor());
    const auto listener = listener_on_loopback(*net);
    linked one{loop, *listener};
    sockaddr_in mine{};
    socklen_t size = sizeof mine;
    REQUIRE(::getsockname(one.client, reinterpret_cast<sockaddr*>(&mine), &size) == 0);
    struct stat about {};
    REQUIRE(::fstat(one.client, &about) == 0);
    socket_diag diag;
    const auto found = diag.find(make_endpoint(ipv4{0x7f000001}, ntohs(mine.sin_port)), listener->local());
    REQUIRE(found.has_value());
    CHECK(found->inode == about.st_ino);
    CHECK(found->uid == ::getuid());
    CHECK(found->state == TCP_ESTABLISHED);
    CHECK_FALSE(diag.find(make_endpoint(ipv4{0x7f000001}, 1), listener->local()).has_value());
}

TEST_CASE("accepting leaves descriptors to others, and goes on when some are free again", "[net]")
{
    asio::io_context loop{1};
    const auto net = make_network(loop.get_executor());
    const auto listener = listener_on_loopback(*net);
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const int next = ::dup(listener->descriptor());
    REQUIRE(next >= 0);
    ::close(next);
    listener->keep_free(limit.rlim_cur - static_cast<rlim_t>(next) - 5); // five more may be open, clients' own ones included
    std::vector<std::unique_ptr<linked>> all;
    for (int i = 0; i < 5; ++i) all.push_back(std::make_unique<linked>(loop, *listener));
    REQUIRE(all.back()->refused.has_value());
    CHECK(all.back()->refused->code == boost::system::errc::too_many_files_open);
    all.clear();
    loop.poll();
    for (int i = 0; i < 6; ++i) (void)listener->try_accept(); // those that waited in the backlog and left
    linked again{loop, *listener};
    CHECK_FALSE(again.refused.has_value());
}

} // namespace fwd
