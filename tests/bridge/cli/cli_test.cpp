#include "tests/bridge/cli/cli_bed.hpp"

using namespace fwd;
using namespace fwd::cli::test;
namespace json = boost::json;

namespace {

const std::string added_text =
    R"({"key":"web.shop.kind","serviceName":"web","namespace":"shop","context":"kind","localIP":"127.1.27.4","hostnames":["web"],)"
    R"("ports":[{"localPort":"80","remotePort":"80","protocol":"TCP"}],"status":"active","created":true,"ready":true})";

} // namespace

TEST_CASE("ls shows for each service its address, names, ports, state and why it is not active", "[cli]")
{
    cli_bed b;
    b.services(
        {service_text("web", "shop", "active"),
         service_text("db", "shop", "pending",
                      R"(,"reason":"no pod is ready","hostnames":[],"conflicts":[{"name":"db","heldBy":"hosts file line 3"}])"),
         service_text("udp", "shop", "unsupported",
                      R"(,"localIP":"","forwards":[],"unsupportedPorts":[{"port":53,"protocol":"UDP","reason":"UDP is not forwarded"}])")},
        1);
    CHECK(b.run(cli::list(b.desk(), {})) == cli::done);
    CHECK(b.out ==
          "SERVICE  NAMESPACE  ADDRESS     PORTS  STATE        NAMES         WHY\n"
          "web      shop       127.1.27.4  80     active       web web.shop\n"
          "db       shop       127.1.27.4  80     pending      -             no pod is ready; name db is held by hosts file line 3\n"
          "udp      shop       -           -      unsupported  udp udp.shop  UDP is not forwarded\n");
    CHECK(b.err.empty());
}

TEST_CASE("ls has a context column only where there are several, and more columns when wide", "[cli]")
{
    cli_bed b;
    b.services({service_text("web", "shop", "active"), service_text("web", "shop", "active", R"(,"context":"prod")")}, 2);
    CHECK(b.run(cli::list(b.desk(), {})) == cli::done);
    CHECK_THAT(b.out, Catch::StartsWith("SERVICE  NAMESPACE  CONTEXT"));
    b.out.clear();
    CHECK(b.run(cli::list(b.desk(cli::format::wide), {})) == cli::done);
    CHECK_THAT(b.out, Catch::Contains("OWNER") && Catch::Contains("tester/1; x") && Catch::Contains("1/1"));
}

TEST_CASE("what is active without proof is marked", "[cli]")
{
    cli_bed b;
    b.services({service_text("web", "shop", "active", R"(,"verified":false)")}, 1);
    b.on.out_is_terminal = true;
    CHECK(b.run(cli::list(b.desk(), {})) == cli::done);
    CHECK_THAT(b.out, Catch::Contains("active*"));
    CHECK_THAT(b.err, Catch::Contains("no connection was made yet"));
}

TEST_CASE("colour is for terminals", "[cli]")
{
    cli_bed b;
    b.services({service_text("web", "shop", "active")}, 1);
    b.on.colour = true;
    CHECK(b.run(cli::list(b.desk(), {})) == cli::done);
    CHECK_THAT(b.out, Catch::Contains("\x1b[32mactive\x1b[0m"));
}

