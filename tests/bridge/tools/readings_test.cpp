#include "bridge/tools/reading.hpp"
#include "tests/bridge/tools/tool_bench.hpp"

using namespace fwd;
using namespace fwd::tools::test;

namespace {

std::string text_of(const json::value& value)
{
    return std::string{value.as_string()};
}

} // namespace

TEST_CASE("each reading tool asks its route and tells what came", "[readings]")
{
    struct row {
        std::string tool, arguments, route, data, target, summary;
    };
    const auto row = GENERATE(values<struct row>({
        {"explain_service", R"({"service":"web.shop","since":"5m"})", "/explain/web.shop",
         R"({"verdict":"web crashes.","suggestion":"Look at its log.","code":"crash_loop","ok":false,"forwarded":false,"next":[{"method":"GET","path":"/api/v1/kubernetes/pods/shop/web-1/logs?previous=true","why":"w"}],"entries":[{"message":"a\nb"}]})",
         "?since=5m", "web crashes. Look at its log."},
        {"explain_service", "{}", "/explain", R"({"verdict":"Nothing is wrong.","entries":[],"problems":[]})", "", "Nothing is wrong."},
        {"get_health", "{}", "/status",
         R"({"status":"ok","message":"all is well","version":"1","summary":{"totalServices":1},"contexts":[],"problems":[]})", "",
         "fwd 1 is ok: all is well"},
        {"get_quick_status", "{}", "/status", R"({"status":"ok","message":"all is well","errorCount":0})", "", "all is well"},
        {"get_analysis", "{}", "/analyze",
         R"({"status":"ok","summary":"Nothing.","issues":[],"recommendations":[],"suggestedActions":[],"stats":{}})", "", "Nothing."},
        {"diagnose_errors", "{}", "/diagnostics/errors", R"({"errors":[{"message":"x"}],"overallHealth":"degraded"})", "?count=50",
         "1 error, newest first."},
        {"doctor", R"({"port":80})", "/doctor", R"({"findings":[{"check":"names","ok":true},{"check":"kubeconfig","ok":false}]})",
         "?port=80", "1 of 2 checks found something."},
        {"get_logs", R"({"level":"warn"})", "/logs/system", R"({"logs":[{"message":"x"}]})", "?count=50&level=warn", "1 line of the log."},
        {"get_history", R"({"type":"errors","service":"web"})", "/history/errors", R"([{"message":"x"}])", "?count=50&service=web",
         "1 past errors."},
        {"get_metrics", "{}", "/metrics", R"({"totalBytesIn":5,"totalBytesOut":6})", "", "5 bytes came in, 6 went out."},
        {"get_metrics", R"({"scope":"service_detail","service":"web"})", "/metrics/services/web", R"({"totalBytesIn":5,"totalBytesOut":6})",
         "", "5 bytes came in, 6 went out."},
        {"get_http_traffic", R"({"service":"web","port":"http","status_min":400,"path_contains":"/x"})", "/services/web/http",
         R"({"summary":{"totalRequests":2,"requestsPerSecond":0.5,"statusCodes":{"5xx":1}},"forwards":[{"logs":[{"path":"/x","statusCode":500}]}]})",
         "?count=50&port=http&status_min=400&path_contains=%2Fx", "1 HTTP request of web."},
        {"get_http_traffic", R"({"service":"web","port":443})", "/services/web/http",
         R"({"summary":{"totalRequests":0,"requestsPerSecond":0,"statusCodes":{},"tlsConnections":2},"forwards":[]})", "?count=50&port=443",
         "0 HTTP requests of web; 2 connections speak TLS, which is passed on unread."},
        {"list_contexts", "{}", "/kubernetes/contexts", R"({"contexts":[{"name":"kind","primary":true}],"currentContext":"kind"})", "",
         "1 context; primary is kind."},
        {"list_k8s_namespaces", R"({"context":"kind"})", "/kubernetes/namespaces", R"({"namespaces":[{"name":"shop"}]})", "?context=kind",
         "1 namespace."},
        {"find_services", R"({"query":"pg","port":5432})", "/kubernetes/find",
         R"({"services":[{"name":"db","namespace":"shop","forwarded":false}],"unreachable":[]})", "?query=pg&port=5432",
         "1 service found."},
        {"list_ports", R"({"namespace":"shop","service":"app=web,x=y"})", "/kubernetes/ports/shop/app%3Dweb%2Cx%3Dy",
         R"({"ports":[{"port":80}],"source":"pods"})", "", "app=web,x=y has 1 port."},
        {"list_pods", R"({"namespace":"shop","service":"web"})", "/kubernetes/pods/shop", R"({"pods":[{"name":"web-1"},{"name":"web-2"}]})",
         "?service_name=web", "2 pods in shop."},
        {"get_pod", R"({"namespace":"shop","pod":"deploy/web"})", "/kubernetes/pods/shop/deploy%2Fweb",
         R"({"name":"web-1","status":"Running","ready":"1/1","restarts":3})", "", "web-1 is Running, 1/1 ready, 3 restarts."},
        {"get_pod_logs", R"({"namespace":"shop","pod":"web-1","grep":"oh","previous":true})", "/kubernetes/pods/shop/web-1/logs",
         R"({"podName":"web-1","containerName":"app","logs":["oh no","fine"],"truncated":true})", "?tail_lines=100&previous=true",
         "1 line of web-1 with 'oh'."},
        {"get_events", R"({"namespace":"shop","kind":"Pod","limit":10})", "/kubernetes/events/shop", R"({"events":[{"reason":"Killing"}]})",
         "?resource_kind=Pod&limit=10", "1 event in shop."},
        {"get_endpoints", R"({"namespace":"shop","service":"web"})", "/kubernetes/endpoints/shop/web",
         R"({"ready":[{"ip":"1"}],"notReady":[],"ports":[]})", "", "web has 1 ready endpoints and 0 that are not."},
        {"export_env", R"({"services":["web","db"],"format":"dotenv"})", "/env", R"({"env":{"A":"b"},"text":"A=b\n"})",
         "?format=dotenv&services=web%2Cdb", "1 variables."},
    }));
    INFO(row.tool);
    bench b;
    b.daemon.data("GET /api/v1" + row.route, row.data);
    const auto out = b.good(row.tool, row.arguments);
    CHECK(text_of(out.at("summary")) == row.summary);
    CHECK(b.daemon.asked("GET /api/v1" + row.route).back().target == "/api/v1" + row.route + row.target);
}

