#include "bridge/cli/ask.hpp"
#include "tests/bridge/cli/cli_bed.hpp"

using namespace fwd;
using namespace fwd::cli::test;
namespace json = boost::json;

TEST_CASE("get tells all that is known of a service, and of a namespace", "[cli]")
{
    cli_bed b;
    b.daemon.data(
        "GET /api/v1/services/web.shop",
        service_text("web", "shop", "error", R"(,"reason":"crash\u001b[2J","conflicts":[{"name":"web","heldBy":"hosts line 3"}])"));
    CHECK(b.run(cli::get(b.desk(), about<cli::service_arguments>({"shop/web"}))) == cli::done);
    CHECK_THAT(b.out, Catch::Contains("web.shop.kind\nstatus      error") && Catch::Contains("why         crash\ufffd[2J") &&
                          Catch::Contains("address     127.1.27.4") && Catch::Contains("conflict    name web is held by hosts line 3") &&
                          Catch::Contains("80 -> p:8080 Active"));
    b.out.clear();
    b.daemon.data("GET /api/v1/namespaces/shop", R"({"key":"shop.kind","serviceCount":3})");
    CHECK(b.run(cli::get(b.desk(cli::format::json), about<cli::service_arguments>({"shop/"}))) == cli::done);
    CHECK(json::parse(b.out).at("serviceCount") == 3);
    CHECK(b.run(cli::get(b.desk(), about<cli::service_arguments>({"nope"}))) == cli::failed);
}

TEST_CASE("find names all contexts that lead to a service, and one to use with -o name", "[cli]")
{
    cli_bed b;
    b.daemon.data(
        "GET /api/v1/kubernetes/find",
        R"({"services":[{"name":"db","namespace":"shop","context":"kind","contexts":["kind","kind-admin"],"ports":[{"port":5432}],)"
        R"("kinds":[],"matched":["name"],"forwarded":false}],"unreachable":[]})");
    CHECK(b.run(cli::find(b.desk(), {})) == cli::done);
    CHECK_THAT(b.out, Catch::Contains("kind,kind-admin"));
    b.out.clear();
    CHECK(b.run(cli::find(b.desk(cli::format::name), {})) == cli::done);
    CHECK(b.out == "db.shop.kind\n");
}

TEST_CASE("find shows where something is, and which contexts could not be searched", "[cli]")
{
    cli_bed b;
    b.daemon.data(
        "GET /api/v1/kubernetes/find",
        R"({"services":[{"name":"db","namespace":"shop","context":"kind","type":"ClusterIP","ports":[{"port":5432}],"kinds":["postgres"],)"
        R"("matched":["port 5432"],"forwarded":true,"forwardKey":"db.shop.kind"}],"unreachable":[{"context":"prod","error":"token expired"}]})");
    cli::find_arguments what;
    what.kind = "postgres";
    CHECK(b.run(cli::find(b.desk(), what)) == cli::done);
    CHECK(b.out == "SERVICE  NAMESPACE  CONTEXT  PORTS  KIND      FORWARDED  MATCHED\n"
                   "db       shop       kind     5432   postgres  yes        port 5432\n");
    CHECK(b.err == "context prod was not searched: token expired\n");
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("kind=postgres"));
    b.out.clear();
    CHECK(b.run(cli::find(b.desk(cli::format::name), what)) == cli::done);
    CHECK(b.out == "db.shop.kind\n");
    b.daemon.script.clear();
    b.daemon.data("GET /api/v1/kubernetes/find", R"({"services":[],"unreachable":[]})");
    CHECK(b.run(cli::find(b.desk(), what)) == cli::failed);
}