TEST_CASE("cluster text cannot steer the terminal", "[cli]")
{
    cli_bed b;
    b.services({service_text("web", "shop", "error", R"(,"reason":"\u001b[2J\nboo")")}, 0);
    CHECK(b.run(cli::list(b.desk(), {})) == cli::done);
    CHECK(b.out.find('\x1b') == std::string::npos);
    CHECK(std::count(b.out.begin(), b.out.end(), '\n') == 2);
}

TEST_CASE("ls writes names, JSON and YAML", "[cli]")
{
    cli_bed b;
    b.services({service_text("web", "shop", "active")}, 1);
    CHECK(b.run(cli::list(b.desk(cli::format::name), {})) == cli::done);
    CHECK(b.out == "web.shop.kind\n");
    b.out.clear();
    CHECK(b.run(cli::list(b.desk(cli::format::json), {})) == cli::done);
    CHECK(json::parse(b.out).at("services").at(0).at("key") == "web.shop.kind");
    b.out.clear();
    CHECK(b.run(cli::list(b.desk(cli::format::yaml), {})) == cli::done);
    CHECK_THAT(b.out, Catch::StartsWith("services:\n  - key: web.shop.kind\n    serviceName: web\n"));
}

TEST_CASE("an empty list is no error, and json says []", "[cli]")
{
    cli_bed b;
    b.services({}, 0);
    CHECK(b.run(cli::list(b.desk(), {})) == cli::done);
    CHECK(b.out.empty());
    CHECK_THAT(b.err, Catch::Contains("Nothing is forwarded"));
    CHECK(b.run(cli::list(b.desk(cli::format::json), {})) == cli::done);
    CHECK(json::parse(b.out).at("services") == json::array{});
}

TEST_CASE("every verb exits with 3 when no daemon runs, and says what starts one", "[cli]")
{
    cli_bed b;
    b.daemon.down();
    cli::add_arguments what;
    what.words = {"web", "shop/"};
    cli::remove_arguments gone;
    gone.words = {"web", "api"};
    cli::remove_arguments all;
    all.all = true;
    const int which = GENERATE(range(0, 8));
    int code = 0;
    if (which == 0) code = b.run(cli::list(b.desk(), {}));
    if (which == 1) code = b.run(cli::add(b.desk(), what));
    if (which == 2) code = b.run(cli::remove(b.desk(), gone));
    if (which == 3) code = b.run(cli::remove(b.desk(), all));
    if (which == 4) code = b.run(cli::status(b.desk()));
    if (which == 5) code = b.run(cli::stop(b.desk(), false));
    if (which == 6) code = b.run(cli::socket_path(b.desk()));
    if (which == 7) code = b.run(cli::rotate_token(b.desk()));
    CHECK(code == cli::not_running);
    CHECK(b.out.empty());
    CHECK_THAT(b.err, Catch::Contains("not running") && Catch::Contains("try: fwd start"));
    CHECK(b.err.find("not running") == b.err.rfind("not running"));
}

TEST_CASE("add tells where a service is", "[cli]")
{
    cli_bed b;
    b.daemon.data("POST /api/v1/services", added_text, 201);
    cli::add_arguments what;
    what.words = {"shop/web"};
    what.context = "kind";
    what.timeout = 5s;
    CHECK(b.run(cli::add(b.desk(), what)) == cli::done);
    CHECK(b.out == "web.shop.kind is forwarded: 127.1.27.4:80 as web\n");
    CHECK(json::parse(b.daemon.requests.at(0).body) ==
          json::parse(R"({"serviceName":"web","namespace":"shop","context":"kind","wait":"ready","timeoutMs":5000})"));
}

TEST_CASE("add in a protected context takes a word, which goes by a plan", "[cli]")
{
    cli_bed b;
    b.daemon.error("POST /api/v1/services", 409,
                   R"({"code":"confirmation_required","message":"context prod is protected; plan this first, then apply the plan"})");
    b.daemon.data("POST /api/v1/plans", R"({"planId":"p1","needsConfirmation":true})", 201);
    b.daemon.data("POST /api/v1/plans/p1/apply", added_text);
    cli::add_arguments what;
    what.words = {"web.shop"};
    what.context = "prod";
    CHECK(b.run(cli::add(b.desk(), what)) == cli::failed);
    CHECK(b.err == "fwd: context prod is protected\ntry: the same with --yes\n");
    CHECK(b.daemon.asked("POST /api/v1/plans").empty());
    what.yes = true;
    CHECK(b.run(cli::add(b.desk(), what)) == cli::done);
    const auto body = json::parse(b.daemon.asked("POST /api/v1/plans").at(0).body);
    CHECK(body.at("operation") == "add_service");
    CHECK(body.at("arguments").at("context") == "prod");
    CHECK(b.out == "web.shop.kind is forwarded: 127.1.27.4:80 as web\n");
}

TEST_CASE("add that is not ready in time fails, with the reason", "[cli]")
{
    cli_bed b;
    b.daemon.data(
        "POST /api/v1/services",
        R"({"key":"db.shop.kind","serviceName":"db","namespace":"shop","context":"kind","status":"pending","ready":false,"reason":"no ready pod"})");
    cli::add_arguments what;
    what.words = {"db.shop"};
    CHECK(b.run(cli::add(b.desk(), what)) == cli::failed);
    CHECK_THAT(b.err, Catch::Contains("db.shop.kind is pending: no ready pod"));
    what.wait = "none";
    CHECK(b.run(cli::add(b.desk(), what)) == cli::done);
}

TEST_CASE("adding a namespace shows its services and what is not ready", "[cli]")
{
    cli_bed b;
    b.daemon.data("POST /api/v1/namespaces",
                  R"({"key":"shop.kind","namespace":"shop","context":"kind","ready":false,"services":["web.shop.kind","db.shop.kind"],)"
                  R"("notReady":[{"key":"db.shop.kind","why":"crash-looping"}]})",
                  201, 700ms);
    b.services({service_text("web", "shop", "active"), service_text("db", "shop", "pending")}, 1);
    cli::add_arguments what;
    what.words = {"shop/"};
    what.selector = "a=b";
    CHECK(b.run(cli::add(b.desk(), what)) == cli::failed);
    CHECK_THAT(b.out, Catch::Contains("web ") && Catch::Contains("db "));
    CHECK(b.err == "1/2 services ready\nfwd: 1 of 2 services of shop.kind are not ready\n  db.shop.kind: crash-looping\n");
    CHECK(json::parse(b.daemon.asked("POST /api/v1/namespaces").at(0).body).at("selector") == "a=b");
}

TEST_CASE("words and flags that do not go together are a usage error", "[cli]")
{
    cli_bed b;
    cli::add_arguments what;
    SECTION("a port of a namespace")
    {
        what.words = {"shop/"};
        what.ports = {{"80", {}}};
    }
    SECTION("a selector of a service")
    {
        what.words = {"web"};
        what.selector = "a=b";
    }
    SECTION("two namespaces at once")
    {
        what.words = {"web.shop"};
        what.name_space = "staging";
    }
    SECTION("a name that is none")
    {
        what.words = {"Web!"};
    }
    CHECK(b.run(cli::add(b.desk(), what)) == cli::usage);
    CHECK_THAT(b.err, Catch::Contains("See fwd --help"));
    CHECK(b.daemon.requests.empty());
}

TEST_CASE("rm takes services and namespaces, and goes on after one that fails", "[cli]")
{
    cli_bed b;
    b.daemon.error(
        "DELETE /api/v1/services/wbe", 404,
        R"({"code":"not_found","message":"wbe is not forwarded","evidence":["web.shop.kind"],"next":[)"
        R"({"method":"GET","path":"/api/v1/services","why":"lists what is forwarded"},{"method":"GET","path":"/api/v1/x","why":"-"}]})");
    b.daemon.data("DELETE /api/v1/services/web.shop",
                  R"({"removed":true,"key":"web.shop.kind","message":"web.shop.kind is no longer forwarded"})");
    b.daemon.data("DELETE /api/v1/namespaces/shop", R"({"removed":true,"key":"shop.kind","message":"shop.kind is no longer forwarded"})");
    cli::remove_arguments what;
    what.words = {"wbe", "shop/web", "shop/"};
    CHECK(b.run(cli::remove(b.desk(), what)) == cli::failed);
    CHECK(b.out == "web.shop.kind is no longer forwarded\nshop.kind is no longer forwarded\n");
    CHECK(b.err == "fwd: wbe is not forwarded\n  web.shop.kind\ntry: fwd ls   # lists what is forwarded\n");
}

TEST_CASE("rm --mine takes what fwd added, rm --all everything", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/namespaces",
                  R"({"namespaces":[{"key":"shop.kind","namespace":"shop","context":"kind","owner":{"client":"fwd/0.9; z"}}]})");
    b.services({service_text("db", "staging", "active", R"(,"owner":{"client":"fwd/1.0; q"})"), service_text("api", "staging", "active")},
               3);
    const std::string gone = R"({"removed":true,"key":"k","message":"gone"})";
    for (const auto* each : {"namespaces/shop.kind", "services/web.shop.kind", "services/db.staging.kind", "services/api.staging.kind"})
        b.daemon.data(std::string{"DELETE /api/v1/"} + each, gone);
    cli::remove_arguments what;
    const bool mine = GENERATE(true, false);
    what.mine = mine;
    what.all = !mine;
    CHECK(b.run(cli::remove(b.desk(), what)) == cli::done);
    CHECK(b.daemon.asked("DELETE /api/v1/namespaces/shop.kind").size() == 1);
    // What a namespace has goes with it: the services are asked for afterwards.
    CHECK(b.daemon.requests.at(1).method == "DELETE");
    CHECK(b.daemon.requests.at(2).target.starts_with("/api/v1/services?"));
    CHECK(b.daemon.asked("DELETE /api/v1/services/db.staging.kind").size() == 1);
    CHECK(b.daemon.asked("DELETE /api/v1/services/api.staging.kind").size() == (mine ? 0 : 1));
}

