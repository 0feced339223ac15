#include "daemon/api/router.hpp"
#include "tests/daemon/api/running_api.hpp"

#include <set>

using namespace fwd;
using namespace fwd::test;

TEST_CASE("every route answers what is asked rightly", "[api]")
{
    struct row {
        std::string method, target, body;
        unsigned status;
        std::string member; ///< that the data has
    };
    const auto row = GENERATE(values<struct row>({
        {"GET", "/api/v1/info", "", 200, "startTime"},
        {"GET", "/api/v1/status", "", 200, "summary"},
        {"GET", "/api/v1/services", "", 200, "services"},
        {"GET", "/api/v1/services?status=pending&namespace=shop&context=kind&search=DB&limit=1&offset=0", "", 200, "summary"},
        {"GET", "/api/v1/services/web.shop.kind", "", 200, "forwards"},
        {"GET", "/api/v1/services/web.shop.kind/", "", 200, "forwards"},
        {"GET", "/api/v1/services/shop%2Fweb", "", 200, "key"},
        {"GET", "/api/v1/services/db", "", 200, "localIP"},
        {"GET", "/api/v1/services/db/env", "", 200, "env"},
        {"GET", "/api/v1/services/db/env?format=shell", "", 200, "text"},
        {"GET", "/api/v1/forwards", "", 200, "forwards"},
        {"GET", "/api/v1/forwards?status=active&search=web-0", "", 200, "forwards"},
        {"GET", "/api/v1/forwards/web.shop.kind.web-0.80", "", 200, "podName"},
        {"GET", "/api/v1/forwards/db", "", 200, "servicePort"},
        {"GET", "/api/v1/forwards/web.shop.80", "", 200, "localPort"},
        {"GET", "/api/v1/namespaces", "", 200, "namespaces"},
        {"GET", "/api/v1/namespaces/shop.kind", "", 200, "running"},
        {"GET", "/api/v1/namespaces/shop", "", 200, "serviceCount"},
        {"GET", "/api/v1/kubernetes/contexts", "", 200, "currentContext"},
        {"GET", "/api/v1/kubernetes/namespaces", "", 200, "namespaces"},
        {"GET", "/api/v1/kubernetes/services?namespace=shop", "", 200, "services"},
        {"POST", "/api/v1/services", R"({"serviceName":"cart"})", 201, "hostnames"},
        {"POST", "/api/v1/services", R"({"serviceName":"web","namespace":"shop","ports":[{"port":80},{"port":"http","localPort":81}]})",
         200, "key"},
        {"POST", "/api/v1/namespaces", R"({"namespace":"data","wait":"ready","timeoutMs":1000})", 201, "notReady"},
        {"POST", "/api/v1/namespaces", R"({"namespace":"shop"})", 200, "key"},
        {"DELETE", "/api/v1/services/web.shop.kind", "", 200, "removed"},
        {"DELETE", "/api/v1/namespaces/shop.kind", "", 200, "removed"},
        {"PUT", "/api/v1/primary", R"({"namespace":"staging"})", 200, "moved"},
        {"POST", "/api/v1/token/rotate", "", 200, "path"},
        {"POST", "/api/v1/shutdown", "", 200, "services"},
        {"POST", "/api/v1/shutdown", R"({"force":true})", 200, "message"},
    }));
    running_api daemon;
    INFO(row.method << " " << row.target);
    const auto got = daemon.ask(row.method, row.target, row.body);
    CHECK(got.status == row.status);
    CHECK(got.fields.get("Content-Type") == "application/json");
    CHECK(got.fields.get("Cache-Control") == "no-store");
    const auto data = data_of(got);
    REQUIRE(data.is_object());
    CHECK(data.as_object().contains(row.member));
}

