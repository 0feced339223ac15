// fwd explain, events and logs --daemon against a daemon that answers what is written here.
#include "bridge/cli/past.hpp"
#include "tests/bridge/cli/cli_bed.hpp"

using namespace fwd;
using namespace fwd::cli::test;
using Catch::Matchers::Contains;
namespace json = boost::json;

namespace {

const std::string crash_text =
    R"({"asked":"web","key":"web.shop.kind","serviceName":"web","namespace":"shop","context":"kind","forwarded":true,"ok":false,)"
    R"("code":"crash_loop","verdict":"pod web-1 keeps crashing: exit code 1","suggestion":"Read its log.",)"
    R"("next":[{"method":"GET","path":"/x","command":"kubectl -n shop logs web-1 --previous","why":"what it printed"}],)"
    R"("entries":[{"time":"2026-11-20T07:00:00.000Z","source":"pod","kind":"created","message":"pod web-1 was made","evidence":"pod web-1"},)"
    R"({"time":"2026-11-21T07:15:02.123Z","source":"container","kind":"exit","message":"ended with exit code 1"}]})";

} // namespace

TEST_CASE("explain says what is so, what to do, what to try and what happened", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/explain/web.shop", crash_text);
    cli::explain_arguments what;
    what.words = {"web"};
    what.name_space = "shop";
    what.since = "2h";
    CHECK(b.run(cli::explain(b.desk(), what)) == cli::failed);
    CHECK(b.out == "crash_loop  pod web-1 keeps crashing: exit code 1\n"
                   "-> Read its log.\n"
                   "try: kubectl -n shop logs web-1 --previous   # what it printed\n"
                   "\n"
                   "TIME                 SOURCE     WHAT                    EVIDENCE\n"
                   "2026-11-20 07:00:00  pod        pod web-1 was made      pod web-1\n"
                   "07:15:02.123         container  ended with exit code 1\n");
    CHECK_THAT(b.daemon.requests.at(0).target, Contains("since=2h"));
}

TEST_CASE("explain takes any name as it is, and gives documents", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/explain/http%3A%2F%2Fweb%3A80%2Fa", R"({"ok":true,"code":"works","verdict":"fine"})");
    cli::explain_arguments what;
    what.words = {"http://web:80/a"};
    CHECK(b.run(cli::explain(b.desk(cli::format::json), what)) == cli::done);
    CHECK(json::parse(b.out).at("code") == "works");
}

TEST_CASE("explain without a name lists what is wrong, each with its own advice", "[cli]")
{
    cli_bed b;
    b.daemon.data(
        "GET /api/v1/explain",
        R"({"ok":false,"code":"port_refused","verdict":"2 problems","suggestion":"not shown here","problems":[)"
        R"({"key":"web.shop.kind","kind":"service","code":"port_refused","verdict":"nothing listens","suggestion":"Correct it.",)"
        R"("next":[{"command":"fwd check web","why":"tries"}]},{"key":"kind","kind":"context","code":"tls_failed","verdict":"no"}]})");
    CHECK(b.run(cli::explain(b.desk(), {})) == cli::failed);
    CHECK(b.out == "port_refused  2 problems\n"
                   "\nweb.shop.kind  port_refused\n  nothing listens\n  -> Correct it.\n  try: fwd check web   # tries\n"
                   "\nkind  tls_failed\n  no\n");
}

TEST_CASE("explain passes on who else may be meant", "[cli]")
{
    cli_bed b;
    b.daemon.error("GET /api/v1/explain/web", 409,
                   R"({"code":"ambiguous","message":"'web' may mean two","evidence":["web.a.k","web.b.k"]})");
    cli::explain_arguments what;
    what.words = {"web"};
    CHECK(b.run(cli::explain(b.desk(), what)) == cli::failed);
    CHECK_THAT(b.err, Contains("web.a.k") && Contains("web.b.k"));
}

TEST_CASE("events are told oldest first, with where and by whom", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/history/events",
                  R"([{"id":2,"type":"ErrorRaised","timestamp":"2026-11-21T07:15:02.000Z","serviceKey":"web.shop.kind",)"
                  R"("forwardKey":"web.shop.kind.web-1.80","message":"refused"},{"id":1,"type":"ServiceAdded",)"
                  R"("timestamp":"2026-11-21T07:14:00.000Z","serviceKey":"web.shop.kind","message":"forwarded","client":"claude/2; x"}])");
    cli::event_arguments what;
    what.types = "ErrorRaised,ServiceAdded";
    what.since = "1h";
    CHECK(b.run(cli::events(b.desk(), what, *b.random)) == cli::done);
    CHECK(b.out == "2026-11-21T07:14:00.000Z  ServiceAdded      web.shop.kind  forwarded, by claude/2; x\n"
                   "2026-11-21T07:15:02.000Z  ErrorRaised       web.shop.kind.web-1.80  refused\n");
    CHECK_THAT(b.daemon.requests.at(0).target, Contains("type=ErrorRaised%2CServiceAdded") && Contains("since=1h") && Contains("count=50"));
}

TEST_CASE("events of a service that is gone are asked for by its whole key", "[cli]")
{
    cli_bed b;
    b.daemon.error("GET /api/v1/services/web.shop.kind", 404, R"({"code":"not_found","message":"not forwarded"})");
    b.daemon.data("GET /api/v1/history/events", "[]");
    cli::event_arguments what;
    what.words = {"web.shop.kind"};
    CHECK(b.run(cli::events(b.desk(), what, *b.random)) == cli::done);
    CHECK_THAT(b.daemon.requests.back().target, Contains("service=web.shop.kind"));
    CHECK_THAT(b.err, Contains("Nothing of that kind"));
}

TEST_CASE("the daemon's log is told with level and fields, and cannot steer the terminal", "[cli]")
{
    cli_bed b;
    b.daemon.data("GET /api/v1/logs/system", R"({"logs":[{"id":3,"timestamp":"2026-11-21T07:15:02.000Z","level":"warn",)"
                                             R"("message":"forward failed\u001b[2J","fields":{"forward":"web.shop"}}]})");
    cli::daemon_log_arguments what;
    what.level = "warn";
    CHECK(b.run(cli::daemon_log(b.desk(), what)) == cli::done);
    CHECK(b.out.starts_with("2026-11-21T07:15:02.000Z warn  forward failed"));
    CHECK_THAT(b.out, Contains(" forward=web.shop\n") && !Contains("\x1b"));
    CHECK_THAT(b.daemon.requests.at(0).target, Contains("level=warn"));
}
