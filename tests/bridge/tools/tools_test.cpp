#include "tests/bridge/tools/tool_bench.hpp"

#include <set>

using namespace fwd;
using namespace fwd::bridge::test;
using namespace fwd::tools::test;
namespace {

std::string text_of(const json::value& value)
{
    return std::string{value.as_string()};
}

const std::string added_text =
    R"({"key":"web.shop.kind","serviceName":"web","namespace":"shop","context":"kind","localIP":"127.1.27.4","hostnames":["web","web.shop"],)"
    R"("ports":[{"localPort":"80","remotePort":"80","protocol":"TCP","name":"http"}],"status":"active","ready":true,"checks":[]})";
const std::string env_text =
    R"({"key":"web.shop.kind","address":"127.1.27.4","hostnames":["web","web.shop"],"ports":[)"
    R"({"localPort":80,"remotePort":80,"protocol":"TCP","name":"http","kind":"http","url":"http://web"},)"
    R"({"localPort":9090,"remotePort":9090,"protocol":"TCP","name":"metrics"}],"url":"http://web","env":{"WEB_HOST":"web"},)"
    R"("secrets":[{"name":"s","key":"k","command":"kubectl get secret s"}],"verified":true,"status":"active"})";

std::string k8s_text(std::string_view name, std::string_view name_space, int port, std::string_view port_name = "")
{
    return fmt::format(
        R"({{"name":"{}","namespace":"{}","context":"kind","type":"ClusterIP","ports":[{{"name":"{}","port":{},"targetPort":"x",)"
        R"("protocol":"TCP"}}],"selector":{{"app":"{}"}},"forwarded":false}})",
        name, name_space, port_name, port, name);
}

std::string found_text(std::string_view name, std::string_view name_space, std::string_view context, int score)
{
    return fmt::format(
        R"({{"name":"{}","namespace":"{}","context":"{}","type":"ClusterIP","ports":[{{"name":"x","port":1,"targetPort":"x","protocol":"TCP"}}],)"
        R"("kinds":[],"matched":["port 5432"],"score":{},"forwarded":false}})",
        name, name_space, context, score);
}

const std::string guarded_text = R"({"code":"confirmation_required","message":"context prod is protected; plan this first"})";

} // namespace

TEST_CASE("every tool is whole: name, words, schemas and all four hints", "[tools]")
{
    bench b;
    std::set<std::string> names;
    for (const auto& each : b.all) {
        INFO(each.name);
        CHECK(names.insert(each.name).second);
        CHECK(each.name.size() <= 40);
        CHECK(each.description.starts_with("Use "));
        CHECK(each.input.at("type") == "object");
        CHECK(each.input.at("additionalProperties") == false);
        CHECK(each.output.at("properties").as_object().contains("summary"));
        CHECK(mcp::describe(each, "2025-11-25").at("annotations").as_object().size() == 5);
    }
    CHECK(names.size() == 33);
    CHECK(tools::instructions().size() < 2000);
}

/// Arguments that every tool's schema takes.
std::string arguments_for(const mcp::tool& tool)
{
    json::object out;
    if (const auto* needed = tool.input.if_contains("required"))
        for (const auto& name : needed->as_array()) {
            const auto& what = tool.input.at("properties").at(name.as_string()).as_object();
            out[name.as_string()] = what.contains("enum") ? what.at("enum").at(0) : json::value("web");
        }
    if (tool.name == "add_service") out["service"] = "web";
    return json::serialize(out);
}

TEST_CASE("with the daemon down each tool says so and gives the command that starts it", "[tools]")
{
    bench b;
    b.daemon.down();
    for (const auto& each : b.all) {
        INFO(each.name);
        const auto why = b.bad(each.name, arguments_for(each));
        CHECK(why.code == "daemon_not_running");
        REQUIRE_FALSE(why.next.empty());
        CHECK(why.next[0].command == "fwd start");
    }
}

