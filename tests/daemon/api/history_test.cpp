// What was and why it is so, by REST: history, explanations, diagnoses, the daemon's log.
#include "common/api/wire_history.hpp"
#include "common/text.hpp"
#include "tests/daemon/api/running_api.hpp"

#include <boost/json/array.hpp>

using namespace fwd;
using namespace fwd::test;
using Catch::Matchers::Contains;

namespace {

past sample(std::string type, std::string key, wall_time when)
{
    past made;
    made.id = 7;
    made.when = when;
    made.type = std::move(type);
    made.service_key = std::move(key);
    made.forward_key = made.service_key + ".web-0.80";
    made.pod = "web-0";
    made.code = "port_refused";
    made.message = "nothing listens on port 8080";
    return made;
}

catalog::wrong wrong(std::string key, std::string kind, std::string code)
{
    catalog::wrong made{std::move(key), std::move(kind), {}};
    made.what.code = std::move(code);
    made.what.sentence = "it is " + made.what.code;
    made.what.suggestion = "mend it";
    catalog::next_step step;
    step.method = "POST";
    step.path = "/api/v1/services/x/check";
    step.why = "tries it";
    made.what.next = {step};
    return made;
}

} // namespace

TEST_CASE("each of these routes answers, and wrong parameters are named", "[api][history]")
{
    struct row {
        std::string target;
        std::string wrong; ///< a parameter that it refuses; empty: it has none
    };
    const auto row = GENERATE(values<struct row>({
        {"/api/v1/explain", "since=yesterday"},
        {"/api/v1/explain/web.shop", "since=x"},
        {"/api/v1/explain/http:%2F%2Fweb:80%2Fa", ""},
        {"/api/v1/history/events", "count=0"},
        {"/api/v1/history/events?type=PodAdded&count=1000&since=2h&service=web.shop", "count=1001"},
        {"/api/v1/history/errors?since=2026-11-21T04:05:35Z", "since=soon"},
        {"/api/v1/history/reconnections", "count=many"},
        {"/api/v1/history/requests", "count=-1"},
        {"/api/v1/history/stats", ""},
        {"/api/v1/services/db/history/reconnections", "count=0"},
        {"/api/v1/logs", "level=loud"},
        {"/api/v1/logs/system?level=WARN&search=x&count=5", "count=0"},
        {"/api/v1/analyze", ""},
        {"/api/v1/diagnostics", ""},
        {"/api/v1/diagnostics/services/db", ""},
        {"/api/v1/diagnostics/forwards/db", ""},
        {"/api/v1/diagnostics/network", ""},
        {"/api/v1/diagnostics/errors", "count=501"},
    }));
    running_api daemon;
    INFO(row.target);
    CHECK(daemon.ask("GET", row.target).status == 200);
    CHECK(daemon.ask("HEAD", row.target).status == 200);
    CHECK(daemon.ask("POST", row.target).status == 405);
    if (row.wrong.empty()) return;
    const auto refused = daemon.ask("GET", row.target.substr(0, row.target.find('?')) + "?" + row.wrong);
    CHECK(refused.status == 400);
    CHECK(problem_of(refused).code == "invalid_request");
    CHECK_THAT(problem_of(refused).message, Contains("'" + row.wrong.substr(0, row.wrong.find('=')) + "'"));
}

TEST_CASE("unknown and ambiguous keys are told as everywhere", "[api][history]")
{
    running_api daemon;
    for (const auto* path : {"services/%/history/reconnections", "diagnostics/services/%", "diagnostics/forwards/%"}) {
        std::string target = std::string{"/api/v1/"} + path;
        const auto at = target.find('%');
        INFO(target);
        CHECK(daemon.ask("GET", std::string{target}.replace(at, 1, "nothing")).status == 404);
        CHECK(daemon.ask("GET", std::string{target}.replace(at, 1, "web")).status == 409);
    }
    CHECK(daemon.ask("GET", "/api/v1/history/events?service=web").status == 409);
    daemon.why.refuse = catalog::refusal{error{errc::ambiguous, "'web' may mean two"}};
    daemon.why.refuse->evidence = {"web.shop.kind", "web.staging.kind"};
    const auto refused = daemon.ask("GET", "/api/v1/explain/web");
    CHECK(refused.status == 409);
    CHECK(problem_of(refused).evidence.size() == 2);
}

