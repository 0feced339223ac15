#include "tests/bridge/tui/stage.hpp"

#include <boost/json/parse.hpp>

using namespace fwd;
using namespace fwd::tui;
using namespace fwd::tui::test;

TEST_CASE("what happens is logged with the name of who asked for it, unless that is us", "[tui]")
{
    stage s;
    s.connect({service_named("web")});
    auto added = s.event("ServiceAdded", "db.shop.kind");
    added.client = "claude-code/2.1; 7";
    (void)s.send(happened{added});
    added.service_key = "cache.shop.kind";
    added.client = "fwd/1.0; me";
    (void)s.send(happened{added});
    auto failed = s.event("ErrorRaised", "db.shop.kind");
    failed.error = "crash-looping\x1b[2J";
    (void)s.send(happened{failed});
    (void)s.type("L");
    CHECK_THAT(s.row(2), Catch::Contains("12:00:00      db.shop.kind is forwarded  by claude-code/2.1; 7"));
    CHECK_THAT(s.row(3), Catch::Contains("cache.shop.kind is forwarded") && !Catch::Contains("by"));
    CHECK_THAT(s.row(4), Catch::Contains("db.shop.kind: crash-looping\ufffd[2J"));
    (void)s.type("/claude<enter>");
    CHECK_THAT(s.row(2), Catch::Contains("db.shop.kind is forwarded"));
    CHECK(s.row(3).empty());
}

TEST_CASE("connections that come and go neither fill the log nor ask the daemon again and again", "[tui]")
{
    stage s;
    s.connect({service_named("web")});
    s.now += 1s;
    for (int i = 0; i < 1000; ++i) {
        auto opened = s.event("ConnectionOpened", "web.shop.kind");
        opened.client = "127.1.27.4:5000";
        CHECK(s.send(happened{opened}).empty());
        CHECK(s.send(happened{s.event("ConnectionClosed", "web.shop.kind")}).empty());
    }
    CHECK(s.on.log.rows.empty());
    auto failed = s.event("ConnectionClosed", "web.shop.kind");
    failed.error = "the pod refused port 8080";
    (void)s.send(happened{failed});
    REQUIRE(s.on.log.rows.size() == 1);
    CHECK(s.on.log.rows.front().text == "web.shop.kind connection closed: the pod refused port 8080");
}

TEST_CASE("the log is bounded, follows what comes, and stands still where one reads", "[tui]")
{
    stage s;
    s.connect({service_named("web")});
    (void)s.type("L");
    for (int i = 0; i < 3000; ++i) (void)s.send(happened{s.event("ServiceAdded", fmt::format("s{}.shop.kind", i))});
    CHECK(s.on.log.rows.size() == log_page::most);
    CHECK_THAT(s.row(21), Catch::Contains("s2999.shop.kind"));
    (void)s.type("kk");
    const auto read = s.cursor_row();
    (void)s.send(happened{s.event("ServiceAdded", "later.shop.kind")});
    CHECK(s.cursor_row() == read);
    (void)s.type("G");
    CHECK_THAT(s.row(21), Catch::Contains("later.shop.kind"));
}

TEST_CASE("errors are shown with their causes, contexts first", "[tui]")
{
    stage s;
    s.connect({service_named("web"), service_named("db", "error", "crash-looping: exit code 1")});
    CHECK_THAT(s.row(0), Catch::Contains("Errors 1"));
    wire::status health;
    wire::context_state broken;
    broken.name = "prod";
    broken.error = "token expired; run: aws sso login";
    health.contexts = {broken};
    health.problems = {{"db.shop.kind", "error", "crash", "crash-looping: exit code 1"},
                       {"", "error", "namespace_not_found", "namespace qa does not exist"}};
    (void)s.send(status_answer{health});
    CHECK_THAT(s.row(22), Catch::Contains("context prod: token expired"));
    (void)s.type("e");
    CHECK(s.row(2) == "›✗ context prod  error");
    CHECK_THAT(s.row(3), Catch::Contains("token expired; run: aws sso login"));
    CHECK_THAT(s.screen(), Catch::Contains("namespace qa does not exist") && Catch::Contains("✗ db.shop.kind  error  since 11:55:00"));
    CHECK(s.type("<enter>").empty());
    (void)s.type("G");
    CHECK(s.type("r").at(0).keys == std::vector<std::string>{"db.shop.kind"});
    (void)s.type("<enter>");
    CHECK(s.on.at == page::detail);
    (void)s.type("<esc>");
    CHECK(s.on.at == page::errors);
}