TEST_CASE("down, old, of another token and hung are four different answers, each with what to do", "[tools]")
{
    bench b;
    b.daemon.error("GET /api/v1/doctor", 404, R"({"code":"not_found","message":"there is nothing at /api/v1/doctor"})");
    const auto old = b.bad("doctor", "{}");
    CHECK(old.code == "daemon_too_old");
    CHECK_FALSE(old.next.empty());
    b.daemon.error(
        "GET /api/v1/analyze", 401,
        R"({"code":"unauthorized","message":"the token is not this daemon's","next":[{"command":"fwd token","why":"prints it"}]})");
    const auto foreign = b.bad("get_analysis", "{}");
    CHECK(foreign.code == "unauthorized");
    CHECK_FALSE(foreign.next.empty());
    b.daemon.data("GET /api/v1/status", "{}", 200, std::chrono::hours{1});
    const auto hung = b.bad("get_health", "{}");
    CHECK(hung.code == "timed_out");
    CHECK_FALSE(hung.next.empty());
}

TEST_CASE("list_services shows addresses, names, ports and why one is not active", "[tools]")
{
    bench b;
    b.services({service_text("web", "shop", "active"), service_text("db", "shop", "pending", R"(,"reason":"no pod is \u001b ready")")}, 2,
               1);
    const auto out = b.good("list_services", R"({"include_forwards":true,"status":"all"})");
    CHECK(out.at("summary") == "2 services forwarded, 1 active, 1 pending.");
    CHECK(out.at("count") == 2);
    const auto& web = out.at("services").at(0).as_object();
    CHECK(web.at("address") == "127.1.27.4");
    CHECK(web.at("ports").at(0).at("localPort") == 80);
    CHECK(web.at("forwards").at(0).at("pod") == "p");
    CHECK(text_of(out.at("services").at(1).at("why")) == "no pod is \xef\xbf\xbd ready");
    CHECK_FALSE(out.contains("nextCursor"));
    CHECK(b.daemon.requests.at(0).target == "/api/v1/services?limit=50&offset=0");
    CHECK(b.daemon.requests.at(0).client == "tester/1; s1");
}

TEST_CASE("a list that is too long stops and goes on at its cursor", "[tools]")
{
    bench b;
    b.services(std::vector<std::string>(200, service_text("web", "shop", "active")), 500, 500);
    const auto out = b.good("list_services", R"({"limit":200,"include_forwards":true})");
    const auto shown = out.at("count").to_number<int>();
    CHECK(shown > 10);
    CHECK(shown < 200);
    b.good("list_services", fmt::format(R"({{"cursor":{}}})", json::serialize(out.at("nextCursor"))));
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains(fmt::format("offset={}", shown)));
    CHECK(b.bad("list_services", R"({"cursor":"made-up"})").code == "invalid_arguments");
}

TEST_CASE("with nothing forwarded list_services tells what there is and what forwards it", "[tools]")
{
    bench b;
    b.services({}, 0, 0);
    SECTION("of the cluster")
    {
        b.daemon.data("GET /api/v1/kubernetes/namespaces", R"({"namespaces":[{"name":"shop","status":"Active","forwarded":false}]})");
        const auto out = b.good("list_services", "{}");
        CHECK(out.at("services").as_array().empty());
        CHECK(out.at("availableNamespaces") == json::array{"shop"});
        CHECK(out.at("next").at(0).at("tool") == "add_namespace");
        CHECK(out.at("next").at(0).at("arguments").at("namespace") == "shop");
    }
    SECTION("or that the cluster could not be asked")
    {
        b.daemon.error("GET /api/v1/kubernetes/namespaces", 502, R"({"code":"unavailable","message":"cluster kind is unreachable"})");
        CHECK_THAT(text_of(b.good("list_services", "{}").at("summary")), Catch::Contains("unreachable"));
    }
}

TEST_CASE("add_service returns how to connect once it is ready", "[tools]")
{
    bench b;
    b.daemon.data("POST /api/v1/services", added_text, 201);
    b.daemon.data("GET /api/v1/services/web.shop.kind/env", env_text);
    const auto out = b.good(
        "add_service", R"({"service":"web.shop","ports":[{"port":80,"localPort":8080},{"port":"http"}],"timeout_s":5,"purpose":"test"})");
    CHECK(text_of(out.at("summary")) == "web.shop.kind is active at 127.1.27.4 as web. Connect to http://web");
    CHECK(out.at("connection").at("url") == "http://web");
    const auto asked = json::parse(b.daemon.asked("POST /api/v1/services").at(0).body);
    CHECK(asked == json::parse(R"({"serviceName":"web","namespace":"shop","ports":[{"port":80,"localPort":8080},{"port":"http"}],)"
                               R"("wait":"ready","timeoutMs":5000,"purpose":"test"})"));
}

