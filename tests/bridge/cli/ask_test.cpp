#include "bridge/cli/ask.hpp"
#include "common/async/random.hpp"
#include "tests/bridge/scripted_daemon.hpp"

using namespace fwd;
using namespace fwd::bridge::test;
namespace json = boost::json;

namespace {

struct bench {
    asio::io_context loop{1};
    virtual_clock clock{loop};
    scripted_daemon daemon{loop, clock};
    bridge::rest_client rest = daemon.client();
    std::string out, err;
    cli::screen on;

    bench()
    {
        daemon.up();
        on.out = [this](std::string_view text) { out += text; };
        on.err = [this](std::string_view text) { err += text; };
    }
    cli::desk desk(cli::format as = cli::format::table) { return {.rest = rest, .clock = clock, .log = daemon.log, .on = on, .as = as}; }
    int run(awaitable<int> verb) { return clock.run(std::move(verb)); }
    void services(std::string_view list, int total)
    {
        daemon.page("GET /api/v1/services", fmt::format(R"({{"services":[{}],"summary":{}}})", list, summary_text(total, total)), total);
    }
};

template <class A>
A about(std::vector<std::string> words)
{
    A out;
    out.words = std::move(words);
    return out;
}

} // namespace

TEST_CASE("get tells all that is known of a service, and of a namespace", "[cli]")
{
    bench b;
    b.daemon.data(
        "GET /api/v1/services/web.shop",
        service_text("web", "shop", "error", R"(,"reason":"crash\u001b[2J","conflicts":[{"name":"web","heldBy":"hosts line 3"}])"));
    CHECK(b.run(cli::get(b.desk(), about<cli::service_arguments>({"shop/web"}))) == cli::done);
    CHECK_THAT(b.out, Catch::Contains("web.shop.kind\nstatus      error") && Catch::Contains("why         crash\ufffd[2J") &&
                          Catch::Contains("address     127.1.27.4") && Catch::Contains("not         web: held by hosts line 3") &&
                          Catch::Contains("80 -> p:8080 Active"));
    b.out.clear();
    b.daemon.data("GET /api/v1/namespaces/shop", R"({"key":"shop.kind","serviceCount":3})");
    CHECK(b.run(cli::get(b.desk(cli::format::json), about<cli::service_arguments>({"shop/"}))) == cli::done);
    CHECK(json::parse(b.out).at("serviceCount") == 3);
    CHECK(b.run(cli::get(b.desk(), about<cli::service_arguments>({"nope"}))) == cli::failed);
}

TEST_CASE("find shows where something is, and which contexts could not be searched", "[cli]")
{
    bench b;
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
    bench b;
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
    bench b;
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
    bench b;
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
    bench b;
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "active", R"(,"verified":false)"));
    b.daemon.data("POST /api/v1/services/web/check", R"({"stages":[{"stage":"tunnel","ok":true}]})");
    auto what = about<cli::wait_arguments>({"web"});
    what.until = "reachable";
    CHECK(b.run(cli::wait_for(b.desk(), what)) == cli::done);
    CHECK(b.out == "web is reachable\n");
}

TEST_CASE("reconnect takes a service, those in error, or all", "[cli]")
{
    bench b;
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
    bench b;
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "active"));
    b.daemon.data("GET /api/v1/kubernetes/pods/shop/p/logs", R"({"podName":"p","logs":["one","\u001b[31mtwo"],"lineCount":2})");
    CHECK(b.run(cli::pod_logs(b.desk(), about<cli::log_arguments>({"web"}))) == cli::done);
    CHECK(b.out == "one\n\ufffd[31mtwo\n");
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("tail_lines=100") && Catch::Contains("context=kind"));
}

TEST_CASE("traffic shows what flowed and flows", "[cli]")
{
    bench b;
    b.services(service_text("web", "shop", "active", R"(,"totalBytesIn":2048,"rateOut":1024)"), 1);
    const auto chance = make_system_random();
    CHECK(b.run(cli::traffic(b.desk(), {}, *chance)) == cli::done);
    CHECK(b.out == "SERVICE        IN       OUT  IN NOW  OUT NOW    OPEN\nweb.shop.kind  2.0 KiB  0 B  0 B/s   1.0 KiB/s  0\n");
}