TEST_CASE("history is given as arrays in the shapes that are known", "[api][history]")
{
    running_api daemon;
    const auto now = daemon.clock.wall_now();
    auto error = sample("ErrorRaised", "web.shop.kind", now);
    error.resolved = now + 2s;
    auto back = sample("Reconnected", "web.shop.kind", now);
    back.took = 1500ms;
    back.code = "tunnel_lost";
    daemon.kept.all = {{past_kind::event, sample("PodAdded", "web.shop.kind", now)},
                       {past_kind::event, sample("PodAdded", "db.shop.kind", now)},
                       {past_kind::error, error},
                       {past_kind::reconnection, back}};
    const auto events = data_of(daemon.ask("GET", "/api/v1/history/events?service=web.shop"));
    REQUIRE(events.is_array());
    REQUIRE(events.get_array().size() == 1);
    const auto event = wire::from_json<wire::past_event>(events.get_array()[0]);
    REQUIRE(event.has_value());
    CHECK(event->type == "PodAdded");
    CHECK(event->timestamp.has_value());
    CHECK(event->pod_name == "web-0");

    const auto errors = data_of(daemon.ask("GET", "/api/v1/history/errors"));
    const auto& first = errors.get_array().at(0).as_object();
    CHECK(first.at("errorType") == "port_refused");
    CHECK(first.at("resolved") == true);
    CHECK(first.contains("resolvedAt"));

    const auto returns = data_of(daemon.ask("GET", "/api/v1/services/web.shop/history/reconnections"));
    const auto& one = returns.get_array().at(0).as_object();
    CHECK(one.at("trigger") == "tunnel_lost");
    CHECK(one.at("duration") == "1.5s");
    CHECK(one.at("durationMs") == 1500);

    CHECK(read<wire::history_stats>(daemon.ask("GET", "/api/v1/history/stats")).max_events == 10'000);
    daemon.kept.refuse = catalog::refusal{fwd::error{errc::unavailable, "history is not open"}};
    CHECK(daemon.ask("GET", "/api/v1/history/errors").status == 503);
}

TEST_CASE("since is a time or how long ago", "[api][history]")
{
    running_api daemon;
    const auto now = daemon.clock.wall_now();
    daemon.ask("GET", "/api/v1/history/events?since=90m");
    daemon.ask("GET", "/api/v1/history/events?since=2026-11-21T04:05:35Z");
    daemon.ask("GET", "/api/v1/explain/web.shop?since=15m");
    REQUIRE(daemon.kept.questions.size() == 2);
    CHECK(daemon.kept.questions[0].since == now - 90min);
    CHECK(daemon.kept.questions[1].since == parse_rfc3339("2026-11-21T04:05:35Z"));
    REQUIRE(daemon.why.asked.size() == 1);
    CHECK(daemon.why.asked[0] == std::pair{std::string{"web.shop"}, std::optional{now - 15min}});
}

TEST_CASE("who changed something, or tried to, stands in the list of requests", "[api][history]")
{
    running_api daemon;
    auto ask = daemon.request("POST", "/api/v1/services", R"({"serviceName":"cart"})");
    ask.fields.add("Fwd-Client", "claude-code/2; 5f0c");
    CHECK(daemon.ask(ask).status == 201);
    CHECK(daemon.ask("DELETE", "/api/v1/services/nothing").status == 404);
    CHECK(daemon.ask("GET", "/api/v1/services").status == 200);
    const auto requests = data_of(daemon.ask("GET", "/api/v1/history/requests"));
    REQUIRE(requests.as_array().size() == 2);
    const auto failed = *wire::from_json<wire::past_request>(requests.as_array()[0]);
    CHECK(failed.method == "DELETE");
    CHECK(failed.status == 404);
    CHECK(failed.code == "not_found");
    const auto added = *wire::from_json<wire::past_request>(requests.as_array()[1]);
    CHECK(added.method == "POST");
    CHECK(added.path == "/api/v1/services");
    CHECK(added.client == "claude-code/2; 5f0c");
    CHECK(added.owner == "ann");
    CHECK(added.service_key == "cart.shop.kind");
    CHECK(added.status == 201);
}

TEST_CASE("an explanation has verdict, suggestion, next steps and the timeline", "[api][history]")
{
    running_api daemon;
    auto& says = daemon.why.says;
    says.key = "web.shop.kind";
    says.service = "web";
    says.forwarded = true;
    says.what = wrong({}, {}, "crash_loop").what;
    says.what.next.front().body = R"({"timeoutMs":1000})";
    says.entries = {{daemon.clock.wall_now(), "container", "exit", "ended with exit code 1", "pod web-0"}};
    says.problems = {wrong("web.shop.kind", "service", "crash_loop")};
    const auto one = read<wire::explanation>(daemon.ask("GET", "/api/v1/explain/web"));
    CHECK(one.key == "web.shop.kind");
    CHECK(one.code == "crash_loop");
    CHECK(one.verdict == "it is crash_loop");
    CHECK_FALSE(one.ok);
    REQUIRE(one.next.size() == 1);
    CHECK(one.next[0].body.as_object().at("timeoutMs") == 1000);
    REQUIRE(one.entries.size() == 1);
    CHECK(one.entries[0].source == "container");
    CHECK(one.entries[0].at.has_value());
    const auto all = read<wire::explanation>(daemon.ask("GET", "/api/v1/explain"));
    REQUIRE(all.problems.size() == 1);
    CHECK(all.problems[0].code == "crash_loop");
}

TEST_CASE("analysis and diagnoses are what explain says, weighed", "[api][history]")
{
    running_api daemon;
    daemon.state.put(sample_service("cart", "shop", 80, catalog::forward_state::error));
    daemon.why.says.what.sentence = "3 problems";
    daemon.why.says.problems = {wrong("kind", "context", "cluster_unreachable"), wrong("cart.shop.kind", "service", "port_refused"),
                                wrong("db.shop.kind", "service", "not_ready")};
    const auto now = daemon.clock.wall_now();
    auto over = sample("ErrorRaised", "web.shop.kind", now);
    over.resolved = now;
    daemon.kept.all = {{past_kind::error, over}, {past_kind::error, sample("ErrorRaised", "cart.shop.kind", now)}};

    const auto analysis = read<wire::analysis>(daemon.ask("GET", "/api/v1/analyze"));
    CHECK(analysis.summary == "3 problems");
    CHECK(analysis.status == "degraded");
    REQUIRE(analysis.issues.size() == 3);
    CHECK(analysis.issues[0].severity == "critical");
    CHECK(analysis.issues[1].severity == "high");
    CHECK(analysis.issues[1].service_key == "cart.shop.kind");
    CHECK(analysis.issues[2].severity == "medium");
    CHECK(analysis.recommendations.size() == 1); // the same advice three times is one
    CHECK(analysis.suggested_actions.size() == 3);
    CHECK(analysis.stats.total_services == 4);

    const auto errors = read<wire::error_list>(daemon.ask("GET", "/api/v1/diagnostics/errors"));
    REQUIRE(errors.errors.size() == 4); // three that are there, one that is over; not the unresolved one twice
    CHECK(errors.errors[1].forward_key == "cart.shop.kind.cart-0.80");
    CHECK_FALSE(errors.errors[1].recoverable);
    CHECK(errors.errors[2].recoverable);
    CHECK_THAT(errors.errors[3].message, Contains("(over)"));
    CHECK(read<wire::error_list>(daemon.ask("GET", "/api/v1/diagnostics/errors?count=1")).errors.size() == 1);

    const auto all = read<wire::diagnostics>(daemon.ask("GET", "/api/v1/diagnostics"));
    CHECK(all.services.total == 4);
    CHECK(all.services.error == 1);
    CHECK(all.services.pending == 1);
    CHECK(all.network.ports_in_use == 4);
    CHECK(all.errors.size() == 3);
    CHECK(all.recommendations == std::vector<std::string>{"mend it"});

    const auto cart = read<wire::service_diagnostic>(daemon.ask("GET", "/api/v1/diagnostics/services/cart"));
    CHECK(cart.status == "error");
    CHECK(cart.error_count == 1);
    REQUIRE(cart.forwards.size() == 1);
    CHECK(cart.forwards[0].connection.state == "error");
    CHECK(cart.error_history.size() == 1);
    CHECK(read<wire::forward_diagnostic>(daemon.ask("GET", "/api/v1/diagnostics/forwards/web.shop")).connection.state == "connected");
    const auto network = read<wire::network_status>(daemon.ask("GET", "/api/v1/diagnostics/network"));
    CHECK(network.ip_range == "127.1.27.1-127.1.27.1");
    CHECK(network.ips_allocated == 1);
}

TEST_CASE("the daemon's log can be read, picked from, followed and forgotten", "[api][history]")
{
    running_api daemon;
    daemon.log.info("first");
    daemon.log.warn("forward failed", {{"forward", "web.shop"}});
    daemon.clock.settle();
    const auto all = read<wire::log_list>(daemon.ask("GET", "/api/v1/logs"));
    REQUIRE(all.logs.size() >= 2);
    CHECK(all.logs.back().message == "forward failed");
    CHECK(all.logs.back().level == "warn");
    CHECK(all.logs.back().fields.at("forward") == "web.shop");
    CHECK(read<wire::log_list>(daemon.ask("GET", "/api/v1/logs/system?level=warn")).logs.size() == 1);
    CHECK(read<wire::log_list>(daemon.ask("GET", "/api/v1/logs/system?search=FIRST&count=1")).logs.size() == 1);

    const auto over = daemon.connect();
    daemon.send(*over, wire_text(daemon.request("GET", "/api/v1/logs/stream?level=warn&search=web")));
    CHECK_THAT(daemon.read_for(*over, 10ms), Contains("text/event-stream"));
    daemon.log.warn("forward failed", {{"forward", "db.shop"}});
    daemon.log.warn("forward failed again", {{"forward", "web.shop"}});
    const auto text = daemon.read_for(*over, 10ms);
    CHECK_THAT(text, Contains("event: log\ndata: {") && Contains("failed again") && !Contains("db.shop"));

    const auto cleared = daemon.ask("DELETE", "/api/v1/logs/system");
    CHECK(read<wire::log_cleared>(cleared).cleared >= 4);
    CHECK(daemon.ask("DELETE", "/api/v1/logs").status == 405);
    for (const auto& one : read<wire::log_list>(daemon.ask("GET", "/api/v1/logs")).logs) CHECK_THAT(one.message, !Contains("failed"));
}
