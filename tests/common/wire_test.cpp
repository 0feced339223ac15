#include "common/api/list_text.hpp"
#include "common/api/places.hpp"
#include "common/api/wire.hpp"
#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <catch2/catch.hpp>

using namespace fwd;

namespace {

template <class T>
T again(const T& from)
{
    const auto text = boost::json::serialize(wire::to_json(from));
    auto value = parse_json(text);
    REQUIRE(value.has_value());
    auto made = wire::from_json<T>(*value);
    REQUIRE(made.has_value());
    CHECK(boost::json::serialize(wire::to_json(*made)) == text);
    auto at_once = parse_json(wire::to_text(from)); // however numbers are spelled
    REQUIRE(at_once.has_value());
    CHECK(boost::json::serialize(*at_once) == text);
    return *made;
}

template <class T>
error why_not(std::string_view text)
{
    auto value = parse_json(text);
    REQUIRE(value.has_value());
    auto made = wire::from_json<T>(*value);
    REQUIRE_FALSE(made.has_value());
    return made.error();
}

} // namespace

TEST_CASE("a service comes back as it went, and what is absent stays absent", "[wire]")
{
    wire::service service;
    service.key = "web.shop.kind";
    service.total_bytes_in = 1ull << 63;
    service.rate_in = 12.5;
    service.since = parse_rfc3339("2026-11-21T04:05:35.918Z");
    service.hostnames = {"web", "web.shop"};
    service.conflicts = {{"web", "hosts file line 12"}};
    service.pods = {1, 3};
    wire::forward forward;
    forward.local_port = 80;
    forward.last_error = wire::failure{.at = service.since, .code = "port_refused", .message = "no", .count = 3};
    service.forwards = {forward};
    const auto got = again(service);
    CHECK(got.total_bytes_in == 1ull << 63);
    CHECK(got.rate_in == 12.5);
    CHECK(got.since == service.since);
    CHECK(got.hostnames == service.hostnames);
    CHECK(got.pods.total == 3);
    REQUIRE(got.forwards.size() == 1);
    CHECK(got.forwards[0].local_port == 80);
    CHECK(got.forwards[0].last_error->count == 3);
    CHECK_FALSE(got.forwards[0].started_at.has_value());

    const auto json = wire::to_json(service).as_object();
    CHECK(json.at("rateOut").is_int64()); // not 0E0
    CHECK_FALSE(json.contains("reason"));
    CHECK_FALSE(json.contains("lastError"));
    const auto inner = json.at("forwards").as_array().at(0).as_object();
    CHECK(inner.at("localPort").as_string() == "80");
    CHECK_FALSE(inner.contains("podPort"));
    CHECK_FALSE(inner.contains("startedAt"));
}

TEST_CASE("empty lists are written as []", "[wire]")
{
    CHECK(boost::json::serialize(wire::to_json(wire::namespace_list{})) == R"({"namespaces":[]})");
    CHECK(wire::to_json(wire::service{}).as_object().at("forwards").as_array().empty());
    CHECK(wire::to_json(wire::added_namespace{}).as_object().at("notReady").as_array().empty());
}

TEST_CASE("as text a struct is what it is as a value, whatever its texts have in them", "[wire]")
{
    std::string every;
    for (int c = 1; c < 256; ++c) every += static_cast<char>(c < 128 ? c : 'x');
    wire::connection_info info;
    info.key = every + std::string(1, '\0') + "\xc3\xa9\xe2\x82\xac";
    info.env = {{"A\"B\n", every}, {"C", ""}};
    info.secrets = {{"db", "", "kubectl get"}, {}};
    CHECK(again(info).key == info.key);

    wire::problem problem{.code = "x", .message = "m"};
    problem.next = {{"POST", "/services", json::object{{"serviceName", "web"}, {"ports", {1, "a"}}}, "", "w"}};
    problem.retry_after_ms = -5;
    CHECK(again(problem).next.front().body.at("serviceName") == "web");

    wire::summary sum;
    for (const double rate : {0.0, 0.001, 0.1234, 1234.5, 5.0, 9.5e12, 1e17}) {
        sum.rate_in = rate;
        again(sum);
    }
}

TEST_CASE("a list whose rows come one after the other is the list", "[wire]")
{
    wire::service_list list;
    list.summary.total_services = 2;
    for (const std::size_t rows : {0u, 1u, 3u}) {
        list.services.resize(rows);
        wire::list_text<wire::service> out{"services"};
        for (auto& each : list.services) {
            each.key = "web.shop." + std::to_string(rows);
            out.add(each);
        }
        CHECK(out.finish(list.summary) == wire::to_text(list));
    }
}

TEST_CASE("an envelope as text has its data in the middle", "[wire]")
{
    wire::envelope envelope{.success = true, .data = nullptr, .error = {}, .about = wire::meta{}};
    envelope.about->count = 2;
    const std::string text = R"({"success":true,"data":[1,2],"meta":{"count":2}})";
    CHECK(wire::envelope_text(envelope, "[1,2]") == text);
    envelope.data = json::array{1, 2};
    CHECK(boost::json::serialize(wire::to_json(envelope)) == text);
    wire::envelope refused{.success = false, .data = nullptr, .error = wire::problem{.code = "gone", .message = "m"}, .about = {}};
    CHECK(wire::envelope_text(refused, "") == R"({"success":false,"error":{"code":"gone","message":"m"}})");
}

