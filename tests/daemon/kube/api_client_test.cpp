#include "daemon/kube/api_client.hpp"

#include "common/async/timeout.hpp"
#include "tests/daemon/kube/scripted_server.hpp"

#include <boost/asio/detached.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;
using Catch::Matchers::Contains;
using kube::test::reply;

namespace {

struct bed : kube::test::world {
    kube::test::scripted_server server{*this};
    kube::test::fake_credentials credentials;
    std::unique_ptr<api_client> client = make_api_client(around, credentials);

    api_result<http_response> get(const std::string& path, const std::string& method = "GET")
    {
        api_request ask;
        ask.path = path;
        ask.method = method;
        return clock.run(client->send(ask));
    }
};

const std::string forbidden_message =
    R"(pods is forbidden: User "dev" cannot list resource "pods" in API group "" in the namespace "shop")";

std::string status(unsigned code, const std::string& reason, const std::string& message, const std::string& details = "{}")
{
    boost::json::object made{{"kind", "Status"},   {"apiVersion", "v1"}, {"status", "Failure"},
                             {"message", message}, {"reason", reason},   {"code", code}};
    auto text = boost::json::serialize(made);
    text.pop_back();
    return text + ",\"details\":" + details + "}";
}

} // namespace

TEST_CASE("a request carries credentials, agent and query, and its connection is kept", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) { return reply{200, R"({"a":1})", {}, nullptr}; };
    auto prefixed = std::make_shared<kube::access>(*b.credentials.given);
    prefixed->path_prefix = "/k8s";
    b.credentials.given = prefixed;
    api_request ask;
    ask.path = "/api/v1/pods";
    ask.query = {{"labelSelector", "a in (b,c)"}, {"limit", "5"}};
    auto answer = b.clock.run(b.client->get_json(ask));
    REQUIRE(answer.has_value());
    CHECK(answer->as_object().at("a") == 1);
    b.get("/version");
    CHECK(b.server.connections == 1);
    REQUIRE(b.server.asked.size() == 2);
    const auto& first = b.server.asked[0];
    CHECK(first.target == "/k8s/api/v1/pods?labelSelector=a%20in%20%28b%2Cc%29&limit=5");
    CHECK(first.fields.get("Authorization") == "Bearer one");
    CHECK(first.fields.get("Accept") == "application/json");
    CHECK(std::string(first.fields.get("User-Agent")).starts_with("fwd/"));
    CHECK(first.fields.get("Host") == "127.0.0.1:6443");
    CHECK_FALSE(first.fields.has("Accept-Encoding"));
    CHECK(b.client->server() == "http://127.0.0.1:6443/k8s");
}

TEST_CASE("a kept connection that the server closed is replaced without a word", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) { return reply{200, "{}", {}, nullptr, true}; };
    REQUIRE(b.get("/a").has_value());
    REQUIRE(b.get("/b").has_value());
    CHECK(b.server.connections == 2);
    CHECK(b.server.asked.size() == 2);
}

TEST_CASE("a connection that breaks before an answer is an error with server and request", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) { return reply{.hang_up = true}; };
    const auto answer = b.get("/api/v1/pods");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().status == 0);
    CHECK_THAT(answer.error().why.message(), Contains("GET /api/v1/pods") && Contains("http://127.0.0.1:6443"));
    CHECK(b.server.asked.size() == 1);
}

TEST_CASE("idle connections are not used for ever, and are dropped when asked", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) { return reply{200, "{}", {}, nullptr}; };
    b.get("/a");
    b.clock.advance(2min);
    b.get("/a");
    CHECK(b.server.connections == 2);
    b.client->drop_connections();
    b.get("/a");
    CHECK(b.server.connections == 3);
}

TEST_CASE("a server that does not answer is given up after 30 s", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) { return reply{.silent = true}; };
    const auto before = b.clock.now();
    const auto answer = b.get("/a");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().why.is(errc::timed_out));
    CHECK(b.clock.now() - before == 30s);
}

TEST_CASE("an unreachable server is told with its address", "[api_client]")
{
    bed b;
    b.server.stop();
    const auto answer = b.get("/a");
    REQUIRE_FALSE(answer.has_value());
    CHECK_THAT(answer.error().why.message(), Contains("127.0.0.1:6443"));
    CHECK(answer.error().why.is(errc::refused));
}

TEST_CASE("a 401 renews the credentials and tries once more", "[api_client]")
{
    bed b;
    b.credentials.next_token = "two";
    b.server.answer = [](const http_request& r) {
        return r.fields.get("Authorization") == "Bearer two" ? reply{200, "{}", {}, nullptr}
                                                             : reply{401, status(401, "Unauthorized", "Unauthorized"), {}, nullptr};
    };
    CHECK(b.get("/a").has_value());
    CHECK(b.server.asked.size() == 2);
    CHECK(b.credentials.refused == std::vector<std::uint64_t>{1});
}