TEST_CASE("what is added in a protected context is asked about first, then done by the plan that was agreed to", "[tools]")
{
    bench b;
    const auto [tool, arguments, noun] = GENERATE(table<std::string, std::string, std::string>({
        {"add_service", R"({"service":"web","wait":"none"})", "services"},
        {"add_namespace", R"({"namespace":"shop"})", "namespaces"},
    }));
    b.daemon.error("POST /api/v1/" + noun, 409, guarded_text);
    b.daemon.data("POST /api/v1/plans", R"({"planId":"one","summary":"it is forwarded","needsConfirmation":true,)"
                                        R"("reasons":["context prod is protected"],"affected":[]})");
    const auto added =
        noun == "services" ? added_text : R"({"key":"shop.kind","namespace":"shop","context":"kind","ready":true,"services":[]})";
    b.daemon.data("POST /api/v1/plans/one/apply", added, 201);
    b.services({}, 0, 0);

    auto answer = b.call(tool, arguments);
    REQUIRE(std::holds_alternative<mcp::tool_question>(answer));
    const auto& question = std::get<mcp::tool_question>(answer);
    CHECK(question.message == "it is forwarded (context prod is protected)");
    CHECK(question.plan == "one");
    CHECK(b.daemon.asked("POST /api/v1/plans/one/apply").empty());

    answer = b.call(tool, arguments, true, false, "one");
    REQUIRE(std::holds_alternative<json::object>(answer));
    const auto planned = json::parse(b.daemon.asked("POST /api/v1/plans").at(0).body);
    CHECK(text_of(planned.at("operation")) == tool);
    CHECK(json::parse(b.daemon.asked("POST /api/v1/plans/one/apply").at(0).body) == planned);

    // Agreed to by the way the server was started.
    CHECK(std::holds_alternative<json::object>(b.call(tool, arguments, true)));
}

TEST_CASE("an addition whose plan is too old says so and asks anew", "[tools]")
{
    bench b;
    b.daemon.error("POST /api/v1/plans/one/apply", 410, R"({"code":"gone","message":"the plan has expired; make a new one"})");
    const auto answer = b.call("add_service", R"({"service":"web","confirm_token":"p.one"})", true, false, "one");
    REQUIRE(std::holds_alternative<mcp::tool_problem>(answer));
    const auto& why = std::get<mcp::tool_problem>(answer);
    CHECK(why.code == "confirmation_expired");
    CHECK(why.next.at(0).tool == "add_service");
    CHECK_FALSE(why.next.at(0).arguments.contains("confirm_token"));
}

TEST_CASE("add_service that is not ready in time says why, and that the forward stays", "[tools]")
{
    bench b;
    b.daemon.data(
        "POST /api/v1/services",
        R"({"key":"db.shop.kind","serviceName":"db","namespace":"shop","context":"kind","localIP":"127.1.27.5","hostnames":["db"],"ports":[],)"
        R"("status":"pending","ready":false,"reason":"no ready pod","reasonCode":"no_ready_pod"})");
    const auto why = b.bad("add_service", R"({"service":"db","namespace":"shop"})");
    CHECK(why.code == "not_ready_in_time");
    CHECK(why.cause == "no ready pod");
    CHECK(why.more.at("address") == "127.1.27.5");
    CHECK(why.next.at(0).tool == "list_services");
    for (const auto& step : why.next)
        CHECK(mcp::schema::problem_with(step.arguments, b.named(step.tool).input, "argument").value_or("") == "");
    b.daemon.script.clear();
    b.daemon.data("POST /api/v1/services",
                  R"({"key":"db.shop.kind","serviceName":"db","namespace":"shop","context":"kind","status":"pending"})");
    CHECK(b.good("add_service", R"({"service":"db","wait":"none"})").at("ready") == false);
}

TEST_CASE("add_service tells how far it is to a client that asked for it", "[tools]")
{
    bench b;
    b.daemon.data("POST /api/v1/services", added_text, 201, 2500ms);
    b.daemon.data("GET /api/v1/services/web.shop", service_text("web", "shop", "pending", R"(,"reason":"no ready pod")"));
    b.good("add_service", R"({"service":"web.shop"})", false, true);
    REQUIRE(b.told.size() == 3);
    CHECK(b.told[0] == "0/60 waiting for web.shop");
    CHECK(b.told[2] == "2/60 web.shop.kind is pending, 1/1 pods ready: no ready pod");
}

TEST_CASE("add_service wants one of service and query, in words that mean something", "[tools]")
{
    bench b;
    const std::string arguments = GENERATE(R"({})", R"({"service":"web","query":"web"})", R"({"service":"Web"})", R"({"service":"shop/"})",
                                           R"({"service":"web.shop","namespace":"staging"})");
    CHECK(b.bad("add_service", arguments).code == "invalid_arguments");
    CHECK(b.daemon.requests.empty());
}

