#include "tests/bridge/mcp/lines.hpp"

#include <boost/json/serialize.hpp>

using namespace fwd::mcp;
using namespace fwd::mcp::test;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

constexpr auto slow_call = R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow","_meta":{"progressToken":"t"}}})";
constexpr auto erase_call = R"({"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"erase","arguments":{"text":"a"}}})";

} // namespace

TEST_CASE("what is not JSON is a parse error without an id", "[server]")
{
    bench b;
    const std::string line = GENERATE("garbage", "{", "{\"jsonrpc\":\"2.0\"", "\"\xff\"", "[1,2");
    const auto told = b.ask(line);
    CHECK(code_of(told) == -32700);
    CHECK_FALSE(told.contains("id"));
}

TEST_CASE("too deep a message is a parse error", "[server]")
{
    bench b;
    CHECK(code_of(b.ask(std::string(200, '[') + std::string(200, ']'))) == -32700);
}

TEST_CASE("notifications are never answered", "[server]")
{
    bench b;
    b.say(R"({"jsonrpc":"2.0","method":"notifications/nonsense","params":{}})");
    b.say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}})");
    b.say(R"({"jsonrpc":"2.0","id":"unasked","result":{}})");
    CHECK(b.quiet());
}

TEST_CASE("a call's arguments are checked, and what is wrong is for the model to mend", "[server]")
{
    bench b;
    b.shake_hands("2025-11-25");
    const auto told = b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a","time":2}}})");
    const auto& result = told.at("result").as_object();
    CHECK(result.at("isError") == true);
    CHECK(result.at("structuredContent").at("code") == "invalid_arguments");
    CHECK_THAT(text_of(result.at("content").at(0).at("text")), Catch::Contains("did you mean 'times'"));
}

TEST_CASE("an unknown tool and malformed parameters are protocol errors", "[server]")
{
    bench b;
    b.shake_hands("2025-11-25");
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope"}})")) == -32602);
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":2,"method":"tools/call"})")) == -32602);
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":[]}})")) == -32602);
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":4,"method":"roots/list"})")) == -32601);
}

TEST_CASE("a tool that throws is an internal error, and the server goes on", "[server]")
{
    bench b;
    b.shake_hands("2025-11-25");
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"broken"}})")) == -32603);
    CHECK(b.ask(R"({"jsonrpc":"2.0","id":2,"method":"ping"})").contains("result"));
}

TEST_CASE("progress rises, carries the token as it came and ends with the answer", "[server]")
{
    bench b;
    b.shake_hands("2025-11-25");
    b.say(slow_call);
    b.clock.advance(61s);
    for (int i = 0; i < 3; ++i) {
        const auto told = b.hear();
        CHECK(told.at("method") == "notifications/progress");
        CHECK(told.at("params") ==
              json::parse(fmt::format(R"({{"progressToken":"t","progress":{},"total":3,"message":"still at it"}})", i)));
    }
    CHECK(b.hear().at("id") == 7);
    CHECK(b.quiet());
}

TEST_CASE("the first version's progress has no message", "[server]")
{
    bench b;
    b.shake_hands("2024-11-05");
    b.say(slow_call);
    CHECK_FALSE(b.hear().at("params").as_object().contains("message"));
}

TEST_CASE("a canceled call ends without an answer and frees its id", "[server]")
{
    bench b;
    b.shake_hands("2025-11-25");
    b.say(slow_call);
    b.wire.sent.clear();
    b.say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
    b.clock.advance(2min);
    CHECK(b.quiet());
    CHECK(b.ask(R"({"jsonrpc":"2.0","id":7,"method":"ping"})").contains("result"));
}

TEST_CASE("an id in use is refused and the first call is left alone", "[server]")
{
    bench b;
    b.shake_hands("2025-11-25");
    b.say(slow_call);
    b.wire.sent.clear();
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":7,"method":"ping"})")) == -32600);
    b.wire.sent.clear();
    b.clock.advance(1h);
    CHECK(b.wire.sent.back().at("id") == 7);
    CHECK(b.wire.sent.back().as_object().contains("result"));
}

TEST_CASE("calls run side by side, up to the limit", "[server]")
{
    bench b{{.in_flight = 2}};
    b.shake_hands("2025-11-25");
    b.say(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}})");
    b.say(R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow"}})");
    CHECK(b.quiet());
    const auto refused = b.ask(R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}})");
    CHECK(code_of(refused) == -32603);
    CHECK_THAT(text_of(refused.at("error").at("message")), Catch::Contains("busy"));
    CHECK(b.ask(R"({"jsonrpc":"2.0","id":4,"method":"tools/list"})").contains("result"));
}

