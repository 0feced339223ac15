#include "tests/bridge/mcp/lines.hpp"

#include <boost/json/serialize.hpp>

using namespace fwd::mcp;
using namespace fwd::mcp::test;
namespace json = boost::json;

TEST_CASE("initialize agrees on a version that both know", "[protocol]")
{
    const auto [asked, agreed] = GENERATE(table<std::string, std::string>({
        {"2024-11-05", "2024-11-05"},
        {"2025-03-26", "2025-03-26"},
        {"2025-06-18", "2025-06-18"},
        {"2025-11-25", "2025-11-25"},
        {"2024-10-07", "2025-11-25"},
        {"2026-07-28", "2025-11-25"},
        {"2099-01-01", "2025-11-25"},
        {"nonsense", "2025-11-25"},
    }));
    bench b;
    const auto told = b.ask(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" + asked + R"("}})");
    CHECK(told.at("id") == 0);
    const auto& result = told.at("result").as_object();
    CHECK(text_of(result.at("protocolVersion")) == agreed);
    CHECK(result.at("instructions") == "Say echo.");
    CHECK(result.at("serverInfo").as_object().contains("title") == (agreed >= "2025-06-18"));
    CHECK(result.at("serverInfo").as_object().contains("description") == (agreed >= "2025-11-25"));
    CHECK_FALSE(result.contains("resultType"));
}

TEST_CASE("initialize without a version is refused", "[protocol]")
{
    bench b;
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":0,"method":"initialize"})")) == -32602);
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":1}})")) == -32602);
}

TEST_CASE("before initialize only ping is answered, and others are told how to begin", "[protocol]")
{
    bench b;
    CHECK(b.ask(R"({"jsonrpc":"2.0","id":1,"method":"ping"})").at("result") == json::object{});
    const auto told = b.ask(R"({"jsonrpc":"2.0","id":2,"method":"tools/list"})");
    CHECK(code_of(told) == -32600);
    CHECK_THAT(text_of(told.at("error").at("message")), Catch::Contains("2025-11-25") && Catch::Contains("2026-07-28"));
}

TEST_CASE("requests between initialize and initialized are served", "[protocol]")
{
    bench b;
    b.ask(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})");
    CHECK(b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").contains("result"));
}

TEST_CASE("a second initialize starts over", "[protocol]")
{
    bench b;
    b.shake_hands("2024-11-05");
    b.shake_hands("2025-11-25");
    const auto told = b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
    CHECK(told.at("result").at("tools").at(0).as_object().contains("outputSchema"));
}

TEST_CASE("a tool shows the members that its version knows", "[protocol]")
{
    const auto [version, annotations, structured] = GENERATE(table<std::string, bool, bool>({
        {"2024-11-05", false, false},
        {"2025-03-26", true, false},
        {"2025-06-18", true, true},
        {"2025-11-25", true, true},
    }));
    bench b;
    b.shake_hands(version);
    const auto listed = b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
    const auto& first = listed.at("result").at("tools").at(0).as_object();
    CHECK(first.contains("annotations") == annotations);
    CHECK(first.contains("title") == structured);
    CHECK(first.contains("outputSchema") == structured);
    const auto called = b.ask(R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hi"}}})");
    CHECK(called.at("result").as_object().contains("structuredContent") == structured);
    CHECK(called.at("result").at("content").at(0).at("text") == R"({"summary":"hi","times":1})");
}

TEST_CASE("a modern request needs no handshake and says what it is answered by", "[protocol]")
{
    bench b;
    const auto listed = b.ask(modern("1", "tools/list"));
    const auto& result = listed.at("result").as_object();
    CHECK(result.at("resultType") == "complete");
    CHECK(result.at("ttlMs") == 60000);
    CHECK(result.at("cacheScope") == "private");
    CHECK(result.at("_meta").at("io.modelcontextprotocol/serverInfo").at("name") == "sample");
    CHECK(result.at("tools").as_array().size() == 4);
}

TEST_CASE("discover lists all versions and our capabilities", "[protocol]")
{
    bench b;
    const auto told = b.ask(modern("\"server-discover-probe-1\"", "server/discover"));
    CHECK(told.at("id") == "server-discover-probe-1");
    CHECK(told.at("result").at("supportedVersions") ==
          json::parse(R"(["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"])"));
    CHECK(told.at("result").at("capabilities") ==
          json::parse(R"({"tools":{},"resources":{"subscribe":true},"prompts":{},"completions":{}})"));
    CHECK_FALSE(told.at("result").as_object().contains("serverInfo"));
}

TEST_CASE("the era is decided before the method", "[protocol]")
{
    bench b;
    const std::string removed =
        GENERATE("initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "nonsense");
    CHECK(code_of(b.ask(modern("1", removed))) == -32601);
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":2,"method":"server/discover"})")) == -32602);
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{}})")) == -32602);
}

TEST_CASE("a modern request that lacks a part is told which", "[protocol]")
{
    const auto [meta, code] = GENERATE(table<std::string, int>({
        {R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28"})", -32602},
        {R"({"io.modelcontextprotocol/clientCapabilities":{}})", -32602},
        {R"({"io.modelcontextprotocol/protocolVersion":1,"io.modelcontextprotocol/clientCapabilities":{}})", -32602},
        {R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]})", -32602},
        {R"({"io.modelcontextprotocol/protocolVersion":"2027-01-01","io.modelcontextprotocol/clientCapabilities":{}})", -32022},
        {R"({"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/clientCapabilities":{}})", -32022},
    }));
    bench b;
    const auto told = b.ask(R"({"jsonrpc":"2.0","id":1,"method":"nonsense","params":{"_meta":)" + meta + "}}");
    CHECK(code_of(told) == code);
    if (code == -32022) {
        const auto& data = told.at("error").at("data").as_object();
        const auto& supported = data.at("supported").as_array();
        CHECK(std::find(supported.begin(), supported.end(), data.at("requested")) == supported.end());
        CHECK(supported.at(0) == "2026-07-28");
    }
}

TEST_CASE("both eras share one process in any order", "[protocol]")
{
    bench b;
    CHECK(b.ask(modern("0", "server/discover")).contains("result"));
    b.shake_hands("2025-06-18");
    CHECK_FALSE(b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").at("result").as_object().contains("resultType"));
    CHECK(b.ask(modern("2", "tools/list")).at("result").as_object().contains("resultType"));
    CHECK(b.ask(R"({"jsonrpc":"2.0","id":3,"method":"ping","params":{"_meta":{"claudecode/toolUseId":"x"}}})").contains("result"));
}

TEST_CASE("the only page of tools has no cursor", "[protocol]")
{
    bench b;
    b.shake_hands("2025-11-25");
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}})")) == -32602);
}