TEST_CASE("a query finds the one service it means", "[tools]")
{
    bench b;
    b.daemon.data("GET /api/v1/kubernetes/find",
                  fmt::format(R"({{"services":[{},{}],"unreachable":[]}})", found_text("pg-exporter", "staging", "kind", 1),
                              found_text("orders-db", "staging", "kind", 2)));
    b.daemon.data("POST /api/v1/services", added_text);
    b.good("add_service", R"({"query":"postgres in staging"})");
    CHECK(b.daemon.requests.at(0).target == "/api/v1/kubernetes/find?query=postgres&namespace=staging&limit=1000");
    const auto asked = json::parse(b.daemon.asked("POST /api/v1/services").at(0).body);
    CHECK(asked.at("serviceName") == "orders-db");
    CHECK(asked.at("namespace") == "staging");
    CHECK(asked.at("context") == "kind");
}

TEST_CASE("the place of a query may be a cluster instead of a namespace", "[tools]")
{
    bench b;
    b.daemon.data("GET /api/v1/kubernetes/find", R"({"services":[],"unreachable":[]})");
    b.daemon.data("GET /api/v1/kubernetes/find",
                  fmt::format(R"({{"services":[{},{}],"unreachable":[]}})", found_text("redis", "shop", "kind", 3),
                              found_text("redis", "shop", "staging-eu", 3)));
    b.daemon.data("POST /api/v1/services", added_text);
    b.good("add_service", R"({"query":"redis in staging"})");
    CHECK(json::parse(b.daemon.asked("POST /api/v1/services").at(0).body).at("context") == "staging-eu");
}

TEST_CASE("a query that fits several is answered with the candidates, one that fits none with close names", "[tools]")
{
    bench b;
    b.daemon.data("GET /api/v1/kubernetes/find",
                  fmt::format(R"({{"services":[{},{}],"unreachable":[]}})", found_text("redis", "shop", "kind", 3),
                              found_text("redis", "staging", "far", 3)));
    b.daemon.data("GET /api/v1/kubernetes/find", R"({"services":[],"unreachable":[]})");
    b.daemon.data("GET /api/v1/kubernetes/find",
                  fmt::format(R"({{"services":[{}],"unreachable":[{{"context":"away","code":"unavailable","error":"timed out"}}]}})",
                              found_text("redis", "shop", "kind", 1)));
    const auto several = b.bad("add_service", R"({"query":"redis"})");
    CHECK(several.code == "ambiguous");
    CHECK(several.more.at("candidates").as_array().size() == 2);
    REQUIRE(several.next.size() == 2);
    CHECK(several.next[1].arguments == json::parse(R"({"service":"redis","namespace":"staging","context":"far"})"));
    CHECK(several.more.at("candidates").at(1).at("context") == "far");
    const auto none = b.bad("add_service", R"({"query":"rediss","namespace":"shop"})");
    CHECK(none.code == "not_found");
    CHECK(none.evidence == std::vector<std::string>{"similar names: redis", "context away could not be asked: timed out"});
    CHECK(b.bad("add_service", R"({"query":"in shop"})").code == "invalid_arguments");
}

TEST_CASE("the daemon's steps become calls of our own tools", "[tools]")
{
    bench b;
    b.daemon.error("POST /api/v1/services", 404,
                   R"({"code":"not_found","message":"no service wbe in shop","cause":"names there: web","evidence":["web"],"next":[)"
                   R"({"method":"POST","path":"/api/v1/services","body":{"serviceName":"web","namespace":"shop"},"why":"close name"},)"
                   R"({"method":"GET","path":"/api/v1/kubernetes/services?namespace=shop","why":"lists them"},)"
                   R"({"method":"GET","path":"/api/v1/unknown","why":"nothing for us"},{"command":"kubectl get svc","why":"by hand"}]})");
    const auto why = b.bad("add_service", R"({"service":"wbe.shop"})");
    CHECK(why.code == "not_found");
    REQUIRE(why.next.size() == 3);
    CHECK(why.next[0].tool == "add_service");
    CHECK(why.next[0].arguments == json::parse(R"({"service":"web","namespace":"shop"})"));
    CHECK(why.next[1].tool == "list_k8s_services");
    CHECK(why.next[2].command == "kubectl get svc");
}