TEST_CASE("contexts shows which are in use and which fail", "[cli]")
{
    bench b;
    b.daemon.data("GET /api/v1/kubernetes/contexts",
                  R"({"currentContext":"kind","contexts":[{"name":"kind","server":"https://k","active":true,"reachable":true},)"
                  R"({"name":"prod","server":"https://p","namespace":"web","error":"token expired"}]})");
    CHECK(b.run(cli::contexts(b.desk())) == cli::done);
    CHECK(b.out == "CONTEXT  ALIAS  STATE   NAMESPACE  SERVER     WHY\nkind *   -      in use  default    https://k\nprod     -      error "
                   "  web        https://p  token expired\n");
}

TEST_CASE("doctor fails where a check does, and says what helps", "[cli]")
{
    bench b;
    b.daemon.data(
        "GET /api/v1/doctor",
        R"({"findings":[{"check":"hosts","ok":true,"detail":"as written"},{"check":"port 80","ok":false,"detail":"held by nginx","fix":"stop nginx"}]})");
    CHECK(b.run(cli::doctor(b.desk(), 80)) == cli::failed);
    CHECK_THAT(b.out, Catch::Contains("hosts    ok      as written") && Catch::Contains("port 80: stop nginx"));
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("port=80"));
}

TEST_CASE("completion offers verbs, flags' values, and what the daemon knows", "[cli]")
{
    bench b;
    b.services(
        service_text("web", "shop", "active") + "," + service_text("web", "qa", "active") + "," + service_text("db", "shop", "active"), 3);
    b.daemon.data("GET /api/v1/kubernetes/contexts", R"({"contexts":[{"name":"kind"},{"name":"prod"}]})");
    b.daemon.data("GET /api/v1/kubernetes/namespaces", R"({"namespaces":[{"name":"shop"},{"name":"staging"}]})");
    b.daemon.data("GET /api/v1/kubernetes/services",
                  R"({"services":[{"name":"cart","namespace":"shop"},{"name":"web","namespace":"shop"}]})");
    const auto offers = [&](std::vector<std::string> line) {
        b.out.clear();
        CHECK(b.run(cli::complete(b.desk(), std::move(line))) == cli::done);
        return b.out;
    };
    CHECK(offers({"rec"}) == "reconnect\n");
    CHECK(offers({"ls", "-o", "j"}) == "json\n");
    CHECK(offers({"ls", "-x", ""}) == "kind\nprod\n");
    CHECK(offers({"ls", "-n", "st"}) == "staging\n");
    CHECK(offers({"env", ""}) == "db\nweb.qa\nweb.shop\n");
    CHECK(offers({"env", "web.shop."}) == "web.shop.kind\n");
    CHECK(offers({"rm", "sh"}) == "shop/\n");
    CHECK(offers({"add", "shop/c"}) == "shop/cart\n");
    CHECK(offers({"wait", "--for", "rea"}) == "reachable\nready\n");
    CHECK_THAT(offers({"logs", "--"}), Catch::Contains("--previous"));
    b.daemon.down();
    CHECK(offers({"env", ""}).empty());
    for (const auto* shell : {"bash", "zsh", "fish"})
        CHECK_THAT(std::string{cli::completion_script(shell)}, Catch::Contains("fwd __complete"));
}

TEST_CASE("every question exits with 3 when no daemon runs", "[cli]")
{
    bench b;
    b.daemon.down();
    const int which = GENERATE(range(0, 10));
    const auto chance = make_system_random();
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
    if (which == 7) code = b.run(cli::traffic(b.desk(), {}, *chance));
    if (which == 8) code = b.run(cli::contexts(b.desk()));
    if (which == 9) code = b.run(cli::doctor(b.desk(), 0));
    CHECK(code == cli::not_running);
    CHECK_THAT(b.err, Catch::Contains("not running") && Catch::Contains("fwd start"));
}
