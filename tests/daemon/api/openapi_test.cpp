#include "common/text.hpp"
#include "daemon/api/openapi.hpp"
#include "tests/daemon/api/running_api.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <set>

using namespace fwd;
using namespace fwd::test;

TEST_CASE("what is documented are the routes, all of them and no others", "[api]")
{
    std::set<std::string> routes, documented;
    for (const auto& one : api::routes()) routes.insert(std::string{api::name_of(one.method)} + " " + std::string{one.pattern});
    for (const auto& one : api::route_docs()) {
        const auto name = std::string{api::name_of(one.method)} + " " + std::string{one.pattern};
        CHECK(documented.insert(name).second);
        INFO(name);
        CHECK_FALSE(one.about.empty());
    }
    CHECK(documented == routes);
}

TEST_CASE("the document says what each answer holds", "[api]")
{
    const auto& document = api::openapi_document().as_object();
    CHECK(document.at("openapi") == "3.1.0");
    const auto& schemas = document.at("components").at("schemas").as_object();
    for (const auto& one : api::route_docs()) {
        if (!one.data.name.empty()) CHECK(schemas.contains(one.data.name));
        if (!one.body.name.empty()) CHECK(schemas.contains(one.body.name));
    }
    const auto& service = schemas.at("Service").as_object();
    CHECK(service.at("properties").at("forwards").at("type") == "array");
    CHECK(schemas.at("AddService").at("required") == boost::json::array{"serviceName"});
    const auto& list = document.at("paths").at("/api/v1/services/{key}/env").at("get").at("parameters").as_array();
    REQUIRE(list.size() == 2);
    CHECK(list[0].at("in") == "path");
    CHECK(list[1].at("schema").at("enum") == boost::json::array{"json", "dotenv", "shell"});
    CHECK(document.at("paths").at("/api/health").at("get").at("security") == boost::json::array{});
}

TEST_CASE("YAML is written in blocks, with quotes where a word could mean something else", "[api]")
{
    const boost::json::value all =
        boost::json::object{{"a", boost::json::array{1, "two words", boost::json::object{{"b", "plain"}, {"c", boost::json::array{}}}}},
                            {"200", "yes"},
                            {"d", boost::json::object{}}};
    CHECK(api::yaml_text(all) == "a:\n- 1\n- \"two words\"\n- b: plain\n  c: []\n\"200\": \"yes\"\nd: {}\n");
}

TEST_CASE("the reference and the contract need no token and load nothing from elsewhere", "[api]")
{
    running_api daemon;
    const auto path = GENERATE(as<std::string>{}, "/", "/docs", "/openapi.yaml");
    http_request ask{.target = path};
    ask.fields.set("Host", "localhost:8080");
    const auto got = daemon.ask(ask);
    CHECK(got.status == 200);
    CHECK_FALSE(got.body.empty());
    if (path == "/openapi.yaml") {
        CHECK(got.fields.get("Content-Type") == "application/yaml");
        CHECK(got.body.starts_with("openapi: \"3.1.0\"\n"));
        return;
    }
    CHECK(got.fields.get("Content-Type") == "text/html; charset=utf-8");
    CHECK_THAT(std::string{got.fields.get("Content-Security-Policy")}, Catch::Contains("default-src 'none'"));
    for (const auto* outside : {"src=", "@import", "<script", "<link", "url("}) CHECK(got.body.find(outside) == std::string::npos);
    CHECK_THAT(got.body, Catch::Contains("/api/v1/services/:key/check"));
    ask.fields.set("Host", "evil.example");
    CHECK(daemon.ask(ask).status == 403);
}

namespace {

/// A request for a route, its variables filled with a key.
std::string target_of(const api::route& of, std::string_view key)
{
    std::string made;
    for (const auto& part : split(of.pattern.substr(1), '/')) made += "/" + (part.starts_with(':') ? std::string{key} : part);
    return made;
}

} // namespace