TEST_CASE("what is asked wrongly is told with a code and the place", "[api]")
{
    struct row {
        std::string method, target, body;
        unsigned status;
        std::string code, says;
    };
    const auto row = GENERATE(values<struct row>({
        {"GET", "/api/v2/services", "", 404, "not_found", "/api/v2/services"},
        {"GET", "/api/v1/services/a/b/c", "", 404, "not_found", "/a/b/c"},
        {"GET", "/api/v1/services/%zz", "", 400, "invalid_request", "percent"},
        {"PATCH", "/api/v1/services", "", 405, "method_not_allowed", "GET, HEAD, POST"},
        {"DELETE", "/api/v1/info", "", 405, "method_not_allowed", "GET, HEAD"},
        {"OPTIONS", "/api/v1/services/x", "", 405, "method_not_allowed", "GET, HEAD, DELETE"},
        {"GET", "/api/v1/services?limit=0", "", 400, "invalid_request", "'limit'"},
        {"GET", "/api/v1/services?limit=1001", "", 400, "invalid_request", "1 to 1000"},
        {"GET", "/api/v1/services?limit=ten", "", 400, "invalid_request", "'limit'"},
        {"GET", "/api/v1/forwards?offset=-1", "", 400, "invalid_request", "'offset'"},
        {"GET", "/api/v1/namespaces?offset=99999999999999999999", "", 400, "invalid_request", "'offset'"},
        {"GET", "/api/v1/services?status=fine", "", 400, "invalid_request", "active, partial"},
        {"GET", "/api/v1/forwards?status=fine", "", 400, "invalid_request", "'status'"},
        {"GET", "/api/v1/services/db/env?format=xml", "", 400, "invalid_request", "'format'"},
        {"GET", "/api/v1/events?type=Nonsense", "", 400, "invalid_request", "'type'"},
        {"GET", "/api/v1/kubernetes/services", "", 400, "invalid_request", "'namespace'"},
        {"GET", "/api/v1/kubernetes/services?namespace=nowhere", "", 404, "not_found", "nowhere"},
        {"GET", "/api/v1/services/wbe.shop.kind", "", 404, "not_found", "did you mean web.shop.kind or"},
        {"GET", "/api/v1/services/web", "", 409, "ambiguous", "web.shop.kind, web.staging.kind"},
        {"DELETE", "/api/v1/services/web", "", 409, "ambiguous", "web.staging.kind"},
        {"DELETE", "/api/v1/services/none", "", 404, "not_found", "none"},
        {"GET", "/api/v1/services/none/env", "", 404, "not_found", "none"},
        {"GET", "/api/v1/forwards/none", "", 404, "not_found", "none"},
        {"GET", "/api/v1/namespaces/none", "", 404, "not_found", "none"},
        {"DELETE", "/api/v1/namespaces/shpo", "", 404, "not_found", "did you mean shop"},
        {"POST", "/api/v1/services", "{\"serviceName\":", 400, "invalid_request", "byte 15"},
        {"POST", "/api/v1/services", "[]", 400, "invalid_request", "object"},
        {"POST", "/api/v1/services", "{}", 400, "invalid_request", "'serviceName'"},
        {"POST", "/api/v1/services", R"({"serviceName":7})", 400, "invalid_request", "'serviceName'"},
        {"POST", "/api/v1/services", R"({"serviceName":"web","ports":[{"port":70000}]})", 400, "invalid_request", "ports[0].port"},
        {"POST", "/api/v1/services", R"({"serviceName":"web","wait":"forever"})", 400, "invalid_request", "'wait'"},
        {"POST", "/api/v1/services", R"({"serviceName":"web","timeoutMs":0})", 400, "invalid_request", "'timeoutMs'"},
        {"POST", "/api/v1/services", R"({"serviceName":"web","localIP":"here"})", 400, "invalid_request", "'localIP'"},
        {"POST", "/api/v1/namespaces", "{}", 400, "invalid_request", "'namespace'"},
        {"POST", "/api/v1/shutdown", R"({"force":"yes"})", 400, "invalid_request", "'force'"},
    }));
    running_api daemon;
    INFO(row.method << " " << row.target << " " << row.body);
    const auto got = daemon.ask(row.method, row.target, row.body);
    CHECK(got.status == row.status);
    const auto problem = problem_of(got);
    CHECK(problem.code == row.code);
    CHECK_THAT(problem.message, Catch::Contains(row.says));
    CHECK((got.status == 405) == got.fields.has("Allow"));
}

