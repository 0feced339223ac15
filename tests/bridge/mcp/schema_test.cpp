#include "bridge/mcp/schema.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace fwd::mcp;
namespace json = boost::json;

namespace {

json::object sample()
{
    using namespace schema;
    return object({must("name", text("whose")), may("mode", choice("how", {"fast", "slow"}, "fast")),
                   may("limit", whole("how many", 1, 200, 50)), may("deep", truth("all of it", false)),
                   may("ports", list("which", object({must("port", either("number or name", {"integer", "string"}))}))),
                   may("labels", texts_by_name("by name"))});
}

std::string problem(std::string_view text)
{
    return schema::problem_with(json::parse(text), sample(), "argument").value_or("");
}

} // namespace

TEST_CASE("a schema is published as JSON Schema", "[schema]")
{
    CHECK(json::serialize(schema::object({})) == R"({"type":"object","additionalProperties":false})");
    const auto all = sample();
    CHECK(all.at("required") == json::array{"name"});
    CHECK(all.at("properties").at("mode") ==
          json::parse(R"({"type":"string","description":"how","default":"fast","enum":["fast","slow"]})"));
    CHECK(all.at("properties").at("limit") ==
          json::parse(R"({"type":"integer","description":"how many","minimum":1,"maximum":200,"default":50})"));
}

TEST_CASE("values that fit have no problem", "[schema]")
{
    const std::string text =
        GENERATE(R"({"name":"a"})", R"({"name":"a","mode":"slow","limit":200,"deep":true})", R"({"name":"a","limit":3.0})",
                 R"({"name":"a","ports":[{"port":80},{"port":"http"}]})", R"({"name":"","labels":{"a":"b"}})");
    CHECK(problem(text) == "");
}

TEST_CASE("a problem says what, where and what would do", "[schema]")
{
    const auto [text, words] = GENERATE(table<std::string, std::string>({
        {R"([])", "argument must be an object, was []"},
        {R"({})", "argument 'name' is missing"},
        {R"({"name":1})", "argument 'name' must be a text, was 1"},
        {R"({"name":null})", "argument 'name' must be a text, was null"},
        {R"({"name":"a","mode":"quick"})", "argument 'mode' must be one of fast, slow, was \"quick\""},
        {R"({"name":"a","limit":0})", "argument 'limit' must be at least 1, was 0"},
        {R"({"name":"a","limit":500})", "argument 'limit' must be at most 200, was 500"},
        {R"({"name":"a","limit":1.5})", "argument 'limit' must be a whole number, was 1.5E0"},
        {R"({"name":"a","limits":5})", "argument 'limits' is not known; did you mean 'limit'?"},
        {R"({"name":"a","ports":[{"port":[]}]})", "argument 'ports'[0]: member 'port' must be a whole number or a text, was []"},
        {R"({"name":"a","labels":{"a":1}})", "argument 'labels': member 'a' must be a text, was 1"},
    }));
    CHECK(problem(text) == words);
}

TEST_CASE("absent members get their defaults, given ones keep their values", "[schema]")
{
    auto value = json::parse(R"({"name":"a","limit":7})").as_object();
    schema::fill_defaults(value, sample());
    CHECK(value == json::parse(R"({"name":"a","limit":7,"mode":"fast","deep":false})").as_object());
}