TEST_CASE("env writes lines to source, of one service or of all, or one object", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/services/db/env", R"({"key":"db.shop.kind","env":{"PGHOST":"db"},"text":"PGHOST=db"})");
    b.daemon.data("GET /api/v1/services/web/env",
                  R"({"key":"web.shop.kind","env":{"WEB_URL":"http://web"},"text":"WEB_URL=http://web\n"})");
    b.daemon.data("GET /api/v1/env", R"({"env":{"A":"1"},"text":"A=1\n"})");
    CHECK(b.run(cli::env(b.desk(), about<cli::env_arguments>({"db", "web"}))) == cli::done);
    CHECK(b.out == "PGHOST=db\nWEB_URL=http://web\n");
    CHECK_THAT(b.daemon.requests.front().target, Catch::Contains("format=dotenv"));
    b.out.clear();
    CHECK(b.run(cli::env(b.desk(), {})) == cli::done);
    CHECK(b.out == "A=1\n");
    b.out.clear();
    auto as_json = about<cli::env_arguments>({"db", "web"});
    as_json.as = "json";
    CHECK(b.run(cli::env(b.desk(), as_json)) == cli::done);
    CHECK(json::parse(b.out) == json::parse(R"({"PGHOST":"db","WEB_URL":"http://web"})"));
}

TEST_CASE("check tells each step of the way, and fails where one does", "[cli]")
{
    cli_bed b;
    const bool good = GENERATE(true, false);
    b.daemon.data("POST /api/v1/services/web/check",
                  fmt::format(R"({{"stages":[{{"stage":"name","ok":true,"durationMs":0.5,"detail":"127.1.27.4"}},{{"stage":"http","ok":{},)"
                              R"("durationMs":12.25,"detail":"503"}}],"verdict":"{}"}})",
                              good, good ? "works" : "the pod answers 503"));
    auto what = about<cli::check_arguments>({"web"});
    what.port = "80";
    what.path = "/health";
    what.expect_status = 200;
    CHECK(b.run(cli::check(b.desk(), what)) == (good ? cli::done : cli::failed));
    CHECK_THAT(b.out, Catch::Contains("name   ok") && Catch::Contains(good ? "web: works" : "web: the pod answers 503"));
    CHECK(json::parse(b.daemon.requests.back().body) ==
          json::parse(R"({"timeoutMs":10000,"port":80,"path":"/health","expectStatus":200})"));
}

TEST_CASE("wait returns when all is ready, tells how far it is, and fails in time with the reasons", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "pending", R"(,"reason":"no pod is ready")"), 200, 500ms);
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "active"));
    CHECK(b.run(cli::wait_for(b.desk(), about<cli::wait_arguments>({"web"}))) == cli::done);
    CHECK(b.out == "web is ready\n");
    CHECK(b.err == "0/1 services ready; web is pending: no pod is ready\n");
    b.err.clear();
    b.daemon.data("GET /api/v1/services/db", service_text("db", "shop", "error", R"(,"reason":"crash-looping")"));
    auto short_wait = about<cli::wait_arguments>({"db"});
    short_wait.timeout = 2s;
    CHECK(b.run(cli::wait_for(b.desk(), short_wait)) == cli::failed);
    CHECK_THAT(b.err, Catch::Contains("not ready within 2 s\n  db: error: crash-looping"));
}

TEST_CASE("wait for reachable makes a connection", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "active", R"(,"verified":false)"));
    b.daemon.data("POST /api/v1/services/web/check", R"({"stages":[{"stage":"tunnel","ok":true}]})");
    auto what = about<cli::wait_arguments>({"web"});
    what.until = "reachable";
    CHECK(b.run(cli::wait_for(b.desk(), what)) == cli::done);
    CHECK(b.out == "web is reachable\n");
}

TEST_CASE("reconnect takes a service, those in error, or all", "[cli]")
{
    cli_bed b;
    b.daemon.data("POST /api/v1/services/web.shop/reconnect", R"({"triggered":1,"services":["web.shop.kind"]})");
    b.daemon.data("POST /api/v1/services/reconnect", R"({"triggered":1,"services":["db.shop.kind"]})");
    CHECK(b.run(cli::reconnect(b.desk(), about<cli::reconnect_arguments>({"shop/web"}))) == cli::done);
    cli::reconnect_arguments errors;
    errors.errors = true;
    CHECK(b.run(cli::reconnect(b.desk(), errors)) == cli::done);
    CHECK(b.out == "web.shop reconnects\ndb.shop.kind reconnects\n");
    CHECK(json::parse(b.daemon.requests.back().body).at("scope") == "errors");
}

TEST_CASE("logs are those of a pod of the service, without what would steer the terminal", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "active"));
    b.daemon.data("GET /api/v1/kubernetes/pods/shop/p/logs", R"({"podName":"p","logs":["one","\u001b[31mtwo"],"lineCount":2})");
    CHECK(b.run(cli::pod_logs(b.desk(), about<cli::log_arguments>({"web"}))) == cli::done);
    CHECK(b.out == "one\n\ufffd[31mtwo\n");
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("tail_lines=100") && Catch::Contains("context=kind"));
}

TEST_CASE("traffic shows what flowed and flows", "[cli]")
{
    cli_bed b;
    b.services({service_text("web", "shop", "active", R"(,"totalBytesIn":2048,"rateOut":1024)")});
    CHECK(b.run(cli::traffic(b.desk(), {}, *b.random)) == cli::done);
    CHECK(b.out == "SERVICE        IN       OUT  IN NOW  OUT NOW    OPEN\nweb.shop.kind  2.0 KiB  0 B  0 B/s   1.0 KiB/s  0\n");
}

TEST_CASE("what is followed ends with the daemon, in a sentence and with exit 3", "[cli]")
{
    cli_bed b;
    b.services({service_text("web", "shop", "active")});
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "active"));
    b.daemon.data("GET /api/v1/info", R"({"version":"1","pid":7})");
    b.daemon.stream("GET /api/v1/events", ": hello\n\n", 2s);
    b.daemon.stream("GET /api/v1/kubernetes/pods/shop/p/logs", "data: {\"line\":\"one\"}\n\n", 2s);
    b.clock.call_after(1s, [&] { b.daemon.down(); });
    int code = 0;
    if (const bool traffic = GENERATE(true, false)) {
        auto what = about<cli::traffic_arguments>({"web"});
        what.follow = traffic;
        code = b.run(cli::traffic(b.desk(), what, *b.random));
    } else {
        auto what = about<cli::log_arguments>({"web"});
        what.follow = true;
        code = b.run(cli::pod_logs(b.desk(), what));
        CHECK(b.out == "one\n");
    }
    CHECK(code == cli::not_running);
    CHECK(b.err == "fwd: the daemon has ended\n");
}