TEST_CASE("names that are none stand behind all other errors, however many there are", "[tui]")
{
    stage s;
    s.connect({service_named("db", "error", "crash-looping: exit code 1")});
    wire::status health;
    for (const auto* name : {"\\x1b[2J", "We b"})
        health.problems.push_back({"", "context kind", "bad_name", fmt::format("service shop/{} of context kind is left out", name)});
    (void)s.send(status_answer{health});
    (void)s.type("e");
    CHECK_THAT(s.row(0), Catch::Contains("Errors 3"));
    CHECK_THAT(s.row(2), Catch::Contains("db.shop.kind  error"));
    CHECK_THAT(s.row(5), Catch::Contains("service shop/\\x1b[2J of context kind is left out"));
    CHECK_THAT(s.row(7), Catch::Contains("service shop/We b of context kind is left out"));
}

TEST_CASE("a long list of errors scrolls so that the one under the cursor is whole", "[tui]")
{
    stage s{80, 12};
    std::vector<wire::service> many;
    for (int i = 0; i < 30; ++i)
        many.push_back(service_named(fmt::format("s{:02}", i), "error", fmt::format("reason {} ", i) + std::string(150, 'y')));
    s.connect(many);
    (void)s.type("e");
    for (int i = 0; i < 29; ++i) {
        CHECK_THAT(s.screen(), Catch::Contains(fmt::format("›✗ s{:02}.shop", i)) && Catch::Contains(fmt::format("reason {}", i)));
        (void)s.type("j");
    }
    (void)s.type("gG");
    CHECK_THAT(s.cursor_row(), Catch::Contains("s29"));
}

TEST_CASE("the detail of a service says how it is and how to connect, each line to be copied", "[tui]")
{
    stage s;
    s.connect({service_named("db")});
    auto then = s.type("<enter>");
    REQUIRE(then.size() == 1);
    CHECK(then[0].what == wish::load_connect);
    wire::connection_info how;
    wire::connection_port port;
    port.kind = "postgres";
    port.url = "postgres://app:${POSTGRES_PASSWORD}@db:5432/app";
    how.ports = {port};
    how.env["PGHOST"] = "db";
    how.secrets = {{"db-secret", "password", "kubectl get secret db-secret"}};
    (void)s.send(connect_answer{"db.shop.kind", how});
    const auto screen = s.screen();
    CHECK_THAT(screen, Catch::Contains("active since 11:55:00, proven by a connection") &&
                           Catch::Contains("postgres    postgres://app:${POSTGRES_PASSWORD}@db"));
    CHECK_THAT(screen, Catch::Contains("PGHOST=db") && Catch::Contains("kubectl get secret db-secret") &&
                           Catch::Contains("127.1.27.4:80 → db-7d4b9:8080 (http)"));
    (void)s.type("jjjjjjjj");
    CHECK_THAT(s.cursor_row(), Catch::Contains("postgres://"));
    CHECK(s.type("y").at(0).text == port.url);
    (void)s.send(happened{s.event("ServiceRemoved", "db.shop.kind")});
    CHECK_THAT(s.screen(), Catch::Contains("no longer forwarded"));
}