TEST_CASE("an ambiguous key lists its candidates, an unknown one says where to look", "[api]")
{
    running_api daemon;
    CHECK(problem_of(daemon.ask("GET", "/api/v1/services/web")).evidence == std::vector<std::string>{"web.shop.kind", "web.staging.kind"});
    const auto next = problem_of(daemon.ask("GET", "/api/v1/services/none")).next;
    REQUIRE(next.size() == 1);
    CHECK(next[0].path == "/api/v1/services");
}

TEST_CASE("keys with slashes and colons work", "[api]")
{
    running_api daemon;
    auto odd = sample_service("web", "shop", 80);
    odd.context = "arn:aws:eks:eu-1:1:cluster/prod";
    daemon.state.put(odd);
    const auto got = read<wire::service>(daemon.ask("GET", "/api/v1/services/web.shop.arn:aws:eks:eu-1:1:cluster%2Fprod"));
    CHECK(got.context == "arn:aws:eks:eu-1:1:cluster/prod");
}

TEST_CASE("health needs no token and has no envelope", "[api]")
{
    running_api daemon;
    auto plain = daemon.request("GET", "/api/health");
    plain.fields = {};
    plain.fields.add("Host", "127.0.0.1:8080");
    const auto got = daemon.ask(plain);
    CHECK(got.status == 200);
    const auto body = parse_json(got.body);
    REQUIRE(body.has_value());
    const auto health = wire::from_json<wire::health>(*body);
    REQUIRE(health.has_value());
    CHECK(health->status == "degraded"); // db has no pod
    CHECK(health->version == "1.2.3");
    CHECK(health->uptime == "1m5s");
    CHECK_FALSE(body->as_object().contains("success"));
}

TEST_CASE("HEAD answers as GET does, without the body", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect();
    daemon.send(*over, wire_text(daemon.request("HEAD", "/api/v1/info")) + wire_text(daemon.request("GET", "/api/v1/info")));
    const auto text = daemon.read_for(*over, 1s);
    const auto length = text.find("Content-Length: ");
    REQUIRE(length != std::string::npos);
    const auto second = text.find("HTTP/1.1 200", 1);
    REQUIRE(second != std::string::npos);
    CHECK(text.substr(0, second).ends_with("\r\n\r\n"));
    CHECK(text.substr(length, 20) == text.substr(text.find("Content-Length: ", second), 20));
}

TEST_CASE("lists are cut by limit and offset and say how much there is", "[api]")
{
    running_api daemon;
    const auto got = daemon.ask("GET", "/api/v1/services?limit=2&offset=2");
    const auto envelope = wire::parse_envelope(got.body);
    REQUIRE(envelope.has_value());
    CHECK(envelope->about->total == 3);
    CHECK(envelope->about->count == 1);
    CHECK(envelope->about->offset == 2);
    CHECK(envelope->about->limit == 2);
    const auto list = read<wire::service_list>(got);
    REQUIRE(list.services.size() == 1);
    CHECK(list.services[0].key == "web.staging.kind");
    CHECK(list.summary.total_services == 3);
    CHECK(read<wire::service_list>(daemon.ask("GET", "/api/v1/services?offset=9")).services.empty());
    CHECK(daemon.ask("GET", "/api/v1/services?offset=9").body.find(R"("services":[])") != std::string::npos);
}

TEST_CASE("a service is shown with the names that kubefwd's clients know", "[api]")
{
    running_api daemon;
    const auto data = data_of(daemon.ask("GET", "/api/v1/services/web.shop.kind")).as_object();
    for (const auto* name :
         {"key", "serviceName", "namespace", "context", "headless", "status", "activeCount", "errorCount", "totalBytesIn", "totalBytesOut",
          "rateIn", "rateOut", "localIP", "hostnames", "forwards", "since", "verified", "pods", "owner"}) {
        INFO(name);
        CHECK(data.contains(name));
    }
    const auto forward = data.at("forwards").as_array().at(0).as_object();
    CHECK(forward.at("localPort").as_string() == "80");
    CHECK(forward.at("podPort").as_string() == "8080");
    CHECK(forward.at("status").as_string() == "Active");
    CHECK_FALSE(forward.contains("error"));
    CHECK_FALSE(forward.contains("lastError"));
}

