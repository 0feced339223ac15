#include "common/api/wire_http.hpp"
#include "tests/daemon/api/running_api.hpp"

#include <fmt/core.h>

using namespace fwd;
using namespace fwd::test;

namespace {

struct passed {
    std::string path;
    int status = 200;
    duration took = 10ms;
};

/// As the data thread would note it, one second after the other.
void pass(running_api& daemon, const std::string& service, const std::vector<passed>& requests)
{
    const auto found = daemon.state.find_service(service);
    REQUIRE(found.has_value());
    auto& log = (*found)->forwards.front().traffic->http;
    for (const auto& one : requests) {
        traffic::seen_request made;
        made.at = daemon.clock.wall_now();
        made.method = "GET";
        made.path = one.path;
        made.host = "web";
        made.status = one.status;
        made.took = one.took;
        made.request_bytes = 3;
        made.response_bytes = 7;
        made.pod = "web-0";
        if (one.status == 0) made.cut = traffic::cut_by::pod;
        log.begin();
        log.end(std::move(made));
        daemon.clock.advance(1s);
    }
}

} // namespace

TEST_CASE("requests of a service are told with a summary, newest first", "[api]")
{
    running_api daemon;
    pass(daemon, "web.shop", {{"/a", 200, 10ms}, {"/a", 200, 20ms}, {"/b", 404, 30ms}, {"/a", 503, 40ms}, {"/slow", 0, 500ms}});
    const auto got = daemon.ask("GET", "/api/v1/services/web.shop.kind/http");
    const auto made = read<wire::service_http_traffic>(got);
    CHECK(made.service_key == "web.shop.kind");
    CHECK(made.summary.total_requests == 5);
    CHECK(made.summary.in_flight == 0);
    CHECK(made.summary.unanswered == 1);
    CHECK(made.summary.successful == 2);
    CHECK(made.summary.client_errors == 1);
    CHECK(made.summary.server_errors == 1);
    CHECK(made.summary.requests_per_second == Approx(0.5));
    CHECK(made.summary.p50_ms == 20);
    CHECK(made.summary.p95_ms == 40);
    REQUIRE(made.summary.top_paths.size() == 3);
    CHECK(made.summary.top_paths[0].path == "/a");
    CHECK(made.summary.top_paths[0].count == 3);
    REQUIRE(made.forwards.size() == 1);
    const auto& forward = made.forwards[0];
    CHECK(forward.forward_key == "web.shop.kind.web-0.80");
    CHECK(forward.local_ip == "127.1.27.1");
    CHECK(forward.local_port == 80);
    REQUIRE(forward.logs.size() == 5);
    const auto& last = forward.logs[0];
    CHECK(last.path == "/slow");
    CHECK_FALSE(last.status_code.has_value());
    CHECK(last.cut_by == "pod");
    const auto& before = forward.logs[1];
    CHECK(before.status_code == 503);
    CHECK(before.duration == "40.000ms");
    CHECK(before.duration_ms == 40);
    CHECK(before.size == 7);
    CHECK(before.request_size == 3);
    CHECK(before.protocol == "HTTP/1.1");
    CHECK(before.pod_name == "web-0");
    CHECK(before.host == "web");
    CHECK(wire::parse_envelope(got.body)->about->count == 5);
    const auto json = data_of(got).as_object();
    CHECK(json.at("summary").at("statusCodes").as_object() == boost::json::object{{"2xx", 2}, {"4xx", 1}, {"5xx", 1}});
    CHECK(json.at("forwards").at(0).at("localPort") == "80");
    CHECK_FALSE(json.at("forwards").at(0).at("logs").at(0).as_object().contains("statusCode"));
}

TEST_CASE("requests are chosen by status, path, port and number over all that are kept", "[api]")
{
    running_api daemon;
    std::vector<passed> many;
    for (int i = 0; i < 60; ++i) many.push_back({fmt::format("/Item/{}", i), i == 3 ? 500 : 200});
    pass(daemon, "web.shop", many);
    const auto logs = [&](const std::string& query) {
        return read<wire::http_traffic>(daemon.ask("GET", "/api/v1/forwards/web.shop.80/http" + query)).logs;
    };
    CHECK(logs("").size() == 50);
    CHECK(logs("?count=500").size() == 60);
    CHECK(logs("?count=1").front().path == "/Item/59");
    REQUIRE(logs("?status_min=400&count=1").size() == 1);
    CHECK(logs("?status_min=400").front().path == "/Item/3");
    CHECK(logs("?path_contains=item/5").size() == 11);
    CHECK(logs("?path_contains=none").empty());
    CHECK(read<wire::service_http_traffic>(daemon.ask("GET", "/api/v1/services/web.shop/http?port=80")).forwards.size() == 1);
    CHECK(read<wire::service_http_traffic>(daemon.ask("GET", "/api/v1/services/web.shop/http?port=81")).forwards.empty());
}

