#include "tests/bridge/mcp/lines.hpp"

#include <boost/json/serialize.hpp>

using namespace fwd::mcp;
using namespace fwd::mcp::test;
namespace json = boost::json;

namespace {

std::string legacy(int id, std::string_view method, std::string_view params = "{}")
{
    return fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{}}})", id, method, params);
}

} // namespace

TEST_CASE("what is advertised is what there is, in the words of each version", "[offers]")
{
    bench b;
    const auto version = GENERATE("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25");
    const auto hello = b.ask(legacy(1, "initialize", fmt::format(R"({{"protocolVersion":"{}","capabilities":{{}}}})", version)));
    const auto& has = hello.at("result").at("capabilities").as_object();
    CHECK(has.at("tools") == json::object{});
    CHECK(has.at("resources") == json::parse(R"({"subscribe":true})"));
    CHECK(has.contains("prompts"));
    CHECK(has.contains("logging"));
    CHECK(has.contains("completions") == (std::string_view{version} >= "2025-03-26"));

    const auto found = b.ask(modern("2", "server/discover"));
    const auto& now = found.at("result").at("capabilities").as_object();
    CHECK_FALSE(now.contains("logging"));
    CHECK(now.contains("completions"));
}

TEST_CASE("lists of resources, templates and prompts are one page", "[offers]")
{
    bench b;
    b.shake_hands("2024-11-05");
    const auto resources = b.ask(legacy(1, "resources/list"));
    CHECK(resources.at("result").at("resources").at(0) ==
          json::parse(R"({"name":"one","description":"The first.","uri":"note://one","mimeType":"text/plain"})"));
    CHECK(b.ask(legacy(2, "resources/templates/list")).at("result").at("resourceTemplates").at(0).at("uriTemplate") ==
          "note://by/{name}/text");
    const auto prompts = b.ask(legacy(3, "prompts/list"));
    CHECK(prompts.at("result").at("prompts").at(0).at("arguments").at(0).at("required") == true);
    const auto method = GENERATE("tools/list", "resources/list", "resources/templates/list", "prompts/list");
    CHECK(code_of(b.ask(legacy(4, method, R"({"cursor":"2"})"))) == -32602);
    const auto page = b.ask(modern("5", method));
    CHECK(page.at("result").at("cacheScope") == "private");
    CHECK(page.at("result").at("ttlMs").is_int64());
}

TEST_CASE("a resource is read by its address or by a template", "[offers]")
{
    bench b;
    b.shake_hands("2025-11-25");
    CHECK(b.ask(legacy(1, "resources/read", R"({"uri":"note://one"})")).at("result") ==
          json::parse(R"({"contents":[{"uri":"note://one","mimeType":"text/plain","text":"first"}]})"));
    CHECK(b.ask(legacy(2, "resources/read", R"({"uri":"note://by/a%2Fb/text"})")).at("result").at("contents").at(0).at("text") == "a/b");
    const auto read = b.ask(modern("3", "resources/read", R"("uri":"note://one",)"));
    CHECK(read.at("result").at("ttlMs") == 0);
    CHECK(read.at("result").at("resultType") == "complete");
}

TEST_CASE("a resource that there is not has the code of its era and its address", "[offers]")
{
    bench b;
    b.shake_hands("2025-11-25");
    const std::string uri = GENERATE("note://nope", "note://by/nobody/text", "note://by//text");
    const auto old = b.ask(legacy(1, "resources/read", fmt::format(R"({{"uri":"{}"}})", uri)));
    CHECK(code_of(old) == -32002);
    CHECK(old.at("error").at("data").at("uri") == json::value(uri));
    const auto now = b.ask(modern("2", "resources/read", fmt::format(R"("uri":"{}",)", uri)));
    CHECK(code_of(now) == -32602);
    CHECK(now.at("error").at("data").at("uri") == json::value(uri));
}

TEST_CASE("a resource that cannot be read now says why and what helps", "[offers]")
{
    bench b;
    const auto told = b.ask(modern("1", "resources/read", R"("uri":"note://broken",)"));
    CHECK(code_of(told) == -32603);
    CHECK(told.at("error").at("data").at("code") == "daemon_not_running");
}

TEST_CASE("a prompt is made of its arguments, of which the needed must be there", "[offers]")
{
    bench b;
    const auto told = b.ask(modern("1", "prompts/get", R"("name":"greet","arguments":{"whom":"Ada"},)"));
    CHECK(told.at("result").at("messages").at(0).at("content").at("text") == "Hello Ada");
    CHECK(code_of(b.ask(modern("2", "prompts/get", R"("name":"greet",)"))) == -32602);
    CHECK(code_of(b.ask(modern("3", "prompts/get", R"("name":"nope",)"))) == -32602);
}

TEST_CASE("completion gives what begins so, at most 100, each once", "[offers]")
{
    bench b;
    const auto ask = [&](std::string_view value, std::string_view ref = R"({"type":"ref/prompt","name":"greet"})",
                         std::string_view more = "") {
        return b.ask(
            modern("1", "completion/complete", fmt::format(R"("ref":{},"argument":{{"name":"whom","value":"{}"}},{})", ref, value, more)));
    };
    CHECK(ask("ad").at("result").at("completion") == json::parse(R"({"values":["Ada","adam"],"total":2,"hasMore":false})"));
    CHECK(ask("E").at("result").at("completion").at("total") == 1);
    CHECK(ask("z").at("result").at("completion").at("values").as_array().size() == 100);
    CHECK(ask("z").at("result").at("completion").at("hasMore") == true);
    CHECK(ask("q", R"({"type":"ref/resource","uri":"note://by/{name}/text"})", R"("context":{"arguments":{"how":"quietly"}},)")
              .at("result")
              .at("completion")
              .at("values") == json::parse(R"(["quietly"])"));
    CHECK(code_of(ask("a", R"({"type":"ref/prompt","name":"nope"})")) == -32602);
    CHECK(code_of(ask("a", R"({"type":"ref/resource","uri":"nope"})")) == -32602);
}

TEST_CASE("templates are matched segment by segment", "[offers]")
{
    CHECK(match_template("fwd://a/{x}/b", "fwd://a/1/b") == variables{{"x", "1"}});
    CHECK(match_template("fwd://a/{x}/{y}", "fwd://a/arn%3Aaws%2Fq/web") == variables{{"x", "arn:aws/q"}, {"y", "web"}});
    CHECK_FALSE(match_template("fwd://a/{x}/b", "fwd://a/1/c"));
    CHECK_FALSE(match_template("fwd://a/{x}", "fwd://a/1/2"));
    CHECK_FALSE(match_template("fwd://a/{x}", "fwd://a/%zz"));
    CHECK(variables_of("fwd://a/{x}/{y}/log") == std::vector<std::string>{"x", "y"});
}