TEST_CASE("the tabs of a service ask for what they show, and show it", "[tui]")
{
    stage s{100, 24};
    s.connect({service_named("web")});
    (void)s.type("<enter>");
    auto then = s.type("<tab>");
    REQUIRE(then.size() == 1);
    CHECK(then[0].of == tab::timeline);
    CHECK_THAT(s.screen(), Catch::Contains("Asking the daemon"));
    wire::explanation why;
    why.verdict = "web works";
    why.ok = true;
    why.entries = {{noon - 1min, "fwd", "reconnected", "pod replaced", "watch event"},
                   {noon, "pod", "made", "pod w-1 was made", "pod w-1"}};
    (void)s.send(tab_answer{"web.shop.kind", tab::timeline, tab_data{why}});
    CHECK_THAT(s.screen(), Catch::Contains("web works") && Catch::Contains("11:59:00      fwd        pod replaced  (watch event)"));
    CHECK_THAT(s.screen(), Catch::Contains("pod w-1 was made\n"));
    (void)s.type("<tab>");
    CHECK(s.on.detail.at == tab::http);
    (void)s.type("<tab>");
    wire::connection open;
    open.state = "open";
    open.since = noon;
    open.client = {"127.0.0.1:5000", 4711, "curl", 1000};
    open.pod_name = "web-1";
    open.local_port = 80;
    open.bytes_out = 2048;
    wire::connection held = open;
    held.state = "waiting";
    held.waiting_for = "pod";
    held.pod_name.clear();
    (void)s.send(tab_answer{"web.shop.kind", tab::connections, tab_data{wire::connection_list{{open, held}, 1, 1, 0}}});
    CHECK_THAT(s.screen(), Catch::Contains("no pod yet") && Catch::Contains("waits for a pod"));
    CHECK_THAT(s.screen(),
               Catch::Contains("curl pid 4711") && Catch::Contains(":80") && Catch::Contains("web-1") && Catch::Contains("out 2.0K"));
    then = s.type("<tab>");
    CHECK(then.at(0).text == "web-7d4b9");
    CHECK(then.at(0).what == wish::follow_log);
    (void)s.send(log_came{then.at(0).number, {"first", "\x1b[31mred\x1b[0m"}});
    CHECK_THAT(s.screen(), Catch::Contains("first") && Catch::Contains("\ufffd[31mred"));
    (void)s.type("<backtab><backtab>");
    CHECK(s.on.detail.at == tab::http);
    for (const auto& each : tab_titles())
        if (each.to == tab::info) s.click(each.place.x + 1, 1);
    CHECK(s.on.detail.at == tab::info);
}

TEST_CASE("HTTP requests are shown newest first, with what was unusual, and what cannot be seen is said", "[tui]")
{
    stage s{100, 24};
    s.connect({service_named("web")});
    (void)s.type("<enter><tab><tab>");
    const auto told = [&](std::string_view text) { (void)s.send(tab_answer{"web.shop.kind", tab::http, tab_data{json::parse(text)}}); };
    told(R"({"summary":{"totalRequests":3,"inFlight":1,"unanswered":1,"statusCodes":{"2xx":1,"3xx":0,"5xx":1},"requestsPerSecond":0.24,
        "p50Ms":12.5,"p95Ms":1300,"topPaths":[{"path":"/cart","count":2}]},
        "forwards":[{"logs":[
            {"timestamp":"2024-10-04T11:58:00.000Z","method":"GET","path":"/old\u001b[2J","statusCode":200,"durationMs":0.44,"size":12},
            {"timestamp":"2024-10-04T11:57:00.000Z","method":"POST","path":"/cut","durationMs":99,"size":0,"cutBy":"pod"}]},
        {"logs":[
            {"timestamp":"2024-10-04T11:59:00.000Z","method":"GET","path":"/cart","statusCode":503,"durationMs":12.5,"size":2048,
             "protocol":"HTTP/2","host":"web.example"}]}]})");
    CHECK_THAT(s.row(2), Catch::Contains("3 requests, 1 under way, 1 without answer  2xx 1  5xx 1  0.2/s"));
    CHECK_THAT(s.row(3), Catch::Contains("p50 12 ms  p95 1.3 s"));
    CHECK_THAT(s.row(4), Catch::Contains("2 /cart"));
    CHECK(s.row(6) == "  TIME          CODE    TOOK   SIZE METHOD PATH");
    CHECK(s.row(7) == "  11:59:00      503    12 ms   2.0K GET    /cart  HTTP/2  web.example");
    CHECK(s.row(8) == "  11:58:00      200   0.4 ms     12 GET    /old\ufffd[2J");
    CHECK(s.row(9) == "  11:57:00        -    99 ms      0 POST   /cut  cut by the pod");
    told(R"({"summary":{"totalRequests":0,"tlsConnections":2,"tlsNames":["a.example"]},"forwards":[]})");
    CHECK_THAT(s.screen(), Catch::Contains("2 connections for a.example: left alone, so what is inside is not seen"));
    told(R"({"summary":{"totalRequests":0},"forwards":[]})");
    CHECK_THAT(s.screen(), Catch::Contains("No HTTP request was seen yet."));
}

TEST_CASE("an open tab is asked again when something happens to its service, at most once a second", "[tui]")
{
    stage s;
    s.connect({service_named("web")});
    (void)s.type("<enter><tab>");
    (void)s.send(tab_answer{"web.shop.kind", tab::timeline, tab_data{wire::explanation{}}});
    s.effects.clear();
    (void)s.send(happened{s.event("ConnectionOpened", "web.shop.kind")});
    const auto tabs_asked = [&] {
        return std::count_if(s.effects.begin(), s.effects.end(), [](const effect& each) { return each.what == wish::load_tab; });
    };
    CHECK(tabs_asked() == 0);
    s.now += 1s;
    (void)s.send(passed{});
    CHECK(tabs_asked() == 1);
    (void)s.send(happened{s.event("ConnectionClosed", "web.shop.kind")});
    CHECK(tabs_asked() == 1);
}