TEST_CASE("requests over all services name where they passed", "[api]")
{
    running_api daemon;
    pass(daemon, "web.shop", {{"/a"}, {"/b"}});
    pass(daemon, "web.staging", {{"/c"}});
    const auto made = read<wire::all_http_traffic>(daemon.ask("GET", "/api/v1/http?count=2"));
    CHECK(made.summary.total_requests == 3);
    REQUIRE(made.logs.size() == 2);
    CHECK(made.logs[0].path == "/c");
    CHECK(made.logs[0].service_key == "web.staging.kind");
    CHECK(made.logs[1].path == "/b");
    CHECK(made.logs[1].forward_key == "web.shop.kind.web-0.80");
}

TEST_CASE("a service without requests has an empty list and no times; TLS is told", "[api]")
{
    running_api daemon;
    (*daemon.state.find_service("db"))->forwards.front().traffic->http.tls("db.example");
    const auto json = data_of(daemon.ask("GET", "/api/v1/services/db/http")).as_object();
    CHECK(json.at("forwards").at(0).at("logs").as_array().empty());
    const auto& summary = json.at("summary").as_object();
    for (const auto* absent : {"lastRequest", "p50Ms", "p95Ms", "unanswered"}) CHECK_FALSE(summary.contains(absent));
    CHECK(summary.at("totalRequests") == 0);
    CHECK(summary.at("statusCodes").as_object().empty());
    CHECK(summary.at("tlsConnections") == 1);
    CHECK(summary.at("tlsNames") == boost::json::array{"db.example"});
    CHECK(data_of(daemon.ask("GET", "/api/v1/http")).at("logs").as_array().empty());
}

TEST_CASE("a wrong question about requests is told", "[api]")
{
    struct row {
        std::string method, target;
        unsigned status;
        std::string code, says;
    };
    const auto row = GENERATE(values<struct row>({
        {"GET", "/api/v1/services/none/http", 404, "not_found", "none"},
        {"GET", "/api/v1/services/web/http", 409, "ambiguous", "web.staging.kind"},
        {"GET", "/api/v1/services/web.shop/http?count=0", 400, "invalid_request", "'count'"},
        {"GET", "/api/v1/services/web.shop/http?count=501", 400, "invalid_request", "1 to 500"},
        {"GET", "/api/v1/services/web.shop/http?port=0", 400, "invalid_request", "'port'"},
        {"GET", "/api/v1/services/web.shop/http?status_min=99", 400, "invalid_request", "'status_min'"},
        {"POST", "/api/v1/services/web.shop/http", 405, "method_not_allowed", "GET, HEAD"},
        {"GET", "/api/v1/forwards/none/http", 404, "not_found", "none"},
        {"GET", "/api/v1/forwards/web.shop.80/http?count=x", 400, "invalid_request", "'count'"},
        {"DELETE", "/api/v1/forwards/web.shop.80/http", 405, "method_not_allowed", "GET, HEAD"},
        {"GET", "/api/v1/http?count=501", 400, "invalid_request", "'count'"},
        {"PUT", "/api/v1/http", 405, "method_not_allowed", "GET, HEAD"},
    }));
    running_api daemon;
    INFO(row.method << " " << row.target);
    const auto got = daemon.ask(row.method, row.target);
    CHECK(got.status == row.status);
    CHECK(problem_of(got).code == row.code);
    CHECK_THAT(problem_of(got).message, Catch::Contains(row.says));
}

TEST_CASE("requests are counted for Prometheus, of services that had some", "[api]")
{
    running_api daemon;
    pass(daemon, "web.shop", {{"/a"}, {"/b", 500}, {"/c", 0}});
    const auto text = daemon.ask("GET", "/metrics").body;
    const std::string labels = R"(fwd_service_http_requests_total{service="web",namespace="shop",context="kind",code=)";
    for (const auto* sample : {R"("2xx"} 1)", R"("5xx"} 1)", R"("none"} 1)", R"("4xx"} 0)"})
        CHECK_THAT(text, Catch::Contains(labels + sample));
    CHECK_THAT(text, !Catch::Contains(R"(fwd_service_http_requests_total{service="db")"));
}
