#include "bridge/mcp/http_server.hpp"

#include "common/net/http_client.hpp"
#include "tests/bridge/mcp/lines.hpp"
#include "tests/support/memory_stream.hpp"

#include <boost/json/serialize.hpp>

using namespace fwd;
using namespace fwd::mcp;
using namespace fwd::mcp::test;
namespace json = boost::json;

namespace {

const endpoint at{boost::asio::ip::make_address("127.0.0.1"), 3000};

struct http_bench {
    asio::io_context loop{1};
    virtual_clock clock{loop};
    std::unique_ptr<random_source> random = make_seeded_random(1);
    logger log;
    int erased = 0;
    features what = sample_features(clock, erased);
    consents words{clock, *random};
    change_feed changes;
    fwd::test::memory_network net{loop.get_executor()};
    http_server serving{what, {loop.get_executor(), clock, log, words, changes}, net, *random, settings()};

    static http_settings settings()
    {
        http_settings out;
        out.token = [] { return std::string{"fwd_secret"}; };
        return out;
    }
    http_bench() { REQUIRE(serving.listen(at).has_value()); }
    ~http_bench() { clock.run(serving.stop()); }

    static http_request request(std::string body, std::string method = "POST")
    {
        http_request out;
        out.method = std::move(method);
        out.target = "/mcp";
        out.fields.add("Host", "127.0.0.1:3000");
        out.fields.add("Authorization", "Bearer fwd_secret");
        out.fields.add("Content-Type", "application/json");
        out.fields.add("Accept", "application/json, text/event-stream");
        out.body = std::move(body);
        return out;
    }
    static http_request modern_request(std::string body, std::string_view method, std::string_view name = "")
    {
        auto out = request(std::move(body));
        out.fields.add("MCP-Protocol-Version", "2026-07-28");
        out.fields.add("Mcp-Method", std::string{method});
        if (!name.empty()) out.fields.add("Mcp-Name", std::string{name});
        return out;
    }
    http_response ask(const http_request& request)
    {
        const auto body = [](http_bench& b, const http_request& what) -> awaitable<http_response> {
            auto stream = co_await b.net.connect(at);
            auto bytes = make_byte_stream(std::move(*stream));
            auto done = co_await exchange(*bytes, what);
            bytes->close();
            if (!done) throw std::runtime_error{done.error().message()};
            co_return std::move(done->response);
        };
        return clock.run(body(*this, request));
    }
    /// The session's id.
    std::string open(std::string_view version = "2025-11-25", std::string_view capabilities = "{}")
    {
        const auto told = ask(
            request(fmt::format(R"({{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{}","capabilities":{}}}}})",
                                version, capabilities)));
        CHECK(told.status == 200);
        const std::string id{told.fields.get("Mcp-Session-Id")};
        CHECK(id.size() == 32);
        CHECK(ask(in(id, R"({"jsonrpc":"2.0","method":"notifications/initialized"})")).status == 202);
        return id;
    }
    static http_request in(const std::string& session, std::string body, std::string method = "POST")
    {
        auto out = request(std::move(body), std::move(method));
        out.fields.add("Mcp-Session-Id", session);
        return out;
    }
};

/// The messages of an event stream.
std::vector<json::value> events(std::string_view text)
{
    std::vector<json::value> out;
    for (std::size_t from = 0; (from = text.find("data: ", from)) != std::string_view::npos;) {
        const auto end = text.find("\n\n", from);
        out.push_back(json::parse(text.substr(from + 6, end - from - 6)));
        from = end;
    }
    return out;
}

/// A client that reads a stream for as long as it lives.
struct follower {
    std::unique_ptr<byte_stream> stream;
    std::unique_ptr<http_body_reader> body;
    std::optional<http_response> header;
    std::string text;
    bool ended = false;
    std::unique_ptr<task_scope> reading;
};