TEST_CASE("status tells health, daemon, contexts and problems", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/status",
                  R"({"status":"degraded","message":"1 of 2 services active","version":"1","uptime":"5s","errorCount":0,)"
                  R"("summary":{},"contexts":[{"name":"kind","server":"https://k","active":true,"primary":true,"reachable":true},)"
                  R"({"name":"prod","server":"https://p","error":"token expired"},{"name":"idle","server":"https://i"}],)"
                  R"("problems":[{"serviceKey":"db.shop.kind","status":"pending","code":"no_ready_pod","message":"no ready pod"}],)"
                  R"("listening":"sk_lookup"})");
    b.daemon.data("GET /api/v1/info", R"({"version":"1","pid":77,"user":"me","uptime":"5s","listening":"sk_lookup","privileged":true,)"
                                      R"("urls":["http://localhost:8080"]})");
    CHECK(b.run(cli::status(b.desk())) == cli::done);
    CHECK_THAT(b.out,
               Catch::StartsWith(
                   "degraded  1 of 2 services active\nfwdd 1, pid 77, user me, up 5s, listening by sk_lookup\n  http://localhost:8080\n"));
    CHECK_THAT(b.out, Catch::Contains("kind (primary): https://k") && Catch::Contains("prod: token expired") &&
                          Catch::Contains("db.shop.kind: pending: no ready pod") && !Catch::Contains("idle"));
    b.out.clear();
    CHECK(b.run(cli::status(b.desk(cli::format::json))) == cli::done);
    CHECK(json::parse(b.out).at("status").at("status") == "degraded");
    CHECK(json::parse(b.out).at("info").at("pid") == 77);
}

