#include "tests/simcluster/bed.hpp"
#include "tests/simcluster/control.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdio>
#include <fstream>
#include <unistd.h>

using namespace fwd;
using namespace fwd::simcluster;
using namespace fwd::simcluster::test;

namespace {

struct controlled : bed {
    controlled() : control{loop.get_executor(), net, clock, log, *cluster, [this](const std::string& text) { credential = text; }} {}
    ~controlled() { clock.run(control.stop()); }
    json::object fault(std::string_view text)
    {
        const auto body = parse_json(text);
        REQUIRE(body.has_value());
        const auto answer = control.call("POST", "/faults", body->get_object());
        CHECK(answer.status == 200);
        return answer.body;
    }
    std::size_t ready_behind(std::string_view service, int port)
    {
        const auto truth = control.call("GET", "/truth", {});
        for (const auto& one : truth.body.at("ports").get_array())
            if (one.at("namespace") == "shop" && text_at(one.get_object(), "service") == service && one.at("port") == port)
                return one.at("pods").get_array().size();
        return 0;
    }
    std::string credential;
    control_server control;
};

} // namespace

TEST_CASE("faults by JSON reach what they name", "[simcluster][control]")
{
    controlled here;
    CHECK(here.ready_behind("web", 80) == 3);
    CHECK(here.fault(R"({"fault":"not_ready","service":"web"})").at("affected") == 3);
    CHECK(here.ready_behind("web", 80) == 0);
    here.fault(R"({"fault":"ready","service":"web"})");
    CHECK(here.ready_behind("web", 80) == 3);
    here.fault(R"({"fault":"ready_after","ms":2000})");
    here.fault(R"({"fault":"delete_pod","service":"cart","ms":0})");
    here.clock.advance(1900ms);
    CHECK(here.ready_behind("cart", 8080) == 0);
    here.clock.advance(200ms);
    CHECK(here.ready_behind("cart", 8080) == 1);
    here.fault(R"({"fault":"scale","workload":"idle","replicas":2})");
    here.clock.advance(3s);
    CHECK(here.ready_behind("idle", 80) == 2);
    here.fault(R"({"fault":"expire_token","user":"sim-exec"})");
    CHECK(here.credential == here.cluster->exec_credential());

    CHECK(here.control.call("POST", "/faults", {{"fault", "nonsense"}}).status == 400);
    CHECK(here.control.call("POST", "/faults", {}).status == 400);
    CHECK(here.control.call("GET", "/nothing", {}).status == 404);
}

TEST_CASE("a port can be refused, and heal ends every fault", "[simcluster][control]")
{
    controlled here;
    here.fault(R"({"fault":"refuse_port","service":"echo","port":7000})");
    here.fault(R"({"fault":"answer","status":500,"verb":"list"})");
    here.fault(R"({"fault":"deny","resources":["services"],"verbs":["get"]})");
    client asks{here};
    CHECK(asks.ask("GET", "/api/v1/pods").starts_with("HTTP/1.1 500"));
    CHECK(asks.ask("GET", "/api/v1/namespaces/shop/services/web").starts_with("HTTP/1.1 403"));
    {
        tunnel_client tunnel{here, here.pod_of("echo")};
        tunnel.open_pair(1, "7000");
        CHECK(tunnel.heard().at(3).back() == "reset 5");
    }
    here.fault(R"({"fault":"heal"})");
    CHECK(asks.ask("GET", "/api/v1/pods").starts_with("HTTP/1.1 200"));
    CHECK(asks.ask("GET", "/api/v1/namespaces/shop/services/web").starts_with("HTTP/1.1 200"));
    tunnel_client tunnel{here, here.pod_of("echo")};
    tunnel.open_pair(1, "7000");
    CHECK(tunnel.heard().at(3) == words{"reply"});
}

TEST_CASE("a server that is down refuses, and comes back at its place", "[simcluster][control]")
{
    controlled here;
    client before{here};
    CHECK(before.ask("GET", "/version").starts_with("HTTP/1.1 200"));
    here.fault(R"({"fault":"server_down"})");
    here.clock.settle();
    (void)before.receive();
    CHECK(before.ended);
    CHECK_FALSE(here.clock.run(here.net.connect(here.at)).has_value());
    here.fault(R"({"fault":"server_down","on":false})");
    client after{here};
    CHECK(after.ask("GET", "/version").starts_with("HTTP/1.1 200"));
}