awaitable<void> follow(http_bench& b, http_request request, std::shared_ptr<follower> into)
{
    auto stream = co_await b.net.connect(at);
    into->stream = make_byte_stream(std::move(*stream));
    into->body = std::make_unique<http_body_reader>(*into->stream);
    auto header = co_await into->body->open(request);
    if (!header) co_return;
    into->header = *header;
    for (;;) {
        auto piece = co_await into->body->next();
        if (!piece || piece->empty()) break;
        into->text += *piece;
    }
    into->ended = true;
}

std::shared_ptr<follower> start(http_bench& b, http_request request)
{
    auto made = std::make_shared<follower>();
    made->reading = std::make_unique<task_scope>(b.loop.get_executor(), b.log);
    made->reading->start("follow", follow(b, std::move(request), made));
    b.clock.settle();
    return made;
}

awaitable<void> finish(task_scope& scope)
{
    scope.cancel();
    co_await scope.join();
}

/// The client goes away.
void leave(http_bench& b, follower& who)
{
    b.clock.run(finish(*who.reading));
    if (who.stream) who.stream->close();
    b.clock.settle();
}

} // namespace

TEST_CASE("a legacy session opens, is served, and ends", "[http]")
{
    http_bench b;
    const auto id = b.open();
    const auto listed = b.ask(b.in(id, R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})"));
    CHECK(listed.status == 200);
    CHECK(listed.fields.get("Content-Type") == "application/json");
    CHECK(json::parse(listed.body).at("result").at("tools").as_array().size() == 4);
    CHECK(b.ask(b.in(id, "", "DELETE")).status == 204);
    CHECK(b.ask(b.in(id, R"({"jsonrpc":"2.0","id":2,"method":"ping"})")).status == 404);
    CHECK(b.ask(b.request(R"({"jsonrpc":"2.0","id":2,"method":"ping"})")).status == 400);
    CHECK(b.ask(b.request("", "DELETE")).status == 400);
    CHECK(b.serving.sessions() == 0);
}

TEST_CASE("what is no message has its status", "[http]")
{
    http_bench b;
    const auto id = b.open();
    const auto code = [](const http_response& from) { return json::parse(from.body).at("error").at("code").to_number<int>(); };
    auto told = b.ask(b.in(id, "{nonsense"));
    CHECK(told.status == 400);
    CHECK(code(told) == -32700);
    told = b.ask(b.in(id, "[]"));
    CHECK(told.status == 400);
    CHECK(code(told) == -32600);
    CHECK(b.ask(b.in(id, R"({"jsonrpc":"2.0","id":{},"method":"ping"})")).status == 400);
    auto wrong_version = b.in(id, R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
    wrong_version.fields.set("MCP-Protocol-Version", "2025-06-18");
    CHECK(b.ask(wrong_version).status == 200); // any of ours
    CHECK(b.ask(b.request(std::string(5 << 20, ' '))).status == 413);
    CHECK(b.ask(b.in(id, R"({"jsonrpc":"2.0","id":1,"result":{}})")).status == 202);
}

TEST_CASE("batches are for sessions of 2025-03-26", "[http]")
{
    http_bench b;
    const auto id = b.open("2025-03-26");
    const auto told = b.ask(b.in(id, R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/list"}])"));
    CHECK(told.status == 200);
    CHECK(json::parse(told.body).as_array().size() == 2);
    CHECK(b.ask(b.in(id, R"([{"jsonrpc":"2.0","method":"notifications/x"}])")).status == 202);
}

TEST_CASE("a call with progress streams, and its answer is the last event", "[http]")
{
    http_bench b;
    const auto id = b.open();
    const auto told =
        b.ask(b.in(id, R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"slow","_meta":{"progressToken":"t"}}})"));
    CHECK(told.fields.get("Content-Type") == "text/event-stream");
    const auto all = events(told.body);
    REQUIRE(all.size() == 4);
    CHECK(all[0].at("method") == "notifications/progress");
    CHECK(all[3].at("id") == 5);
    const auto without =
        b.ask(b.modern_request(modern("6", "tools/call", R"("name":"echo","arguments":{"text":"a"},)"), "tools/call", "echo"));
    CHECK(without.fields.get("Content-Type") == "application/json");
}