TEST_CASE("a 401 with nothing better to show is told, after one request", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) { return reply{401, status(401, "Unauthorized", "Unauthorized"), {}, nullptr}; };
    auto answer = b.get("/a");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().why.is(errc::unauthorized));
    CHECK(b.server.asked.size() == 1);
    b.credentials.next_token = "two";
    answer = b.get("/a");
    REQUIRE_FALSE(answer.has_value());
    CHECK(b.server.asked.size() == 3);
}

TEST_CASE("credentials that cannot be had are the request's failure", "[api_client]")
{
    bed b;
    b.credentials.failure = error{errc::credentials_failed, "plugin: exited with status 1"};
    const auto answer = b.get("/a");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().why.is(errc::credentials_failed));
    CHECK(b.server.asked.empty());
}

TEST_CASE("a busy server is asked again when it says so", "[api_client]")
{
    bed b;
    const auto code = GENERATE(429U, 503U);
    std::size_t refusals = 2;
    b.server.answer = [&](const http_request&) {
        if (refusals == 0) return reply{200, "{}", {}, nullptr};
        --refusals;
        return reply{code, status(code, "TooManyRequests", "slow down"), {{"Retry-After", "3"}}, nullptr};
    };
    const auto before = b.clock.now();
    CHECK(b.get("/a").has_value());
    CHECK(b.clock.now() - before == 6s);
    CHECK(b.server.asked.size() == 3);
}

TEST_CASE("a wait that is too long, a write, and a 500 without Retry-After are the caller's", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) { return reply{429, "busy", {{"Retry-After", "100"}}, nullptr}; };
    auto answer = b.get("/a");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().why.is(errc::too_many_requests));
    CHECK(answer.error().retry_after == std::optional<duration>{100s});
    b.server.answer = [](const http_request&) { return reply{429, "busy", {{"Retry-After", "1"}}, nullptr}; };
    CHECK_FALSE(b.get("/a", "POST").has_value());
    b.server.answer = [](const http_request&) { return reply{500, "oops", {}, nullptr}; };
    answer = b.get("/a");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().why.is(errc::unavailable));
    CHECK(b.server.asked.size() == 3);
}

TEST_CASE("refusals are understood from Status objects, plain text and proxies' pages", "[api_client]")
{
    struct row {
        unsigned code;
        std::string body;
        errc is;
        std::string says;
    };
    const auto each = GENERATE(values<row>({
        {404, status(404, "NotFound", R"(pods "x" not found)"), errc::not_found, R"(list pods: pods "x" not found)"},
        {410, status(410, "Expired", "too old resource version"), errc::gone, "too old"},
        {400, status(400, "Expired", "The provided continue parameter is too old"), errc::gone, "too old"},
        {409, status(409, "AlreadyExists", "there"), errc::already_exists, "there"},
        {409, status(409, "Conflict", "changed"), errc::conflict, "changed"},
        {422, status(422, "Invalid", "bad"), errc::invalid_request, "bad"},
        {500, status(500, "InternalError", "boom"), errc::unavailable, "boom"},
        {503, "no backend", errc::unavailable, "list pods: no backend (HTTP status 503)"},
        {502, "<html><head><title>502 Bad Gateway</title></head><body>\n<h1>nginx</h1></body></html>", errc::unavailable,
         "502 Bad Gateway nginx (HTTP status 502)"},
        {404, "404 page not found\n", errc::not_found, "404 page not found"},
        {403, "", errc::forbidden, "list pods: HTTP status 403"},
        {500, "{\"kind\":\"Status\"", errc::unavailable, "HTTP status 500"},
        {401, "", errc::unauthorized, "does not accept the credentials (401 Unauthorized)"},
    }));
    const auto made = failure_of(each.code, each.body, "", "list pods");
    CHECK(made.why.is(each.is));
    CHECK_THAT(made.why.message(), Contains(each.says));
}

TEST_CASE("a 403 names the rule that would grant it", "[api_client]")
{
    const auto made = failure_of(403, status(403, "Forbidden", forbidden_message), "", "list pods in shop");
    CHECK(made.why.is(errc::forbidden));
    CHECK_THAT(
        made.why.message(),
        Contains("User \"dev\" cannot list") &&
            Contains(R"(it needs a Role in namespace shop with apiGroups [""], resources ["pods"], verbs ["list"], bound to User dev)"));
    CHECK_THAT(granting_rule(R"(services is forbidden: User "u" cannot watch resource "services" in API group "" at the cluster scope)"),
               Contains("a ClusterRole with"));
    CHECK(granting_rule("no").empty());
}

