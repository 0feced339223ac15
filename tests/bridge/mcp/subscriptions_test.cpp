#include "tests/bridge/mcp/lines.hpp"

#include <boost/json/serialize.hpp>

using namespace fwd::mcp;
using namespace fwd::mcp::test;
namespace json = boost::json;

namespace {

constexpr auto subscribe = R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"note://one"}})";
constexpr auto unsubscribe = R"({"jsonrpc":"2.0","id":2,"method":"resources/unsubscribe","params":{"uri":"note://one"}})";

change updated(std::string uri)
{
    return {.what = change::kind::resource, .uri = std::move(uri), .level = {}, .logger = {}};
}

std::string listen(std::string_view id, std::string_view filter)
{
    return modern(id, "subscriptions/listen", fmt::format(R"("notifications":{},)", filter));
}

} // namespace

TEST_CASE("a legacy client hears of what it subscribed to, until it no longer is", "[subscriptions]")
{
    bench b;
    b.shake_hands("2025-06-18");
    b.changes.tell(updated("note://one"));
    CHECK(b.quiet());
    CHECK(b.ask(subscribe).at("result") == json::object{});
    CHECK(b.changes.wanted("note://one"));
    b.changes.tell(updated("note://one"));
    CHECK(b.hear() == json::parse(R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"note://one"}})"));
    b.changes.tell(updated("note://by/x/text"));
    CHECK(b.quiet());
    b.ask(unsubscribe);
    CHECK_FALSE(b.changes.wanted("note://one"));
    b.changes.tell(updated("note://one"));
    CHECK(b.quiet());
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":3,"method":"resources/subscribe","params":{"uri":"other://x"}})")) == -32002);
}

TEST_CASE("listens hear what each asked for, by its own id", "[subscriptions]")
{
    bench b;
    const auto first = b.ask(listen("\"a\"", R"({"resourceSubscriptions":["note://one","other://x"],"toolsListChanged":true})"));
    CHECK(first.at("params").at("notifications") == json::parse(R"({"resourceSubscriptions":["note://one"]})"));
    b.ask(listen("7", R"({"resourceSubscriptions":["note://one","note://by/x/text"]})"));
    b.changes.tell(updated("note://by/x/text"));
    const auto one = b.hear();
    CHECK(one.at("params") == json::parse(R"({"uri":"note://by/x/text","_meta":{"io.modelcontextprotocol/subscriptionId":7}})"));
    b.changes.tell(updated("note://one"));
    CHECK(b.wire.sent.size() == 2);
    b.wire.sent.clear();
    b.say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
    CHECK_FALSE(b.changes.wanted("note://by/x/text"));
    CHECK(b.changes.wanted("note://one"));
    b.changes.tell(updated("note://one"));
    CHECK(b.wire.sent.size() == 1);
}

TEST_CASE("what changes of lists is heard where the server says that lists change", "[subscriptions]")
{
    bench b;
    b.what.lists_change = true;
    const auto ack = b.ask(listen("1", R"({"toolsListChanged":true,"promptsListChanged":false})"));
    CHECK(ack.at("params").at("notifications") == json::parse(R"({"toolsListChanged":true})"));
    b.changes.tell({.what = change::kind::prompts, .uri = {}, .level = {}, .logger = {}});
    CHECK(b.quiet());
    b.changes.tell({.what = change::kind::tools, .uri = {}, .level = {}, .logger = {}});
    CHECK(b.hear().at("method") == "notifications/tools/list_changed");
}

TEST_CASE("log messages come from the level on that a legacy client set", "[subscriptions]")
{
    bench b;
    b.shake_hands("2025-03-26");
    const change warning{.what = change::kind::log, .uri = {}, .level = "warning", .logger = "fwd", .data = "careful"};
    b.changes.tell(warning);
    CHECK(b.quiet());
    CHECK_FALSE(b.changes.wanted("log"));
    CHECK(code_of(b.ask(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"loud"}})")) == -32602);
    b.ask(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"warning"}})");
    CHECK(b.changes.wanted("log"));
    b.changes.tell(warning);
    CHECK(b.hear().at("params") == json::parse(R"({"level":"warning","logger":"fwd","data":"careful"})"));
    b.ask(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}})");
    b.changes.tell(warning);
    CHECK(b.quiet());
}

TEST_CASE("methods of the other era do not exist", "[subscriptions]")
{
    bench b;
    b.shake_hands("2025-11-25");
    const auto method = GENERATE("resources/subscribe", "resources/unsubscribe", "logging/setLevel", "ping", "initialize");
    CHECK(code_of(b.ask(modern("1", method, R"("uri":"note://one","level":"debug",)"))) == -32601);
}

TEST_CASE("a server that ends wants nothing any more", "[subscriptions]")
{
    change_feed changes;
    {
        bench b;
        server other{b.what, {b.loop.get_executor(), b.clock, b.log, b.words, changes}, b.into};
        other.take(modern("1", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["note://one"]},)"), b.into);
        CHECK(changes.wanted("note://one"));
        b.clock.run(other.wind_down());
        CHECK_FALSE(changes.wanted("note://one"));
    }
}
