#include "common/api/wire_actions.hpp"
#include "common/api/wire_traffic.hpp"
#include "common/async/task_scope.hpp"
#include "daemon/api/connection_strings.hpp"
#include "tests/daemon/api/running_api.hpp"

#include <boost/json/object.hpp>

using namespace fwd;
using namespace fwd::test;

namespace {

/// A program behind 127.1.27.1 that sends its answer to whoever connects, after it heard something or at once.
class answering {
public:
    answering(running_api& daemon, std::uint16_t port, std::string answer, bool speaks_first = false)
        : tasks_{daemon.loop.get_executor(), daemon.log}, answer_{std::move(answer)}, speaks_first_{speaks_first}
    {
        auto made = daemon.net.listen(make_endpoint(ipv4{0x7f011b01}, port), {});
        REQUIRE(made.has_value());
        from_ = std::move(*made);
        await();
    }
    void end(virtual_clock& clock)
    {
        from_->cancel();
        tasks_.cancel();
        auto join = [](task_scope& of) -> awaitable<void> { co_await of.join(); };
        clock.run(join(tasks_));
    }
    std::string heard;

private:
    void await()
    {
        from_->wait([this] {
            while (auto got = from_->try_accept()) {
                if (!*got) break;
                tasks_.start("answer", serve(make_byte_stream(std::move((*got)->stream))));
            }
            await();
        });
    }
    awaitable<void> serve(std::unique_ptr<byte_stream> with)
    {
        std::array<std::byte, 512> chunk;
        if (!speaks_first_) {
            const auto got = co_await with->read_some(chunk);
            if (!got || *got == 0) co_return;
            heard += as_text(std::span{chunk}.first(*got));
        }
        if (answer_.empty()) co_return; // closes
        (void)co_await with->write_all(as_bytes(answer_));
        (void)co_await with->read_some(chunk);
    }

    task_scope tasks_;
    std::unique_ptr<acceptor> from_;
    std::string answer_;
    bool speaks_first_;
};

/// A daemon with one service on one port of a kind.
struct checked : running_api {
    explicit checked(std::uint16_t port, std::string port_name)
    {
        auto made = sample_service("it", "shop", port);
        made.forwards[0].port_name = std::move(port_name);
        state.put(made);
        net.hosts["it"] = {boost::asio::ip::make_address("127.1.27.1")};
    }
    wire::check_report check(std::string body = {})
    {
        return read<wire::check_report>(ask("POST", "/api/v1/services/it/check", std::move(body)));
    }
};

} // namespace

TEST_CASE("services are connected anew: one, those in error, or all", "[api]")
{
    running_api daemon;
    daemon.state.put(sample_service("bad", "shop", 99, catalog::forward_state::error));
    const auto one = read<wire::reconnected>(daemon.ask("POST", "/api/v1/services/web.shop/reconnect"));
    CHECK(daemon.engine.reconnected == std::vector<std::string>{"web.shop.kind"});
    REQUIRE(one.services.size() == 1);
    CHECK(one.triggered == 1);
    const auto errors = read<wire::reconnected>(daemon.ask("POST", "/api/v1/services/reconnect"));
    CHECK(daemon.engine.reconnected == std::vector<std::string>{"bad.shop.kind"});
    CHECK(errors.services.at(0).status == "error");
    CHECK(read<wire::reconnected>(daemon.ask("POST", "/api/v1/services/reconnect", R"({"scope":"all"})")).triggered == 4);
    CHECK(problem_of(daemon.ask("POST", "/api/v1/services/reconnect", R"({"scope":"some"})")).code == "invalid_request");
    CHECK(problem_of(daemon.ask("POST", "/api/v1/services/none/reconnect")).code == "not_found");
    CHECK(problem_of(daemon.ask("POST", "/api/v1/services/web/reconnect")).code == "ambiguous");
}

TEST_CASE("sync compares with the cluster, and force connects anew", "[api]")
{
    running_api daemon;
    const auto plain = read<wire::synced>(daemon.ask("POST", "/api/v1/services/db/sync"));
    CHECK(plain.service.key == "db.shop.kind");
    CHECK(daemon.engine.synced == std::vector<std::string>{"db.shop.kind"});
    CHECK(daemon.engine.reconnected.empty());
    CHECK(read<wire::synced>(daemon.ask("POST", "/api/v1/services/db/sync", R"({"force":true})")).force);
    CHECK(daemon.engine.reconnected == std::vector<std::string>{"db.shop.kind"});
    daemon.engine.refuse = catalog::refusal{error{errc::forbidden, "get service shop/db"}};
    CHECK(problem_of(daemon.ask("POST", "/api/v1/services/db/sync")).code == "forbidden");
}