TEST_CASE("batches are for 2025-03-26 alone", "[server]")
{
    const auto batch = R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])";
    SECTION("elsewhere an array is refused")
    {
        const std::string version = GENERATE("2024-11-05", "2025-06-18", "2025-11-25");
        bench b;
        CHECK(code_of(b.ask(batch)) == -32600);
        b.shake_hands(version);
        CHECK(code_of(b.ask(batch)) == -32600);
    }
    SECTION("there it is answered by one array, with every request's answer, when the last is done")
    {
        bench b;
        b.shake_hands("2025-03-26");
        b.say(R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},)"
              R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow"}},7,)"
              R"({"jsonrpc":"2.0","id":3,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}])");
        CHECK(b.quiet());
        b.clock.advance(61s);
        REQUIRE(b.wire.sent.size() == 1);
        const auto& all = b.wire.sent.front().as_array();
        CHECK(all.size() == 4);
        CHECK(all.at(0).at("id") == 1);
        CHECK(all.at(1).at("error").at("code") == -32600);
        CHECK(all.at(2).at("error").at("code") == -32600);
        CHECK(all.at(3).at("id") == 2);
        b.wire.sent.clear();
    }
    SECTION("notifications alone get no answer, nothing gets an error")
    {
        bench b;
        b.shake_hands("2025-03-26");
        b.say(R"([{"jsonrpc":"2.0","method":"notifications/x"}])");
        CHECK(b.quiet());
        CHECK(code_of(b.ask("[]")) == -32600);
    }
    SECTION("a batch whose call was canceled still answers the rest")
    {
        bench b;
        b.shake_hands("2025-03-26");
        b.say(R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow"}}])");
        b.say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}})");
        REQUIRE(b.wire.sent.size() == 1);
        CHECK(b.wire.sent.front().as_array().size() == 1);
        b.wire.sent.clear();
    }
}

TEST_CASE("a legacy client that has forms is asked, and its answer decides", "[consent]")
{
    const auto [answer, status, erased] = GENERATE(table<std::string, std::string, int>({
        {R"("result":{"action":"accept","content":{"confirm":true}})", "", 1},
        {R"("result":{"action":"accept","content":{"confirm":false}})", "declined", 0},
        {R"("result":{"action":"accept"})", "not_confirmed", 0},
        {R"("result":{"action":"decline"})", "declined", 0},
        {R"("result":{"action":"cancel"})", "not_confirmed", 0},
        {R"("error":{"code":-32603,"message":"no"})", "not_confirmed", 0},
    }));
    bench b;
    b.shake_hands("2025-06-18", R"({"elicitation":{}})");
    const auto asked = b.ask(erase_call);
    CHECK(asked.at("method") == "elicitation/create");
    CHECK_FALSE(asked.at("params").as_object().contains("mode"));
    CHECK(asked.at("params").at("requestedSchema").at("required") == json::array{"confirm"});
    const auto told = b.ask(fmt::format(R"({{"jsonrpc":"2.0","id":{},{}}})", json::serialize(asked.at("id")), answer));
    CHECK(told.at("id") == 8);
    CHECK(told.at("result").at("isError") == false);
    const auto& content = told.at("result").at("structuredContent").as_object();
    if (status.empty())
        CHECK(content.at("summary") == "erased");
    else
        CHECK(text_of(content.at("status")) == status);
    CHECK(b.erased == erased);
}