TEST_CASE("an event has its facts in data and its id outside", "[wire]")
{
    wire::event event;
    event.id = 7;
    event.type = "PodAdded";
    event.pod_name = "web-0";
    event.local_port = 80;
    const auto json = wire::to_json(event).as_object();
    CHECK(json.at("data").as_object().at("podName").as_string() == "web-0");
    CHECK(json.at("data").as_object().at("localPort").as_string() == "80");
    CHECK_FALSE(json.contains("id"));
    CHECK(again(event).pod_name == "web-0");
}

TEST_CASE("a port is read as a number or its digits, a wanted one also as a name", "[wire]")
{
    const auto value =
        parse_json(R"({"serviceName":"web","ports":[{"port":80},{"port":"8080"},{"port":"http","localPort":"81"}]})").value();
    const auto ask = wire::from_json<wire::add_service>(value);
    REQUIRE(ask.has_value());
    CHECK(ask->ports[0].port == "80");
    CHECK(ask->ports[1].port == "8080");
    CHECK(ask->ports[2].port == "http");
    CHECK(ask->ports[2].local_port == 81);
}

TEST_CASE("what is wrong is named by its place", "[wire]")
{
    CHECK(why_not<wire::add_service>("[]").context == "expected a JSON object");
    CHECK(why_not<wire::add_service>("{}").context == "member 'serviceName': is missing");
    CHECK(why_not<wire::add_service>(R"({"serviceName":""})").context == "member 'serviceName': must not be empty");
    CHECK(why_not<wire::add_service>(R"({"serviceName":"web","ports":[{"port":80},{"port":-1}]})").context ==
          "member 'ports[1].port': expected a port, 1 to 65535");
    CHECK(why_not<wire::service_list>(R"({"services":[{"forwards":[{"since":"soon"}]}]})")
              .context.starts_with("member 'services[0].forwards[0].since': expected a time"));
    CHECK(why_not<wire::event>(R"({"data":{"hostnames":"web"}})").context == "member 'data.hostnames': expected a list");
}

TEST_CASE("unknown members are ignored and nulls are absent", "[wire]")
{
    const auto value = parse_json(R"({"removed":true,"key":null,"more":[1,2],"services":null})").value();
    const auto got = wire::from_json<wire::removed>(value);
    REQUIRE(got.has_value());
    CHECK(got->done);
    CHECK(got->key.empty());
}

TEST_CASE("an envelope is read with its error and what to do next", "[wire]")
{
    const auto got = wire::parse_envelope(R"({"success":false,"error":{"code":"not_found","message":"none","next":[
        {"method":"POST","path":"/api/v1/services","body":{"a":1},"why":"adds it"}]},"meta":{"timestamp":"2026-11-21T04:05:35Z"}})");
    REQUIRE(got.has_value());
    CHECK_FALSE(got->success);
    CHECK(got->data.is_null());
    REQUIRE(got->error.has_value());
    CHECK(got->error->next.at(0).body.as_object().at("a").as_int64() == 1);
    CHECK(got->about->timestamp.has_value());
    CHECK_FALSE(wire::parse_envelope("<html>").has_value());
    CHECK_FALSE(wire::parse_envelope("").has_value());
}

TEST_CASE("uptime reads as Go prints durations", "[wire]")
{
    CHECK(wire::uptime_text(0s) == "0s");
    CHECK(wire::uptime_text(59s + 999ms) == "59s");
    CHECK(wire::uptime_text(61s) == "1m1s");
    CHECK(wire::uptime_text(26h + 3s) == "26h0m3s");
    CHECK(wire::uptime_text(-5s) == "0s");
}

TEST_CASE("files are where the XDG variables say, when they are absolute", "[wire]")
{
    std::map<std::string, std::string, std::less<>> set;
    const place_facts facts{1000, "/home/ann", [&set](std::string_view name) {
                                const auto found = set.find(name);
                                return found == set.end() ? std::string{} : found->second;
                            }};
    CHECK(state_folder(facts) == "/home/ann/.local/state/fwd");
    CHECK(config_file(facts) == "/home/ann/.config/fwd/config.yaml");
    CHECK(unprivileged_runtime_folder(facts) == "/home/ann/.local/state/fwd");
    CHECK(runtime_folders(facts) == std::vector<std::string>{"/run/fwd/1000", "/home/ann/.local/state/fwd"});
    set = {{"XDG_STATE_HOME", "/state"}, {"XDG_CONFIG_HOME", "relative"}, {"XDG_RUNTIME_DIR", "/run/user/1000"}};
    CHECK(state_folder(facts) == "/state/fwd");
    CHECK(config_file(facts) == "/home/ann/.config/fwd/config.yaml");
    CHECK(runtime_folders(facts) == std::vector<std::string>{"/run/fwd/1000", "/run/user/1000/fwd", "/state/fwd"});
}