TEST_CASE("a long silence begins the stream", "[http]")
{
    http_bench b;
    const auto told = b.ask(b.modern_request(modern("6", "tools/call", R"("name":"slow",)"), "tools/call", "slow"));
    CHECK(told.fields.get("Content-Type") == "text/event-stream");
    CHECK_THAT(told.body, Catch::Contains(":\n\n"));
    CHECK(events(told.body).size() == 1);
}

TEST_CASE("modern requests need no session and have their statuses", "[http]")
{
    http_bench b;
    const auto found = b.ask(b.modern_request(modern("\"d\"", "server/discover"), "server/discover"));
    CHECK(found.status == 200);
    CHECK(json::parse(found.body).at("result").at("resultType") == "complete");
    CHECK(found.fields.get("Mcp-Session-Id").empty());
    CHECK(b.ask(b.modern_request(modern("1", "nope"), "nope")).status == 404);
    CHECK(b.ask(b.modern_request(modern("1", "ping"), "ping")).status == 404);
    CHECK(b.ask(b.modern_request(modern("1", "tools/list"), "tools/call")).status == 400);
    CHECK(b.ask(b.modern_request(modern("1", "tools/call", R"("name":"nope",)"), "tools/call", "nope")).status == 200);
    auto later = b.request(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"v9","io.modelcontextprotocol/clientCapabilities":{}}}})");
    later.fields.set("MCP-Protocol-Version", "v9");
    const auto told = b.ask(later);
    CHECK(told.status == 400);
    CHECK(json::parse(told.body).at("error").at("code") == -32022);
    CHECK(b.serving.sessions() == 0);
}

TEST_CASE("a modern confirmation is given to another conversation than asked", "[http]")
{
    http_bench b;
    const auto asked = b.ask(b.modern_request(
        modern("1", "tools/call", R"("name":"erase","arguments":{"text":"a"},)", R"({"elicitation":{}})"), "tools/call", "erase"));
    const auto result = json::parse(asked.body).at("result");
    CHECK(result.at("resultType") == "input_required");
    const auto again = b.ask(b.modern_request(
        modern(
            "2", "tools/call",
            fmt::format(
                R"("name":"erase","arguments":{{"text":"a"}},"requestState":{},"inputResponses":{{"confirm":{{"action":"accept","content":{{"confirm":true}}}}}},)",
                json::serialize(result.at("requestState"))),
            R"({"elicitation":{}})"),
        "tools/call", "erase"));
    CHECK(json::parse(again.body).at("result").at("isError") == false);
    CHECK(b.erased == 1);
}

TEST_CASE("a legacy question goes into the stream of its call, its answer comes by another request", "[http]")
{
    http_bench b;
    const auto id = b.open("2025-11-25", R"({"elicitation":{}})");
    const auto call =
        start(b, b.in(id, R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"erase","arguments":{"text":"a"}}})"));
    REQUIRE(events(call->text).size() == 1);
    const auto question = events(call->text)[0];
    CHECK(question.at("method") == "elicitation/create");
    CHECK(b.ask(b.in(id, fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{{"action":"accept","content":{{"confirm":true}}}}}})",
                                     json::serialize(question.at("id")))))
              .status == 202);
    b.clock.settle();
    CHECK(b.erased == 1);
    CHECK(call->ended);
    CHECK(events(call->text).at(1).at("id") == 5);
    leave(b, *call);
}