TEST_CASE("what a refusal says of waiting and of versions is kept", "[api_client]")
{
    auto made = failure_of(429, status(429, "TooManyRequests", "slow", R"({"retryAfterSeconds":7})"), "", "x");
    CHECK(made.retry_after == std::optional<duration>{7s});
    made = failure_of(429, status(429, "TooManyRequests", "slow", R"({"retryAfterSeconds":7})"), " 2 ", "x");
    CHECK(made.retry_after == std::optional<duration>{2s});
    made = failure_of(503, "x", "Wed, 21 Oct 2026 07:28:00 GMT", "x");
    CHECK_FALSE(made.retry_after);
    made = failure_of(
        504, status(504, "Timeout", "Too large resource version: 9, current: 1", R"({"causes":[{"reason":"ResourceVersionTooLarge"}]})"),
        "", "x");
    CHECK(made.too_large_version);
    CHECK(made.why.is(errc::timed_out));
}

TEST_CASE("warnings of the server are logged once", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) {
        return reply{200, "{}", {{"Warning", "299 - \"v1 Endpoints is deprecated\""}, {"Warning", "299 - \"other\""}}, nullptr};
    };
    b.get("/a");
    b.get("/a");
    CHECK(std::count_if(b.logged.begin(), b.logged.end(), [](const auto& l) { return l.level == log_level::warn; }) == 2);
}

TEST_CASE("requests are counted by verb and resource", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request&) { return reply{200, "{}", {}, nullptr}; };
    b.get("/api/v1/namespaces/shop/pods");
    b.get("/api/v1/namespaces/shop/pods/web-1");
    b.get("/api/v1/namespaces");
    b.get("/api/v1/namespaces/shop");
    b.get("/apis/discovery.k8s.io/v1/endpointslices");
    b.get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "POST");
    b.get("/version");
    CHECK(b.client->requests() ==
          std::map<std::string, std::uint64_t>{
              {"GET pods", 2}, {"GET namespaces", 2}, {"GET endpointslices", 1}, {"POST selfsubjectaccessreviews", 1}, {"GET version", 1}});
}

TEST_CASE("no more requests are under way than allowed, and all are answered", "[api_client]")
{
    bed b;
    api_limits limits;
    limits.at_once = 3;
    b.client = make_api_client(b.around, b.credentials, limits);
    b.server.answer = [](const http_request&) { return reply{200, "{}", {}, nullptr}; };
    std::size_t answered = 0;
    const auto ask = [](bed& b, std::size_t& answered) -> awaitable<void> {
        api_request ask;
        ask.path = "/a";
        auto got = co_await b.client->send(std::move(ask));
        if (got) ++answered;
    };
    for (int i = 0; i < 20; ++i) asio::co_spawn(b.loop, ask(b, answered), asio::detached);
    b.clock.settle();
    CHECK(answered == 20);
    CHECK(b.server.connections == 3);
}

TEST_CASE("a large body is parsed on the side, a broken one is told", "[api_client]")
{
    bed b;
    b.server.answer = [](const http_request& r) {
        return reply{200, r.target == "/big" ? "{\"a\":\"" + std::string(200'000, 'x') + "\"}" : "{\"a\":", {}, nullptr};
    };
    api_request ask;
    ask.path = "/big";
    auto answer = b.clock.run(b.client->get_json(ask));
    REQUIRE(answer.has_value());
    CHECK(answer->as_object().at("a").as_string().size() == 200'000);
    ask.path = "/broken";
    answer = b.clock.run(b.client->get_json(ask));
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().why.is(errc::parse_error));
}

TEST_CASE("a stream gives its pieces as they come and its refusal as a failure", "[api_client]")
{
    bed b;
    auto live = std::make_shared<kube::test::live_body>();
    b.server.answer = [&](const http_request&) { return reply{.live = live}; };
    api_request ask;
    ask.path = "/api/v1/pods";
    auto opened = b.clock.run(b.client->open(ask));
    REQUIRE(opened.has_value());
    live->send("one");
    CHECK(b.clock.run((*opened)->next()).value() == "one");
    live->send("two");
    CHECK(b.clock.run((*opened)->next()).value() == "two");
    live->end();
    CHECK(b.clock.run((*opened)->next()).value().empty());

    b.server.answer = [](const http_request&) { return reply{410, status(410, "Expired", "too old"), {}, nullptr}; };
    opened = b.clock.run(b.client->open(ask));
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().why.is(errc::gone));
}