TEST_CASE("a plan says what would happen and is done once, by its maker, with the same arguments", "[api]")
{
    running_api daemon;
    daemon.state.services().at("web.shop.kind").forwards[0].traffic->open = 2;
    const std::string body = R"({"operation":"remove_service","arguments":{"key":"web.shop"}})";
    auto ask = daemon.request("POST", "/api/v1/plans", body);
    ask.fields.set("Fwd-Client", "claude/1; s1");
    const auto planned = daemon.ask(ask);
    CHECK(planned.status == 201);
    const auto plan = read<wire::plan>(planned);
    CHECK(plan.needs_confirmation);
    CHECK(plan.reasons == std::vector<std::string>{"2 connections are open", "was added by the command line"});
    REQUIRE(plan.affected.size() == 1);
    CHECK(plan.affected[0].connections == 2);
    CHECK(daemon.state.services().contains("web.shop.kind"));

    const auto apply = [&](const std::string& client, const std::string& again, const std::string& id) {
        auto one = daemon.request("POST", "/api/v1/plans/" + id + "/apply", again);
        one.fields.set("Fwd-Client", client);
        return daemon.ask(one);
    };
    CHECK(problem_of(apply("other/1; s1", "", plan.plan_id)).code == "forbidden");
    CHECK(problem_of(apply("claude/1; s2", R"({"operation":"remove_service","arguments":{"key":"db"}})", plan.plan_id)).code ==
          "plan_mismatch");
    CHECK(problem_of(apply("claude/1", "", "nope")).code == "not_found");
    const auto done = apply("claude/1; s2", body, plan.plan_id);
    CHECK(done.status == 200);
    CHECK(read<wire::removed>(done).key == "web.shop.kind");
    CHECK_FALSE(daemon.state.services().contains("web.shop.kind"));
    CHECK(problem_of(apply("claude/1; s2", "", plan.plan_id)).code == "gone");
}

TEST_CASE("a plan is gone after five minutes", "[api]")
{
    running_api daemon;
    const auto plan = read<wire::plan>(daemon.ask("POST", "/api/v1/plans", R"({"operation":"shutdown"})"));
    CHECK_FALSE(plan.needs_confirmation);
    CHECK(plan.affected.size() == 3);
    daemon.clock.advance(5min + 1s);
    CHECK(problem_of(daemon.ask("POST", "/api/v1/plans/" + plan.plan_id + "/apply")).code == "gone");
    CHECK(daemon.engine.ended.empty());
}

TEST_CASE("what another client added, and many forwards, want a confirmation", "[api]")
{
    running_api daemon;
    for (int i = 0; i < 6; ++i) {
        auto one = sample_service("s" + std::to_string(i), "shop", 80);
        one.owner.client = "cursor/2; x";
        daemon.state.put(one);
    }
    const auto plan =
        read<wire::plan>(daemon.ask("POST", "/api/v1/plans", R"({"operation":"remove_namespace","arguments":{"namespace":"shop"}})"));
    CHECK(plan.reasons == std::vector<std::string>{"8 forwards end", "was added by cursor"});
    for (const auto* wrong : {R"({"operation":"dance"})", R"({"operation":"remove_service"})",
                              R"({"operation":"add_service","arguments":[]})", R"({"operation":"add_namespace","arguments":{}})"})
        CHECK(problem_of(daemon.ask("POST", "/api/v1/plans", wrong)).code == "invalid_request");
    CHECK(problem_of(daemon.ask("POST", "/api/v1/plans", R"({"operation":"remove_service","arguments":{"key":"web"}})")).code ==
          "ambiguous");
}