TEST_CASE("a modern client that has forms is asked by a result and calls again", "[consent]")
{
    const std::string forms = R"({"elicitation":{"form":{}}})", arguments = R"("name":"erase","arguments":{"text":"a"},)";
    bench b;
    const auto asked = b.ask(modern("1", "tools/call", arguments, forms));
    const auto& result = asked.at("result").as_object();
    REQUIRE(result.at("resultType") == "input_required");
    CHECK(result.at("inputRequests").at("confirm").at("method") == "elicitation/create");
    CHECK(result.at("inputRequests").at("confirm").at("params").at("mode") == "form");
    const auto state = fmt::format(R"("requestState":{},)", json::serialize(result.at("requestState")));
    const auto yes = std::string{R"("inputResponses":{"confirm":{"action":"accept","content":{"confirm":true}},"other":1},)"};

    SECTION("a yes does it, once")
    {
        CHECK(b.ask(modern("2", "tools/call", arguments + yes + state, forms)).at("result").at("structuredContent").at("summary") ==
              "erased");
        CHECK(b.erased == 1);
        CHECK(code_of(b.ask(modern("3", "tools/call", arguments + yes + state, forms))) == -32602);
        CHECK(b.erased == 1);
    }
    SECTION("a no, or no answer, does nothing and says so")
    {
        const auto [action, status] = GENERATE(table<std::string, std::string>({{"decline", "declined"}, {"cancel", "not_confirmed"}}));
        const auto no = fmt::format(R"("inputResponses":{{"confirm":{{"action":"{}"}}}},)", action);
        const auto told = b.ask(modern("2", "tools/call", arguments + no + state, forms));
        CHECK(text_of(told.at("result").at("structuredContent").at("status")) == status);
        CHECK(b.erased == 0);
    }
    SECTION("missing keys are asked for again")
    {
        const auto told = b.ask(modern("2", "tools/call", arguments + R"("inputResponses":{"other":{}},)" + state, forms));
        CHECK(told.at("result").at("resultType") == "input_required");
        CHECK(b.erased == 0);
    }
    SECTION("altered state, other arguments or a late answer are refused")
    {
        CHECK(code_of(b.ask(modern("2", "tools/call", arguments + yes + R"("requestState":"v1.made-up",)", forms))) == -32602);
        const auto other = std::string{R"("name":"erase","arguments":{"text":"b"},)"};
        CHECK(code_of(b.ask(modern("3", "tools/call", other + yes + state, forms))) == -32602);
        b.clock.advance(6min);
        CHECK(code_of(b.ask(modern("4", "tools/call", arguments + yes + state, forms))) == -32602);
        CHECK(b.erased == 0);
    }
    SECTION("answers without the state are a fresh call")
    {
        CHECK(b.ask(modern("2", "tools/call", arguments + yes, forms)).at("result").at("resultType") == "input_required");
        CHECK(b.erased == 0);
    }
}

TEST_CASE("a client without forms confirms by a second call", "[consent]")
{
    const bool is_modern = GENERATE(false, true);
    bench b;
    if (!is_modern) b.shake_hands("2025-11-25", R"({"elicitation":{"url":{}}})");
    const auto call = [&](int id, const std::string& more) {
        const auto params = fmt::format(R"("name":"erase","arguments":{{"text":"a"{}}})", more);
        return is_modern ? modern(std::to_string(id), "tools/call", params + ",")
                         : fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{{{}}}}})", id, params);
    };
    const auto first = b.ask(call(1, ""));
    const auto& content = first.at("result").at("structuredContent").as_object();
    CHECK(content.at("status") == "confirmation_required");
    CHECK(b.erased == 0);
    const auto token = fmt::format(R"(,"confirm_token":{})", json::serialize(content.at("confirm_token")));
    CHECK(b.ask(call(2, token)).at("result").at("structuredContent").at("summary") == "erased");
    CHECK(b.erased == 1);
    const auto again = b.ask(call(3, token));
    CHECK(again.at("result").at("isError") == true);
    CHECK(again.at("result").at("structuredContent").at("code") == "confirmation_expired");
    CHECK(again.at("result").at("structuredContent").at("next").at(0).at("tool") == "erase");
    CHECK(b.erased == 1);
}

TEST_CASE("a listen stream is acknowledged first and lives until it is canceled", "[server]")
{
    bench b;
    const auto told = b.ask(modern("\"listen:0\"", "subscriptions/listen", R"("notifications":{"toolsListChanged":true},)"));
    CHECK(told.at("method") == "notifications/subscriptions/acknowledged");
    CHECK(told.at("params") == json::parse(R"({"_meta":{"io.modelcontextprotocol/subscriptionId":"listen:0"},"notifications":{}})"));
    SECTION("a cancel ends it silently")
    {
        b.say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"listen:0"}})");
        CHECK(b.quiet());
    }
    SECTION("the end of the server ends it with a result")
    {
        b.clock.run(b.serving.wind_down());
        const auto end = b.hear();
        CHECK(end.at("id") == "listen:0");
        CHECK(end.at("result").at("resultType") == "complete");
        CHECK(end.at("result").at("_meta").at("io.modelcontextprotocol/subscriptionId") == "listen:0");
        CHECK(b.hear().at("method") == "notifications/cancelled");
    }
}

TEST_CASE("the end of input drops what still runs after a short grace", "[server]")
{
    bench b;
    b.shake_hands("2025-11-25");
    b.say(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}})");
    const auto before = b.clock.now();
    b.clock.run(b.serving.wind_down());
    CHECK(b.clock.now() - before <= 60ms);
    CHECK(b.quiet());
}

TEST_CASE("a result that does not fit its published schema is told as a fault of ours", "[server]")
{
    bench b;
    b.what.tools[0].output = schema::object({schema::must("summary", schema::count(""))});
    b.shake_hands("2025-11-25");
    const auto told = b.ask(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}})");
    CHECK(told.at("result").at("isError") == true);
    CHECK(told.at("result").at("structuredContent").at("code") == "internal_error");
}