TEST_CASE("add_service that finds no such service points to what the namespace has", "[tools]")
{
    bench b;
    b.daemon.error("POST /api/v1/services", 404, R"({"code":"not_found","message":"service nope is not in namespace shop"})");
    const auto why = b.bad("add_service", R"({"service":"nope.shop"})");
    REQUIRE(why.next.size() == 1);
    CHECK(why.next[0].tool == "list_k8s_services");
    CHECK(why.next[0].arguments.at("namespace") == "shop");
}

TEST_CASE("get_connection_info gives all, or one port, or text to paste", "[tools]")
{
    bench b;
    b.daemon.data("GET /api/v1/services/web/env", env_text);
    const auto all = b.good("get_connection_info", R"({"service":"web"})");
    CHECK(all.at("ports").as_array().size() == 2);
    CHECK(all.at("summary") == "web.shop.kind is active: http://web");
    const auto one = b.good("get_connection_info", R"({"service":"web","port":"metrics","format":"dotenv"})");
    CHECK(one.at("ports").as_array().size() == 1);
    CHECK(one.at("summary") == "web.shop.kind is active at web:9090.");
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("format=dotenv"));
    CHECK(b.bad("get_connection_info", R"({"service":"web","port":1})").code == "invalid_arguments");
    const auto gone = b.bad("get_connection_info", R"({"service":"nope"})");
    CHECK(gone.code == "not_found");
    CHECK(gone.next.at(0).tool == "add_service");
}

TEST_CASE("add_namespace returns every service, and says which are not ready and why", "[tools]")
{
    bench b;
    b.daemon.data(
        "POST /api/v1/namespaces",
        R"({"key":"shop.kind","namespace":"shop","context":"kind","created":true,"ready":false,"services":["web.shop.kind","db.shop.kind"],)"
        R"("notReady":[{"key":"db.shop.kind","why":"crash-looping"}]})",
        201, 1200ms);
    b.services({service_text("web", "shop", "active"), service_text("db", "shop", "pending", R"(,"reason":"crash-looping")")}, 2, 1);
    const auto out = b.good("add_namespace", R"({"namespace":"shop/","services":["w*","d*"]})", false, true);
    CHECK(out.at("summary") == "1 of 2 services of shop.kind are not ready.");
    CHECK(out.at("services").as_array().size() == 2);
    CHECK(out.at("notReady").at(0).at("why") == "crash-looping");
    CHECK(out.at("notReady").at(0).at("next").at("tool") == "list_services");
    CHECK(b.told ==
          std::vector<std::string>{"0/0 asking the cluster for the services of shop", "1/2 1/2 services ready", "1/2 1/2 services ready"});
    CHECK(json::parse(b.daemon.asked("POST /api/v1/namespaces").at(0).body).at("services") == json::parse(R"(["w*","d*"])"));
    CHECK(b.bad("add_namespace", R"({"namespace":"Not A Name"})").code == "invalid_arguments");
}

TEST_CASE("a namespace of many services fits in one answer and points to the rest", "[tools]")
{
    bench b;
    b.daemon.data("POST /api/v1/namespaces", R"({"key":"shop.kind","namespace":"shop","context":"kind","ready":true,"services":[]})");
    b.services(std::vector<std::string>(300, service_text("web", "shop", "active")), 300, 300);
    const auto out = b.good("add_namespace", R"({"namespace":"shop"})");
    CHECK(out.at("total") == 300);
    CHECK(out.at("count").to_number<int>() < 300);
    CHECK(out.at("next").at(0).at("tool") == "list_services");
    CHECK(out.at("next").at(0).at("arguments").as_object().contains("cursor"));
}

TEST_CASE("list_k8s_services lists what a namespace has", "[tools]")
{
    bench b;
    std::string many;
    for (int i = 0; i < 300; ++i) many += (i ? "," : "") + k8s_text(fmt::format("svc-{}", i), "shop", 80, "http");
    b.daemon.data("GET /api/v1/kubernetes/services", R"({"services":[)" + many + "]}");
    std::size_t seen = 0;
    std::string cursor;
    for (int page = 0; page < 20; ++page) {
        const auto out = b.good("list_k8s_services", cursor.empty() ? R"({"namespace":"shop"})"
                                                                    : fmt::format(R"({{"namespace":"shop","cursor":"{}"}})", cursor));
        seen += out.at("services").as_array().size();
        if (!out.contains("nextCursor")) break;
        cursor = text_of(out.at("nextCursor"));
    }
    CHECK(seen == 300);
}