TEST_CASE("a plan tells what goes with a namespace or a whole context, and what stays", "[api]")
{
    running_api daemon;
    auto db = daemon.state.services().at("db.shop.kind");
    db.by_itself = true;
    daemon.state.put(db);
    auto far = sample_service("far", "shop", 80);
    far.context = "far";
    daemon.state.put(far);
    daemon.state.put(catalog::forwarded_namespace{.name = "*", .context = "kind", .running = true});
    const auto plan = [&](const std::string& key) {
        return read<wire::plan>(
            daemon.ask("POST", "/api/v1/plans", R"({"operation":"remove_namespace","arguments":{"key":")" + key + "\"}}"));
    };
    const auto keys = [](const wire::plan& of) {
        std::vector<std::string> all;
        for (const auto& one : of.affected) all.push_back(one.key);
        return all;
    };
    const auto one = plan("shop.kind");
    CHECK(keys(one) == std::vector<std::string>{"web.shop.kind"});
    CHECK(one.summary == "namespace shop.kind with 1 service is no longer forwarded; db.shop.kind stays, added by itself");
    const auto all = plan("*.kind");
    CHECK(keys(all) == std::vector<std::string>{"web.shop.kind", "web.staging.kind"});
    const auto gone = read<wire::removed>(daemon.ask("POST", "/api/v1/plans/" + one.plan_id + "/apply"));
    CHECK(gone.key == "shop.kind");
    CHECK_FALSE(gone.kept.empty());
}

TEST_CASE("additions in a protected context go by a plan", "[api]")
{
    running_api daemon;
    daemon.cluster.guarded = {"kind", "far"};
    const auto refused = daemon.ask("POST", "/api/v1/services", R"({"serviceName":"cart"})");
    CHECK(refused.status == 409);
    const auto problem = problem_of(refused);
    CHECK(problem.code == "confirmation_required");
    REQUIRE(problem.next.size() == 1);
    CHECK(problem.next[0].path == "/api/v1/plans");
    CHECK(problem_of(daemon.ask("POST", "/api/v1/namespaces", R"({"namespace":"x","context":"kind"})")).code == "confirmation_required");
    // Nothing was forwarded from it so far.
    CHECK(problem_of(daemon.ask("POST", "/api/v1/namespaces", R"({"namespace":"x","context":"far"})")).code == "confirmation_required");
    const auto plan =
        read<wire::plan>(daemon.ask("POST", "/api/v1/plans", R"({"operation":"add_service","arguments":{"serviceName":"cart"}})"));
    CHECK(plan.reasons == std::vector<std::string>{"context kind is protected"});
    CHECK(daemon.ask("POST", "/api/v1/plans/" + plan.plan_id + "/apply").status == 201);
    CHECK(daemon.state.services().contains("cart.shop.kind"));
}