TEST_CASE("an addition carries what was asked to the engine", "[api]")
{
    running_api daemon;
    auto ask = daemon.request(
        "POST", "/api/v1/services",
        R"({"serviceName":"cart","namespace":"shop","context":"kind","ports":[{"port":80,"localPort":8081},{"port":"grpc"}],)"
        R"("localIP":"127.1.30.1","wait":"reachable","timeoutMs":1500,"purpose":"a test"})");
    ask.fields.add("Fwd-Client", "claude/2.0; s1");
    CHECK(daemon.ask(ask).status == 201);
    REQUIRE(daemon.engine.services.size() == 1);
    const auto& got = daemon.engine.services[0];
    CHECK(got.service == "cart");
    CHECK(got.context == "kind");
    REQUIRE(got.ports.size() == 2);
    CHECK(got.ports[0].port == "80");
    CHECK(got.ports[0].local_port == 8081);
    CHECK(got.ports[1].port == "grpc");
    CHECK(got.local_ip == ipv4{0x7f011e01});
    CHECK(got.wait == catalog::wait_for::reachable);
    CHECK(got.timeout == 1500ms);
    CHECK(got.owner.client == "claude/2.0; s1");
    CHECK(got.owner.owner == "ann");
    CHECK(got.owner.purpose == "a test");
}

TEST_CASE("a refusal of the engine arrives with its evidence and what to do", "[api]")
{
    running_api daemon;
    daemon.engine.refuse = catalog::refusal{"forbidden", error{errc::forbidden, "pods/portforward may not be created in shop"}};
    daemon.engine.refuse->evidence = {"user ann"};
    daemon.engine.refuse->next.push_back({"POST", "/api/v1/services", R"({"serviceName":"x"})", "kubectl create role ...", "grants it"});
    const auto got = daemon.ask("POST", "/api/v1/services", R"({"serviceName":"web"})");
    CHECK(got.status == 403);
    const auto problem = problem_of(got);
    CHECK(problem.code == "forbidden");
    CHECK(problem.evidence == std::vector<std::string>{"user ann"});
    REQUIRE(problem.next.size() == 1);
    CHECK(problem.next[0].body.as_object().at("serviceName").as_string() == "x");
    CHECK(problem.next[0].command == "kubectl create role ...");
}

TEST_CASE("a refusal by the cluster is never a 401, which is for our own token", "[api]")
{
    running_api daemon;
    daemon.engine.refuse = catalog::refusal{error{errc::unauthorized, "list services: https://10.0.0.1: the token was not accepted"}};
    CHECK(daemon.ask("POST", "/api/v1/namespaces", R"({"namespace":"shop"})").status == 502);
}

TEST_CASE("shutdown is answered before it happens", "[api]")
{
    running_api daemon;
    CHECK(read<wire::shutdown_reply>(daemon.ask("POST", "/api/v1/shutdown", R"({"force":true})")).services == 3);
    CHECK(daemon.engine.ended == "at once");
}

TEST_CASE("connection strings come from port names and numbers, and hold no password", "[api]")
{
    running_api daemon;
    const auto info = read<wire::connection_info>(daemon.ask("GET", "/api/v1/services/db/env?format=shell"));
    CHECK(info.url == "postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}@db:5432/${POSTGRES_DB}");
    CHECK(info.env.at("DATABASE_URL") == info.url);
    CHECK(info.env.at("DB_HOST") == "db");
    CHECK(info.env.at("DB_IP") == "127.1.27.1");
    CHECK(info.env.at("DB_PORT") == "5432");
    CHECK_FALSE(info.verified);
    CHECK(info.text.find("export DB_PORT=\"5432\"\n") != std::string::npos);
}

TEST_CASE("the route table gives every route a right and no route twice", "[api]")
{
    std::set<std::string> seen;
    for (const auto& route : api::routes()) {
        CHECK(seen.insert(std::string{api::name_of(route.method)} + " " + std::string{route.pattern}).second);
        const std::set<std::string_view> open{"/", "/docs", "/openapi.yaml", "/api/health"};
        CHECK((route.right == api::access::open) == open.contains(route.pattern));
        CHECK((route.right == api::access::write) == (route.method != api::verb::get));
    }
}
