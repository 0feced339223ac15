#include "daemon/catalog/event_bus.hpp"
#include "daemon/forward/connection_book.hpp"
#include "tests/daemon/forward/plane_bed.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace fwd;
using namespace fwd::forward;
using namespace fwd::test;

namespace {

struct kept_events final : catalog::event_sink {
    void emit(catalog::event what) override { all.push_back(std::move(what)); }
    std::vector<catalog::event> all;
};

catalog::service forwarded(const std::string& name, ipv4 address, std::uint16_t port)
{
    catalog::service made;
    made.service = name;
    made.namespace_name = "shop";
    made.context = "sim";
    catalog::forward one;
    one.service = name;
    one.namespace_name = "shop";
    one.context = "sim";
    one.local_ip = address;
    one.local_port = port;
    made.forwards.push_back(one);
    return made;
}

} // namespace

TEST_CASE("connections are listed with their service and their client's process", "[connection_book]")
{
    plane_bed b;
    kept_events events;
    catalog::catalog state{b.clock, events};
    state.put(forwarded("echo", ipv4{0x7f011b01}, 7000));
    state.put(forwarded("web", ipv4{0x7f011b01}, 80));
    events.all.clear();
    const auto side = make_inline_offload(b.loop.get_executor());
    std::vector<std::pair<endpoint, endpoint>> asked;
    connection_book book{*b.plane, state, events, *side, [&](const std::vector<std::pair<endpoint, endpoint>>& ends) {
                             asked = ends;
                             return std::vector<catalog::client_process>(ends.size(), {1000, 4711, "curl"});
                         }};
    b.plane->report_connections_to(book.ears());
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000), web = b.add_route(2, "web", 80), unknown = b.add_route(3, "gone", 81);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    b.put({2, {}, true, false});
    b.put({3, {}, true, false});
    {
        plane_client talks{b, echo}, waits{b, web}, stray{b, unknown};
        talks.say("hello");
        b.clock.advance(100ms);
        const auto all = b.clock.run(book.connections(""));
        REQUIRE(all.size() == 2);
        CHECK(all[0].service_key == "echo.shop.sim");
        CHECK(all[0].forward_key == "echo.shop.sim.7000");
        CHECK(all[0].now == catalog::open_connection::stage::open);
        CHECK(all[0].process.name == "curl");
        CHECK(all[0].bytes_in == 5);
        CHECK(all[0].transport == "websocket");
        CHECK(all[1].service_key == "web.shop.sim");
        CHECK(all[1].now == catalog::open_connection::stage::waiting_for_pod);
        REQUIRE(asked.size() == 2);
        CHECK(asked[0].second == echo);
        CHECK(b.clock.run(book.connections("web.shop.sim")).size() == 1);
        CHECK(b.clock.run(book.connections("nobody.shop.sim")).empty());
    }
    b.clock.advance(3s);
    REQUIRE(events.all.size() >= 2);
    CHECK(events.all[0].type == catalog::event_type::connection_opened);
    CHECK(events.all[0].service_key == "echo.shop.sim");
    CHECK(events.all[0].local_port == 7000);
    CHECK_FALSE(events.all[0].client.empty());
    const auto closed = std::find_if(events.all.begin(), events.all.end(), [](const catalog::event& one) {
        return one.type == catalog::event_type::connection_closed && one.service == "echo";
    });
    REQUIRE(closed != events.all.end());
    CHECK(closed->bytes_in == 5);
    CHECK(closed->bytes_out == 5);
}

TEST_CASE("our own connection is found to be ours", "[connection_book]")
{
    const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{}, mine{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(listening, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(listening, 1) == 0);
    REQUIRE(::getsockname(listening, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::getsockname(client, reinterpret_cast<sockaddr*>(&mine), &size) == 0);
    const ipv4 loopback{0x7f000001};
    const auto found = find_clients({{make_endpoint(loopback, ntohs(mine.sin_port)), make_endpoint(loopback, ntohs(at.sin_port))},
                                     {make_endpoint(loopback, 1), make_endpoint(loopback, 2)}});
    REQUIRE(found.size() == 2);
    CHECK(found[0].pid == ::getpid());
    CHECK(found[0].user == ::getuid());
    CHECK_FALSE(found[0].name.empty());
    CHECK(found[1].pid == 0);
    CHECK_FALSE(found[1].user.has_value());
    ::close(client);
    ::close(listening);
}