TEST_CASE("browsing goes from contexts to namespaces to services, and forwards what is chosen", "[tui]")
{
    stage s;
    s.connect({});
    auto then = s.type("f");
    REQUIRE(then.size() == 1);
    CHECK(then[0].what == wish::browse);
    (void)s.send(browse_answer{browse_level::contexts, "", "",
                               std::vector<browse_item>{{"kind", "https://k", true, ""}, {"prod", "https://p", false, "token expired"}}});
    CHECK_THAT(s.row(2), Catch::Contains("›● kind") && Catch::Contains("forwarded"));
    CHECK_THAT(s.row(3), Catch::Contains("token expired"));
    then = s.type("<enter>");
    CHECK(then.at(0).context == "kind");
    CHECK(s.type("<left>").at(0).level == browse_level::contexts); // also while one waits for an answer
    (void)s.send(browse_answer{browse_level::contexts, "", "", std::vector<browse_item>{{"kind", "https://k", true, ""}}});
    CHECK(s.type("<enter>").at(0).context == "kind");
    (void)s.send(
        browse_answer{browse_level::namespaces, "kind", "", std::vector<browse_item>{{"shop", "", false, ""}, {"qa", "", false, ""}}});
    then = s.type("a");
    CHECK(then.at(0).what == wish::add_namespaces);
    CHECK(then.at(0).keys == std::vector<std::string>{"shop"});
    auto added = s.event("NamespaceAdded", "");
    added.namespace_name = "shop";
    added.context = "kind";
    (void)s.send(happened{added});
    CHECK_THAT(s.row(2), Catch::Contains("● shop"));
    then = s.type("<enter>");
    CHECK(then.at(0).name_space == "shop");
    (void)s.send(browse_answer{browse_level::services, "kind", "shop",
                               std::vector<browse_item>{{"web", "ClusterIP  http:80", false, ""}, {"db", "", false, ""}}});
    then = s.type("  <enter>");
    REQUIRE(then.size() == 1);
    CHECK(then[0].what == wish::add_services);
    CHECK(then[0].keys == std::vector<std::string>{"db", "web"});
    CHECK(then[0].name_space == "shop");
    then = s.type("<esc>");
    CHECK(then.at(0).level == browse_level::namespaces);
    (void)s.send(browse_answer{browse_level::namespaces, "kind", "", problem_saying("forbidden: list namespaces")});
    CHECK_THAT(s.screen(), Catch::Contains("forbidden: list namespaces"));
    (void)s.type("<esc><esc>");
    CHECK(s.on.at == page::services);
}

TEST_CASE("an answer that comes after one has gone on is not shown", "[tui]")
{
    stage s;
    s.connect({service_named("web"), service_named("db")});
    (void)s.type("f");
    (void)s.send(browse_answer{browse_level::namespaces, "kind", "", std::vector<browse_item>{{"old", "", false, ""}}});
    CHECK_THAT(s.screen(), !Catch::Contains("old"));
    (void)s.type("<esc><enter><tab>");
    wire::explanation old;
    old.verdict = "old";
    (void)s.send(tab_answer{"web.shop.kind", tab::timeline, tab_data{old}});
    CHECK_THAT(s.screen(), !Catch::Contains("old"));
}

TEST_CASE("Tab and clicks go from page to page, help comes back to where one was", "[tui]")
{
    stage s;
    s.connect({service_named("web")});
    (void)s.type("<tab>");
    CHECK(s.on.at == page::errors);
    (void)s.type("<tab><tab><tab><backtab>");
    CHECK(s.on.at == page::browse);
    (void)s.type("?");
    CHECK_THAT(s.screen(), Catch::Contains("WHAT EACH KEY DOES") && Catch::Contains("Ctrl-Z"));
    (void)s.type("<esc>");
    CHECK(s.on.at == page::browse);
    for (const auto& each : page_titles(s.on))
        if (each.to == page::services) s.click(each.place.x, 0);
    CHECK(s.on.at == page::services);
    s.click(5, 2);
    CHECK(s.on.at == page::detail);
}
