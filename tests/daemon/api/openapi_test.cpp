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
    const auto whole = api::openapi_document();
    const auto& document = whole.as_object();
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