TEST_CASE("each route refuses strangers, foreign pages and other methods", "[api]")
{
    running_api daemon;
    for (const auto& route : api::routes()) {
        const auto target = target_of(route, "web.shop.kind");
        const std::string method{api::name_of(route.method)};
        INFO(method << " " << target);
        const bool open = route.right == api::access::open;
        const auto status = [&](const std::function<void(http_request&)>& change) {
            auto ask = daemon.request(method, target);
            change(ask);
            return daemon.ask(ask).status;
        };
        if (!open) {
            const auto without = [](http_request& ask) {
                ask.fields = {};
                ask.fields.set("Host", "localhost:8080");
            };
            CHECK(status(without) == 401);
            CHECK(status([](http_request& ask) { ask.fields.set("Authorization", "Bearer fwd_wrong"); }) == 401);
        }
        CHECK(status([](http_request& ask) { ask.fields.set("Host", "evil.example:8080"); }) == 403);
        CHECK(status([](http_request& ask) { ask.fields.set("Origin", "https://evil.example"); }) == 403);
        const auto wrong = daemon.ask("PATCH", target);
        CHECK(wrong.status == 405);
        CHECK(std::string{wrong.fields.get("Allow")}.find(method) != std::string::npos);
    }
}

TEST_CASE("each route that takes a body refuses other media types and bad JSON", "[api]")
{
    running_api daemon;
    daemon.state.put(sample_service("only", "shop", 81));
    for (const auto& doc : api::route_docs()) {
        if (doc.body.name.empty() || doc.pattern.find("/plans/") != std::string_view::npos) continue;
        for (const auto& route : api::routes()) {
            if (route.pattern != doc.pattern || route.method != doc.method) continue;
            INFO(doc.pattern);
            auto ask = daemon.request(std::string{api::name_of(doc.method)}, target_of(route, "only"), "a=1");
            ask.fields.set("Content-Type", "application/x-www-form-urlencoded");
            CHECK(daemon.ask(ask).status == 415);
            CHECK(problem_of(daemon.ask(ask.method, ask.target, "{")).code == "invalid_request");
            CHECK(problem_of(daemon.ask(ask.method, ask.target, "[]")).code == "invalid_request");
        }
    }
}

TEST_CASE("each documented limit holds at its ends", "[api]")
{
    running_api daemon;
    for (const auto& doc : api::route_docs())
        for (const auto& one : doc.parameters) {
            if (one.what != api::parameter_doc::kind::whole) continue;
            api::route route{doc.method, doc.pattern, api::access::read, nullptr};
            const auto base =
                target_of(route, "web.shop.kind") + (doc.pattern.ends_with("/kubernetes/services") ? "?namespace=shop&" : "?");
            const auto code = [&](const std::string& value) {
                const auto got = daemon.ask("GET", base + std::string{one.name} + "=" + value);
                return got.status == 400 ? problem_of(got).message : std::string{"not 400"};
            };
            INFO(base << one.name);
            CHECK_THAT(code(std::to_string(one.least - 1)), Catch::Contains(std::string{one.name}));
            CHECK(code(std::to_string(one.least)) == "not 400");
            CHECK_THAT(code("many"), Catch::Contains(std::string{one.name}));
            if (one.most == 0) continue;
            CHECK_THAT(code(std::to_string(one.most + 1)), Catch::Contains(std::string{one.name}));
            CHECK(code(std::to_string(one.most)) == "not 400");
        }
}

TEST_CASE("each route with a key tells unknown, ambiguous and odd ones apart", "[api]")
{
    running_api daemon;
    auto odd = sample_service("odd", "shop", 80);
    odd.context = "arn:aws:eks:eu/west%1";
    odd.forwards[0].context = odd.context;
    daemon.state.put(odd);
    for (const auto& route : api::routes()) {
        if (!route.pattern.starts_with("/api/v1/services/:key") && !route.pattern.starts_with("/api/v1/metrics/services/:key") &&
            !route.pattern.starts_with("/api/v1/diagnostics/services/:key"))
            continue;
        const std::string method{api::name_of(route.method)};
        INFO(method << " " << route.pattern);
        CHECK(problem_of(daemon.ask(method, target_of(route, "none"))).code == "not_found");
        const auto twice = daemon.ask(method, target_of(route, "web"));
        CHECK(twice.status == 409);
        CHECK(problem_of(twice).code == "ambiguous");
        if (route.method == api::verb::del || route.pattern.ends_with("/check")) continue;
        CHECK(daemon.ask(method, target_of(route, "odd.shop.arn%3Aaws%3Aeks%3Aeu%2Fwest%251")).status == 200);
    }
}