TEST_CASE("errors come with the last warnings of the log, or without where those cannot be had", "[readings]")
{
    bench b;
    b.daemon.data("GET /api/v1/diagnostics/errors", R"({"errors":[],"overallHealth":"healthy"})");
    CHECK(b.good("diagnose_errors", "{}").at("recentLogs").as_array().empty());
    b.daemon.script.erase("GET /api/v1/logs/system");
    b.daemon.data("GET /api/v1/logs/system", R"({"logs":[{"message":"a\u001bb"}]})");
    const auto out = b.good("diagnose_errors", "{}");
    CHECK(text_of(out.at("recentLogs").at(0).at("message")) == "a\xef\xbf\xbd"
                                                               "b");
    CHECK(b.daemon.asked("GET /api/v1/logs/system").back().target == "/api/v1/logs/system?count=20&level=warn");
}

TEST_CASE("what helps is a call of ours, and cluster text has no control characters", "[readings]")
{
    bench b;
    b.daemon.data(
        "GET /api/v1/explain/web",
        R"({"verdict":"bad","entries":[{"message":"a\u001b[31mb"}],"next":[{"method":"GET","path":"/api/v1/kubernetes/pods/shop/web-1/logs?previous=true"},{"method":"GET","path":"/api/v1/nowhere"}]})");
    const auto out = b.good("explain_service", R"({"service":"web"})");
    REQUIRE(out.at("next").as_array().size() == 1);
    CHECK(out.at("next").at(0) == json::parse(R"({"tool":"get_pod_logs","arguments":{"namespace":"shop","pod":"web-1","previous":true}})"));
    CHECK(text_of(out.at("timeline").at(0).at("message")).find('\x1b') == std::string::npos);
}

TEST_CASE("a long log keeps its newest lines, a long answer fits and says that it was cut", "[readings]")
{
    bench b;
    std::string lines, entries;
    for (int i = 0; i < 900; ++i) {
        lines += fmt::format(R"({}"{:04} {}")", i ? "," : "", i, std::string(50, 'x'));
        entries += fmt::format(R"({}{{"time":"{}","message":"{}"}})", i ? "," : "", i, std::string(100, 'y'));
    }
    b.daemon.data("GET /api/v1/kubernetes/pods/shop/w/logs", fmt::format(R"({{"podName":"w","logs":[{}]}})", lines));
    const auto log = b.good("get_pod_logs", R"({"namespace":"shop","pod":"w","tail_lines":1000})");
    CHECK(text_of(log.at("logs").as_array().back()).starts_with("0899"));
    CHECK(log.at("truncated") == true);
    b.daemon.data("GET /api/v1/explain", fmt::format(R"({{"verdict":"v","entries":[{}]}})", entries));
    const auto why = b.good("explain_service", "{}");
    CHECK(why.at("truncated") == true);
    CHECK(text_of(why.at("timeline").at(0).at("time")) == "0");
    b.daemon.data("GET /api/v1/kubernetes/pods/shop/big", fmt::format(R"({{"name":"big","message":"{}"}})", std::string(40'000, 'z')));
    CHECK(b.good("get_pod", R"({"namespace":"shop","pod":"big"})").at("truncated") == true);
}

TEST_CASE("lists go on at their cursor", "[readings]")
{
    bench b;
    std::string names;
    for (int i = 0; i < 250; ++i) names += fmt::format(R"({}{{"name":"ns{:03}"}})", i ? "," : "", i);
    b.daemon.data("GET /api/v1/kubernetes/namespaces", fmt::format(R"({{"namespaces":[{}]}})", names));
    const auto first = b.good("list_k8s_namespaces", "{}");
    CHECK(first.at("count") == 200);
    CHECK(first.at("total") == 250);
    const auto second = b.good("list_k8s_namespaces", fmt::format(R"({{"cursor":{}}})", json::serialize(first.at("nextCursor"))));
    CHECK(second.at("namespaces").at(0).at("name") == "ns200");
    CHECK_FALSE(second.contains("nextCursor"));
}

TEST_CASE("checks and repairs are sent as they were asked for", "[readings]")
{
    bench b;
    b.daemon.data("POST /api/v1/services/web/check", R"({"verdict":"it answers","stages":[{"stage":"name","ok":true}],"status":200})");
    CHECK(
        b.good("check_connection", R"({"service":"web","port":"http","path":"/health","expect_status":200,"timeout_s":3})").at("verdict") ==
        "it answers");
    CHECK(json::parse(b.daemon.requests.back().body) ==
          json::parse(R"({"timeoutMs":3000,"port":"http","path":"/health","method":"GET","expectStatus":200})"));
    const auto services = fmt::format(R"({{"triggered":1,"services":[{}]}})", service_text("web", "shop", "pending"));
    b.daemon.data("POST /api/v1/services/web/reconnect", services);
    CHECK(b.good("reconnect_service", R"({"service":"web"})").at("summary") == "Reconnecting: web.shop.kind is pending.");
    b.daemon.data("POST /api/v1/services/reconnect", services);
    b.good("reconnect_all_errors", "{}");
    CHECK(b.daemon.requests.back().body == R"({"scope":"errors"})");
    b.daemon.data("POST /api/v1/services/web/sync",
                  fmt::format(R"({{"service":{},"force":false}})", service_text("web", "shop", "active")));
    CHECK(b.good("sync_service", R"({"service":"web"})").at("status") == "active");
    b.daemon.data("GET /api/v1/services/web", service_text("web", "shop", "active"));
    CHECK(b.good("get_service", R"({"service":"web"})").at("service").at("forwards").as_array().size() == 1);
    b.services({service_text("web", "shop", "active")}, 1, 1);
    const auto names = b.good("list_hostnames", "{}");
    CHECK(names.at("count") == 2);
    CHECK(names.at("hostnames").at(0).at("ip") == "127.1.27.4");
}

TEST_CASE("a removal that harms nobody happens at once, another is asked about with the daemon's plan", "[removing]")
{
    bench b;
    const std::string apply = "POST /api/v1/plans/p1/apply";
    b.daemon.data(apply, R"({"removed":true,"key":"web.shop.kind","message":"web.shop.kind is no longer forwarded"})");
    SECTION("at once")
    {
        b.daemon.data("POST /api/v1/plans", R"({"planId":"p1","summary":"s","needsConfirmation":false,"reasons":[],"affected":[]})", 201);
        const auto out = b.good("remove_service", R"({"service":"web"})");
        CHECK(out.at("status") == "removed");
        CHECK(out.at("removed") == json::parse(R"(["web.shop.kind"])"));
        CHECK(json::parse(b.daemon.asked(apply)[0].body) == json::parse(R"({"operation":"remove_service","arguments":{"key":"web"}})"));
    }
    SECTION("asked")
    {
        b.daemon.data(
            "POST /api/v1/plans",
            R"({"planId":"p1","summary":"Stop forwarding shop, 12 services","needsConfirmation":true,"reasons":["12 services go"],"affected":[]})",
            201);
        auto answer = b.call("remove_namespace", R"({"namespace":"shop/"})");
        REQUIRE(std::holds_alternative<mcp::tool_question>(answer));
        const auto& question = std::get<mcp::tool_question>(answer);
        CHECK(question.plan == "p1");
        CHECK(question.message == "Stop forwarding shop, 12 services (12 services go)");
        CHECK(b.daemon.asked(apply).empty());
        answer = b.call("remove_namespace", R"({"namespace":"shop"})", true, false, "p1");
        REQUIRE(std::holds_alternative<json::object>(answer));
        CHECK(json::parse(b.daemon.asked(apply)[0].body) ==
              json::parse(R"({"operation":"remove_namespace","arguments":{"namespace":"shop"}})"));
    }
    SECTION("agreed to by setting")
    {
        b.daemon.data("POST /api/v1/plans", R"({"planId":"p1","needsConfirmation":true,"affected":[{"connections":4}]})", 201);
        CHECK(b.good("remove_service", R"({"service":"web"})", true).at("status") == "removed");
    }
    SECTION("connections that are about to end")
    {
        b.daemon.data("POST /api/v1/plans", R"({"planId":"p0","needsConfirmation":true,"affected":[{"connections":1}]})", 201);
        b.daemon.data("POST /api/v1/plans", R"({"planId":"p1","needsConfirmation":false,"affected":[]})", 201);
        CHECK(b.good("remove_service", R"({"service":"web"})").at("status") == "removed");
    }
}

TEST_CASE("an agreement that no longer holds says how to ask anew", "[removing]")
{
    bench b;
    b.daemon.error("POST /api/v1/plans/p9/apply", 410, R"({"code":"gone","message":"this plan was used"})");
    const auto answer = b.call("remove_service", R"({"service":"web","confirm_token":"p.p9"})", true, false, "p9");
    REQUIRE(std::holds_alternative<mcp::tool_problem>(answer));
    const auto& why = std::get<mcp::tool_problem>(answer);
    CHECK(why.code == "confirmation_expired");
    CHECK(why.next.at(0).arguments == json::parse(R"({"service":"web"})").as_object());
}

TEST_CASE("toolsets choose, read-only leaves only what changes nothing, and steps name only what is there", "[toolsets]")
{
    bench b;
    const auto names = [&](std::string_view set, bool read_only = false) {
        auto choice = tools::parse_toolsets(set);
        REQUIRE(choice.has_value());
        choice->read_only = read_only;
        std::set<std::string> out;
        for (const auto& each : tools::all_tools(b.kit, *choice)) out.insert(each.name);
        return out;
    };
    CHECK(names("all").size() == 33);
    CHECK(names("forward").size() == 24);
    CHECK(names("cluster-read").size() == 9);
    const auto core = names("core");
    CHECK(core.size() == 15);
    CHECK(core.contains("add_service"));
    CHECK(names("core,cluster-read").contains("get_endpoints"));
    for (const auto& each : names("all", true)) {
        INFO(each);
        CHECK(b.named(each).hints.read_only);
    }
    CHECK_FALSE(names("all", true).contains("remove_service"));
    CHECK_FALSE(tools::parse_toolsets("forward,everything").has_value());

    b.daemon.error("GET /api/v1/services/web/env", 404, R"({"code":"not_found","message":"no"})");
    auto choice = *tools::parse_toolsets("all");
    choice.read_only = true;
    const auto few = tools::all_tools(b.kit, choice);
    const auto found = std::find_if(few.begin(), few.end(), [](const mcp::tool& each) { return each.name == "get_connection_info"; });
    fake_call one{json::parse(R"({"service":"web","format":"json"})").as_object()};
    const auto answer = b.clock.run(found->run(one));
    CHECK(std::get<mcp::tool_problem>(answer).next.empty());
}

TEST_CASE("every tool says in its entry to which set it belongs and what it needs of Kubernetes", "[toolsets]")
{
    bench b;
    for (const auto& each : b.all) {
        INFO(each.name);
        const auto entry = mcp::describe(each, "2025-11-25");
        CHECK(entry.at("_meta").at("dev.fwd/kubernetesRights").is_array());
        CHECK_FALSE(entry.at("_meta").at("dev.fwd/toolset").as_string().empty());
        CHECK_FALSE(mcp::describe(each, "2025-03-26").contains("_meta"));
    }
}