TEST_CASE("stop returns when the daemon is gone, and fails when it stays", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/info", R"({"version":"1","pid":77})");
    b.daemon.data("POST /api/v1/shutdown", R"({"services":3,"forwards":4,"connections":0,"message":"bye"})");
    SECTION("it ends")
    {
        b.clock.call_after(1s, [&] { b.daemon.down(); });
        CHECK(b.run(cli::stop(b.desk(), true)) == cli::done);
        CHECK(b.out == "stopped; 3 services were forwarded\n");
        CHECK(json::parse(b.daemon.requests.at(1).body).at("force") == true);
    }
    SECTION("its process cleans up after the last answer")
    {
        b.daemon.data("POST /api/v1/shutdown", "{}");
        b.clock.call_after(1s, [&] { b.daemon.down(); });
        const auto until = b.clock.now() + 2s;
        auto desk = b.desk();
        desk.runs = [&](std::int64_t process) { return process == 77 && b.clock.now() < until; };
        CHECK(b.run(cli::stop(desk, false)) == cli::done);
        CHECK(b.clock.now() >= until);
    }
    SECTION("it stays")
    {
        CHECK(b.run(cli::stop(b.desk(), false)) == cli::failed);
        CHECK_THAT(b.err, Catch::Contains("--force"));
    }
}

TEST_CASE("socket prints the path of the daemon that answers", "[cli]")
{
    cli_bed b;
    CHECK(b.run(cli::socket_path(b.desk())) == cli::done);
    CHECK(b.out == "/run/fwd/1/api.sock\n");
}

TEST_CASE("token prints the file's content or says that there is none", "[cli]")
{
    cli_bed b;
    CHECK(cli::show_token(b.on, cli::format::table, "/t", "fwd_x") == cli::done);
    CHECK(b.out == "fwd_x\n");
    CHECK(cli::show_token(b.on, cli::format::table, "/t", "") == cli::failed);
    CHECK_THAT(b.err, Catch::Contains("/t"));
}

TEST_CASE("YAML keeps values what they are", "[cli]")
{
    const auto value = json::parse(
        R"({"a":"true","b":true,"c":[],"d":{},"e":[1,[2,"x: y"],{"f":"","g":["h"]}],"i j":"1","k":null,"l":"plain text","m":"\n"})");
    CHECK(cli::yaml_text(value) == "a: \"true\"\n"
                                   "b: true\n"
                                   "c: []\n"
                                   "d: {}\n"
                                   "e:\n"
                                   "  - 1\n"
                                   "  -\n"
                                   "    - 2\n"
                                   "    - \"x: y\"\n"
                                   "  - f: \"\"\n"
                                   "    g:\n"
                                   "      - h\n"
                                   "i j: \"1\"\n"
                                   "k: null\n"
                                   "l: plain text\n"
                                   "m: \"\\n\"\n");
    CHECK(cli::yaml_text(json::object{}) == "{}\n");
    CHECK(cli::pretty_json(json::parse(R"({"a":[1,{}],"b":"c"})")) == "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": \"c\"\n}\n");
}