TEST_CASE("a pod's log that ends while the daemon goes on is done", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "active"));
    b.daemon.stream("GET /api/v1/kubernetes/pods/shop/p/logs", "data: {\"line\":\"one\"}\n\n");
    auto what = about<cli::log_arguments>({"web"});
    what.follow = true;
    CHECK(b.run(cli::pod_logs(b.desk(), what)) == cli::done);
    CHECK(b.err == "the log has ended\n");
}

TEST_CASE("wait for a service that nobody forwards ends within seconds, with what was meant", "[cli]")
{
    cli_bed b;
    b.daemon.error("GET /api/v1/services/wbe", 404,
                   R"({"code":"not_found","message":"service 'wbe' is not forwarded; did you mean web?"})");
    const auto before = b.clock.now();
    CHECK(b.run(cli::wait_for(b.desk(), about<cli::wait_arguments>({"wbe"}))) == cli::failed);
    CHECK(b.clock.now() - before < 6s);
    CHECK_THAT(b.err, Catch::Contains("\nfwd: service 'wbe' is not forwarded; did you mean web?\n"));
}

TEST_CASE("wait for a namespace that nobody forwards says so instead of being done at once", "[cli]")
{
    cli_bed b;
    b.services({});
    b.daemon.error("GET /api/v1/namespaces/nope", 404, R"({"code":"not_found","message":"namespace 'nope' is not forwarded"})");
    CHECK(b.run(cli::wait_for(b.desk(), about<cli::wait_arguments>({"nope/"}))) == cli::failed);
    CHECK_THAT(b.err, Catch::Contains("namespace 'nope' is not forwarded"));
}

TEST_CASE("several answers are one document: an array; one is itself", "[cli]")
{
    cli_bed b;
    for (const auto* name : {"web", "db"})
        b.daemon.data(fmt::format("GET /api/v1/services/{}", name), service_text(name, "shop", "active"));
    CHECK(b.run(cli::get(b.desk(cli::format::json), about<cli::service_arguments>({"web", "db"}))) == cli::done);
    const auto both = json::parse(b.out);
    REQUIRE(both.is_array());
    CHECK(both.at(1).at("serviceName") == "db");
    b.out.clear();
    CHECK(b.run(cli::get(b.desk(cli::format::json), about<cli::service_arguments>({"web"}))) == cli::done);
    CHECK(json::parse(b.out).at("serviceName") == "web");
}

TEST_CASE("contexts shows which are in use and which fail", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/kubernetes/contexts",
                  R"({"currentContext":"kind","contexts":[{"name":"kind","server":"https://k","active":true,"reachable":true},)"
                  R"({"name":"prod","server":"https://p","namespace":"web","error":"token expired"}]})");
    CHECK(b.run(cli::contexts(b.desk())) == cli::done);
    CHECK(b.out == "CONTEXT  ALIAS  STATE   NAMESPACE  SERVER     WHY\nkind *   -      in use  default    https://k\nprod     -      error "
                   "  web        https://p  token expired\n");
}

TEST_CASE("doctor fails where a check does, and says what helps", "[cli]")
{
    cli_bed b;
    b.daemon.data(
        "GET /api/v1/doctor",
        R"({"findings":[{"check":"hosts","ok":true,"detail":"as written"},{"check":"port 80","ok":false,"detail":"held by nginx","fix":"stop nginx"}]})");
    CHECK(b.run(cli::doctor(b.desk(), 80)) == cli::failed);
    CHECK_THAT(b.out, Catch::Contains("hosts    ok      as written") && Catch::Contains("port 80: stop nginx"));
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("port=80"));
}

TEST_CASE("every question exits with 3 when no daemon runs", "[cli]")
{
    cli_bed b;
    b.daemon.down();
    const int which = GENERATE(range(0, 10));
    int code = 0;
    cli::find_arguments query;
    query.query = "x";
    if (which == 0) code = b.run(cli::get(b.desk(), about<cli::service_arguments>({"web"})));
    if (which == 1) code = b.run(cli::find(b.desk(), query));
    if (which == 2) code = b.run(cli::env(b.desk(), {}));
    if (which == 3) code = b.run(cli::check(b.desk(), about<cli::check_arguments>({"web"})));
    if (which == 4) code = b.run(cli::wait_for(b.desk(), about<cli::wait_arguments>({"web"})));
    if (which == 5) code = b.run(cli::reconnect(b.desk(), about<cli::reconnect_arguments>({"web"})));
    if (which == 6) code = b.run(cli::pod_logs(b.desk(), about<cli::log_arguments>({"web"})));
    if (which == 7) code = b.run(cli::traffic(b.desk(), {}, *b.random));
    if (which == 8) code = b.run(cli::contexts(b.desk()));
    if (which == 9) code = b.run(cli::doctor(b.desk(), 0));
    CHECK(code == cli::not_running);
    CHECK_THAT(b.err, Catch::Contains("not running") && Catch::Contains("fwd start"));
}