TEST_CASE("check greets each protocol in its own words", "[api]")
{
    struct row {
        std::string name, answer, says, protocol;
        bool first = false;
    };
    const auto row = GENERATE(values<struct row>({
        {"http", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 Not Found", "http"},
        {"postgres", "N", "PostgreSQL, without TLS", "postgres"},
        {"redis", "+PONG\r\n", "Redis", "redis"},
        {"redis", "-NOAUTH Authentication required.\r\n", "NOAUTH", "redis"},
        {"mysql", std::string{"\x4a\0\0\0\x0a", 5} + std::string{"8.0.36\0xx", 9}, "MySQL 8.0.36", "mysql", true},
        {"amqp", std::string{"\x01\0\0", 3}, "AMQP", "amqp"},
        {"https", "\x16\x03\x03", "TLS", "https"},
        {"grpc", std::string{"\0\0\0\x04\0\0\0\0\0", 9}, "HTTP/2", "grpc"},
        {"nats", "INFO {}\r\n", "NATS", "nats", true},
        {"smtp", "220 mail\r\n", "220 mail", "", true},
    }));
    INFO(row.name);
    checked daemon{7000, row.name};
    answering program{daemon, 7000, row.answer, row.first};
    const auto report = daemon.check();
    CHECK(report.ok);
    REQUIRE(report.stages.size() == 6);
    CHECK_THAT(report.stages[5].detail, Catch::Contains(row.says));
    CHECK(report.protocol == row.protocol);
    CHECK(daemon.engine.proved == std::vector<std::string>{"it.shop.kind"});
    program.end(daemon.clock);
}

TEST_CASE("check says at which stage it fails, and goes no further", "[api]")
{
    SECTION("nobody listens")
    {
        checked daemon{7000, "http"};
        const auto report = daemon.check();
        CHECK_FALSE(report.ok);
        REQUIRE(report.stages.size() == 2);
        CHECK(report.stages[0].ok);
        CHECK_THAT(report.verdict, Catch::Contains("fails at \"listener\""));
    }
    SECTION("the name leads elsewhere")
    {
        checked daemon{7000, "http"};
        daemon.net.hosts["it"] = {boost::asio::ip::make_address("10.0.0.1")};
        CHECK_THAT(daemon.check().stages.at(0).detail, Catch::Contains("resolves to 10.0.0.1, not to 127.1.27.1"));
    }
    SECTION("it speaks something else")
    {
        checked daemon{7000, "postgres"};
        answering program{daemon, 7000, "HTTP/1.1 400 Bad Request\r\n\r\n"};
        const auto report = daemon.check();
        CHECK_THAT(report.verdict, Catch::Contains("not postgres: \"HTTP/1.1 400 Bad Request\""));
        program.end(daemon.clock);
    }
    SECTION("it closes")
    {
        checked daemon{7000, "redis"};
        answering program{daemon, 7000, ""};
        CHECK_THAT(daemon.check().verdict, Catch::Contains("no answer to a Redis PING; the connection was closed"));
        program.end(daemon.clock);
    }
    SECTION("no pod")
    {
        checked daemon{7000, "http"};
        auto none = daemon.state.services().at("it.shop.kind");
        none.forwards[0].pod.clear();
        none.forwards[0].reason = "scaled to zero";
        daemon.state.put(none);
        answering program{daemon, 7000, "x"};
        CHECK_THAT(daemon.check().verdict, Catch::Contains("fails at \"pod\": scaled to zero"));
        program.end(daemon.clock);
    }
}

TEST_CASE("check can ask a page and hold its status to what is expected", "[api]")
{
    checked daemon{7000, "http"};
    answering program{daemon, 7000, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"};
    const auto plain = daemon.check(R"({"path":"/health"})");
    CHECK(plain.status == 503);
    CHECK_FALSE(plain.ok);
    CHECK_THAT(program.heard, Catch::Contains("GET /health HTTP/1.1"));
    CHECK(daemon.check(R"({"path":"/health","expectStatus":503,"method":"HEAD","port":7000})").ok);
    program.end(daemon.clock);
    for (const auto* wrong :
         {R"({"path":"x"})", R"({"method":"PUT"})", R"({"timeoutMs":0})", R"({"timeoutMs":300001})", R"({"expectStatus":99})"})
        CHECK(problem_of(daemon.ask("POST", "/api/v1/services/it/check", wrong)).code == "invalid_request");
    CHECK_THAT(problem_of(daemon.ask("POST", "/api/v1/services/it/check", R"({"port":"dns"})")).message, Catch::Contains("it has 7000"));
}

TEST_CASE("connection strings come from what the cluster tells, never with a password", "[api]")
{
    auto db = sample_service("orders-db", "shop", 7777);
    api::service_evidence known{{}, "postgres:16", {{"POSTGRES_USER", "app user"}, {"POSTGRES_DB", "orders"}}, {}};
    known.secrets.push_back({"POSTGRES_PASSWORD", "db-credentials", "password"});
    auto info = api::connection_strings(db, known);
    CHECK(info.url == "postgresql://app%20user:${POSTGRES_PASSWORD}@orders-db:7777/orders");
    CHECK(info.env.at("DATABASE_URL") == info.url);
    REQUIRE(info.secrets.size() == 1);
    CHECK_THAT(info.secrets[0].command, Catch::Contains("get secret db-credentials") && Catch::Contains("{.data.password}"));

    known.url = "postgresql://app:hunter2@{host}:{port}/special";
    CHECK(api::connection_strings(db, known).url == "postgresql://app:${PASSWORD}@orders-db:7777/special");
    known.url = "x://$(rm -rf ~)";
    CHECK(api::connection_strings(db, known).url == info.url);
}

TEST_CASE("services of one kind keep their variables apart", "[api]")
{
    running_api daemon;
    daemon.state.put(sample_service("db", "staging", 5432));
    const auto got = read<wire::all_variables>(daemon.ask("GET", "/api/v1/env?format=shell"));
    CHECK(got.env.at("DATABASE_URL").find("@db:5432") != std::string::npos);
    CHECK(got.env.contains("DB_DATABASE_URL"));
    CHECK(got.env.contains("DB_STAGING_KIND_HOST"));
    CHECK(got.env.at("WEB_HOST") == "web");
    CHECK_FALSE(got.notes.empty());
    CHECK_THAT(got.text, Catch::Contains("export DATABASE_URL=\""));
    CHECK(read<wire::all_variables>(daemon.ask("GET", "/api/v1/env?namespace=staging")).services.size() == 2);
}

TEST_CASE("the doctor looks at names, conflicts, contexts and ports, each with a fix", "[api]")
{
    api::api_settings settings;
    settings.who_holds = [](std::uint16_t port) { return port == 80 ? std::string{"nginx (pid 7) on 0.0.0.0:80"} : std::string{}; };
    running_api daemon{settings};
    const auto finding = [&](const std::string& query, const std::string& name) {
        for (const auto& one : read<wire::doctor_report>(daemon.ask("GET", "/api/v1/doctor" + query)).findings)
            if (one.check == name) return one;
        return wire::finding{};
    };
    CHECK_FALSE(finding("", "names").ok);
    CHECK_FALSE(finding("", "names").fix.empty());
    for (const auto* name : {"web", "db"}) daemon.net.hosts[name] = {boost::asio::ip::make_address("127.1.27.1")};
    CHECK(finding("", "names").ok);
    CHECK(finding("", "conflicts").ok);
    CHECK(finding("", "context kind").ok);
    CHECK(finding("", "kubeconfig").ok);
    CHECK_FALSE(finding("?port=80", "port 80").ok); // ports are bound here, so that program is in the way
    CHECK(finding("?port=81", "port 81").detail == "nobody listens on it");
    CHECK(problem_of(daemon.ask("GET", "/api/v1/doctor?port=0")).code == "invalid_request");
    CHECK(problem_of(daemon.ask("GET", "/api/v1/doctor?port=65536")).code == "invalid_request");
    auto lost = sample_service("web", "staging", 80);
    lost.conflicts.push_back({.name = "web", .held_by = "web.shop.kind"});
    daemon.state.put(lost);
    CHECK_FALSE(finding("", "conflicts").ok);
}

TEST_CASE("after a transfer every place says the same number", "[api]")
{
    running_api daemon;
    auto web = sample_service("web", "shop", 80);
    auto& traffic = *(web.forwards[0].traffic = daemon.state.new_counters());
    daemon.state.put(web);
    traffic.began();
    traffic.bytes_in = 123'456;
    traffic.bytes_out = 789;
    const auto feed = daemon.connect();
    daemon.send(*feed, wire_text(daemon.request("GET", "/api/v1/events?type=BandwidthUpdate")));
    daemon.clock.advance(1s);
    daemon.state.sample_rates();
    CHECK_THAT(daemon.read_for(*feed, 100ms), Catch::Contains("\"bytesIn\":123456,\"bytesOut\":789"));
    const auto service = read<wire::service>(daemon.ask("GET", "/api/v1/services/web.shop"));
    CHECK(service.total_bytes_in == 123'456);
    CHECK(service.rate_in > 0);
    CHECK(service.forwards.at(0).bytes_out == 789);
    CHECK(read<wire::service_list>(daemon.ask("GET", "/api/v1/services")).summary.total_bytes_in == 123'456);
    CHECK(read<wire::forward_list>(daemon.ask("GET", "/api/v1/forwards")).summary.total_bytes_out == 789);
    CHECK(read<wire::metrics_summary>(daemon.ask("GET", "/api/v1/metrics")).total_bytes_in == 123'456);
    const auto listed = read<wire::service_metrics_list>(daemon.ask("GET", "/api/v1/metrics/services?limit=1&offset=1"));
    REQUIRE(listed.services.size() == 1);
    CHECK(listed.summary.total_bytes_out == 789);
    const auto one = read<wire::service_metrics>(daemon.ask("GET", "/api/v1/metrics/services/web.shop?points=2"));
    CHECK(one.port_forwards.at(0).bytes_in == 123'456);
    REQUIRE(one.history.size() == 2);
    CHECK(one.history[1].bytes_in == 123'456);
    CHECK(one.history[1].rate_out == 789);
    CHECK(one.history[0].bytes_in == 0);
    const auto history = read<wire::metrics_history>(daemon.ask("GET", "/api/v1/metrics/services/web.shop/history?points=300"));
    CHECK(history.history.size() == 300);
    for (const auto* wrong : {"points=0", "points=301", "points=x"})
        CHECK(daemon.ask("GET", std::string{"/api/v1/metrics/services/web.shop?"} + wrong).status == 400);
    const auto text = daemon.ask("GET", "/metrics");
    CHECK(text.fields.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    CHECK_THAT(text.body, Catch::Contains("fwd_bytes_total{direction=\"in\"} 123456\n"));
    CHECK_THAT(text.body,
               Catch::Contains("fwd_service_bytes_total{service=\"web\",namespace=\"shop\",context=\"kind\",direction=\"out\"} 789\n"));
}
