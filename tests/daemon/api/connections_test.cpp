#include "common/api/wire_connections.hpp"
#include "tests/daemon/api/running_api.hpp"

using namespace fwd;
using namespace fwd::test;

namespace {

catalog::open_connection sample(std::uint64_t id, const std::string& service, catalog::open_connection::stage now)
{
    catalog::open_connection made;
    made.id = id;
    made.now = now;
    made.service = service;
    made.namespace_name = "shop";
    made.context = "kind";
    made.service_key = service + ".shop.kind";
    made.forward_key = service + ".shop.kind." + service + "-0.80";
    made.client = make_endpoint(ipv4{0x7f000001}, static_cast<std::uint16_t>(40000 + id));
    made.local = make_endpoint(ipv4{0x7f011b01}, 80);
    made.since = wall_time{std::chrono::seconds{1'790'000'000}};
    return made;
}

} // namespace

TEST_CASE("connections are listed with their clients, and waiting ones with what they wait for", "[api]")
{
    using stage = catalog::open_connection::stage;
    running_api daemon;
    auto open = sample(1, "web", stage::open);
    open.process = {1000, 4711, "curl"};
    open.pod = "web-0";
    open.pod_port = 8080;
    open.bytes_in = 7;
    open.bytes_out = 9;
    open.tunnel = 2;
    open.transport = "spdy";
    open.stalled = true;
    daemon.open.all = {open, sample(2, "web", stage::waiting_for_tunnel), sample(3, "db", stage::waiting_for_pod),
                       sample(4, "db", stage::closing)};

    const auto all = read<wire::connection_list>(daemon.ask("GET", "/api/v1/connections?state=all"));
    REQUIRE(all.connections.size() == 4);
    CHECK(all.open == 1);
    CHECK(all.waiting == 2);
    CHECK(all.closing == 1);
    CHECK(read<wire::connection_list>(daemon.ask("GET", "/api/v1/connections")).connections.size() == 3); // not those that are over
    const auto& first = all.connections[0];
    CHECK(first.state == "open");
    CHECK(first.client.address == "127.0.0.1:40001");
    CHECK(first.client.pid == 4711);
    CHECK(first.client.process == "curl");
    CHECK(first.client.uid == 1000);
    CHECK(first.forward_key == "web.shop.kind.web-0.80");
    CHECK(first.local_ip == "127.1.27.1");
    CHECK(first.local_port == 80);
    CHECK(first.pod_name == "web-0");
    CHECK(first.pod_port == 8080);
    CHECK(first.bytes_in == 7);
    CHECK(first.bytes_out == 9);
    CHECK(first.tunnel == 2);
    CHECK(first.transport == "spdy");
    CHECK(first.stalled);
    CHECK(first.since == open.since);
    CHECK(all.connections[1].state == "waiting");
    CHECK(all.connections[1].waiting_for == "tunnel");
    CHECK(all.connections[2].waiting_for == "pod");
    CHECK(all.connections[3].state == "closing");
    const auto json = data_of(daemon.ask("GET", "/api/v1/connections")).as_object()["connections"].as_array()[2].as_object();
    for (const auto* absent : {"podName", "podPort", "tunnel", "transport"}) CHECK_FALSE(json.contains(absent));
    CHECK_FALSE(json.at("client").as_object().contains("pid"));

    const auto of_db = read<wire::connection_list>(daemon.ask("GET", "/api/v1/services/db/connections"));
    CHECK(of_db.connections.size() == 1);
    const auto waiting = read<wire::connection_list>(daemon.ask("GET", "/api/v1/connections?state=waiting&limit=1"));
    REQUIRE(waiting.connections.size() == 1);
    CHECK(waiting.connections[0].id == 2);
    CHECK(waiting.waiting == 2);
}

TEST_CASE("no connections are an empty list, and a wrong question is told", "[api]")
{
    running_api daemon;
    const auto none = data_of(daemon.ask("GET", "/api/v1/services/web.shop/connections")).as_object();
    CHECK(none.at("connections").as_array().empty());
    CHECK(daemon.ask("GET", "/api/v1/services/nope/connections").status == 404);
    CHECK(daemon.ask("GET", "/api/v1/services/web/connections").status == 409);
    CHECK(daemon.ask("GET", "/api/v1/connections?state=lost").status == 400);
    CHECK(daemon.ask("POST", "/api/v1/connections").status == 405);
}