TEST_CASE("a session's own stream carries what belongs to no request, one at a time", "[http]")
{
    http_bench b;
    const auto id = b.open();
    const auto heard = start(b, b.in(id, "", "GET"));
    REQUIRE(heard->header);
    CHECK(heard->header->status == 200);
    CHECK(b.ask(b.in(id, "", "GET")).status == 409);
    b.ask(b.in(id, R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"note://one"}})"));
    b.changes.tell({.what = change::kind::resource, .uri = "note://one", .level = {}, .logger = {}});
    b.clock.settle();
    REQUIRE(events(heard->text).size() == 1);
    CHECK(events(heard->text)[0].at("params").at("uri") == "note://one");
    b.clock.advance(16s);
    CHECK_THAT(heard->text, Catch::EndsWith(":\n\n"));
    leave(b, *heard);
    const auto again = start(b, b.in(id, "", "GET"));
    CHECK(again->header->status == 200);
    CHECK(b.ask(b.in(id, "", "DELETE")).status == 204);
    b.clock.settle();
    CHECK(again->ended);
    leave(b, *again);
}

TEST_CASE("a listen lasts until its client goes, or the server says good-bye", "[http]")
{
    http_bench b;
    const auto body = modern("\"l\"", "subscriptions/listen", R"("notifications":{"resourceSubscriptions":["note://one"]},)");
    const auto one = start(b, b.modern_request(body, "subscriptions/listen"));
    const auto two = start(b, b.modern_request(body, "subscriptions/listen"));
    CHECK(events(one->text).at(0).at("method") == "notifications/subscriptions/acknowledged");
    leave(b, *one);
    CHECK(b.changes.wanted("note://one"));
    b.clock.run(b.serving.stop());
    CHECK_FALSE(b.changes.wanted("note://one"));
    CHECK(two->ended);
    CHECK(events(two->text).at(1).at("result").at("resultType") == "complete");
    leave(b, *two);
}

TEST_CASE("a modern client that goes cancels, a legacy one does not", "[http]")
{
    http_bench b;
    int ended = 0;
    b.what.tools.push_back({.name = "count",
                            .title = "",
                            .description = "",
                            .input = schema::object({}),
                            .output = {},
                            .run = [&](tool_call&) -> awaitable<tool_answer> {
                                co_await b.clock.sleep_for(5s);
                                ++ended;
                                json::object out{{"summary", "x"}};
                                co_return out;
                            }});
    const auto id = b.open();
    const auto modern_call = start(b, b.modern_request(modern("1", "tools/call", R"("name":"count",)"), "tools/call", "count"));
    leave(b, *modern_call);
    b.clock.advance(6s);
    CHECK(ended == 0);
    const auto legacy_call = start(b, b.in(id, R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count"}})"));
    leave(b, *legacy_call);
    b.clock.advance(6s);
    CHECK(ended == 1);
}

TEST_CASE("a legacy client cancels by a notification, and the call's stream ends without an answer", "[http]")
{
    http_bench b;
    const auto id = b.open();
    const auto call = start(b, b.in(id, R"({"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"slow"}})"));
    CHECK(b.ask(b.in(id, R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}})")).status == 202);
    b.clock.settle();
    CHECK(call->ended);
    CHECK(events(call->text).empty());
    leave(b, *call);
}

TEST_CASE("old and superfluous sessions make room", "[http]")
{
    http_bench b;
    const auto first = b.open();
    b.clock.advance(31min);
    for (int i = 0; i < 70; ++i) b.open();
    CHECK(b.serving.sessions() == 64);
    CHECK(b.ask(b.in(first, R"({"jsonrpc":"2.0","id":2,"method":"ping"})")).status == 404);
}

TEST_CASE("health is told without a token", "[http]")
{
    http_bench b;
    auto request = b.request("", "GET");
    request.target = "/health";
    request.fields.set("Authorization", "");
    const auto told = b.ask(request);
    CHECK(told.status == 200);
    CHECK(json::parse(told.body).at("status") == "ok");
}

TEST_CASE("only addresses of this machine are listened at", "[http]")
{
    http_bench b;
    CHECK_FALSE(b.serving.listen(endpoint{boost::asio::ip::make_address("0.0.0.0"), 3001}).has_value());
}