TEST_CASE("garbage appears where frames or events are expected", "[simcluster][control]")
{
    controlled here;
    client watches{here};
    (void)watches.ask("GET", "/api/v1/pods?watch=1&resourceVersion=999999");
    tunnel_client tunnel{here, here.pod_of("echo")};
    CHECK(here.fault(R"({"fault":"garbage","connections":"watches","hex":"4142"})").at("affected") == 1);
    CHECK(watches.receive() == "2\r\nAB\r\n");
    here.fault(R"({"fault":"garbage","connections":"tunnels","hex":"ffff"})");
    CHECK(tunnel.http.receive() == "\xff\xff");
}

TEST_CASE("objects given by JSON come alive", "[simcluster][control]")
{
    controlled here;
    const auto body = parse_json(R"({"put":[
      {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"extra"}},
      {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"secure","namespace":"extra"},"spec":{"replicas":1,"template":{
        "metadata":{"labels":{"app":"secure"},"annotations":{"sim.fwd.dev/apps":"8443=tls-echo 7000=echo"}},
        "spec":{"containers":[{"name":"c","image":"i"}]}}}},
      {"apiVersion":"v1","kind":"Service","metadata":{"name":"secure","namespace":"extra"},"spec":{"selector":{"app":"secure"},
        "ports":[{"port":443,"targetPort":8443}]}}]})");
    REQUIRE(body.has_value());
    CHECK(here.control.call("POST", "/objects", body->get_object()).body.at("changed") == 3);
    here.clock.advance(1s);
    const auto pod = here.pod_of("secure", "extra");
    tunnel_client tunnel{here, pod};
    tunnel.open_pair(1, "7000");
    tunnel.data(3, "alive");
    CHECK(tunnel.heard().at(3) == words{"reply", "alive"});

    const auto gone = parse_json(R"({"delete":[{"apiVersion":"apps/v1","kind":"Deployment","namespace":"extra","name":"secure"}]})");
    CHECK(here.control.call("POST", "/objects", gone->get_object()).body.at("changed") == 1);
    here.clock.advance(1s);
    CHECK(here.cluster->pods_of_service({"extra", "secure"}).empty());
    CHECK(here.control.call("POST", "/objects", {{"put", json::array{json::object{{"kind", "Unknown"}}}}}).status == 400);
}

TEST_CASE("a scenario happens at its times", "[simcluster][control]")
{
    controlled here;
    std::string file = "/tmp/scenario-XXXXXX";
    const int made = ::mkstemp(file.data());
    REQUIRE(made >= 0);
    ::close(made);
    std::ofstream{file} << "# two "
                           "steps\n\n{\"at_ms\":100,\"fault\":\"not_ready\",\"service\":\"web\"}\n{\"at_ms\":300,\"fault\":\"ready\","
                           "\"service\":\"web\"}\n";
    CHECK(here.control.load_scenario(file).has_value());
    here.clock.advance(99ms);
    CHECK(here.ready_behind("web", 80) == 3);
    here.clock.advance(2ms);
    CHECK(here.ready_behind("web", 80) == 0);
    here.clock.advance(200ms);
    CHECK(here.ready_behind("web", 80) == 3);
    std::ofstream{file} << "{\"at_ms\":1}\nnot json\n";
    const auto bad = here.control.load_scenario(file);
    REQUIRE(bad.has_error());
    CHECK(bad.error().message().find("line 2") != std::string::npos);
    std::remove(file.c_str());
    CHECK(here.control.load_scenario(file).has_error());
}

TEST_CASE("the control port answers over HTTP", "[simcluster][control]")
{
    controlled here;
    const auto at = here.control.listen(make_endpoint(ipv4{0x7f000001}, 9999));
    REQUIRE(at.has_value());
    here.at = *at;
    client asks{here};
    CHECK(body_of(asks.ask("GET", "/counters")).at("connections") == 0);
    CHECK(asks.ask("POST", "/faults", {}, "[1]").starts_with("HTTP/1.1 400"));
    CHECK(asks.ask("POST", "/faults", {}, R"({"fault":"gone"})").starts_with("HTTP/1.1 200"));
}
