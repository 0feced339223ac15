// A server that talks to a test through two lists of lines.
#pragma once

#include "bridge/mcp/schema.hpp"
#include "bridge/mcp/server.hpp"
#include "common/log.hpp"
#include "tests/support/virtual_clock.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include <deque>

namespace fwd::mcp::test {

using fwd::test::virtual_clock;

class line_list final : public transport {
public:
    awaitable<std::optional<result<std::string>>> receive() override { co_return std::nullopt; }
    void send(std::string message) override { sent.push_back(json::parse(message)); }
    awaitable<void> flush(duration) override { co_return; }
    std::deque<json::value> sent;
};

inline json::object schema_of_echo()
{
    return schema::object({schema::must("text", schema::text("what to say")), schema::may("times", schema::whole("how often", 1, 9, 1)),
                           schema::may("confirm_token", schema::text("an earlier answer"))});
}

/// echo answers at once, slow after a minute with progress each 20 s, erase asks first, broken throws.
inline std::vector<tool> sample_tools(timing& clock, int& erased)
{
    const auto output = schema::object({schema::must("summary", schema::text("")), schema::may("times", schema::count("")),
                                        schema::may("status", schema::text("")), schema::may("confirm_token", schema::text(""))});
    std::vector<tool> all;
    all.push_back({.name = "echo",
                   .title = "Echo",
                   .description = "Says it again.",
                   .input = schema_of_echo(),
                   .output = output,
                   .hints = {.read_only = true},
                   .run = [](tool_call& call) -> awaitable<tool_answer> {
                       json::object out{{"summary", call.arguments().at("text")}, {"times", call.arguments().at("times")}};
                       co_return out;
                   }});
    all.push_back({.name = "slow",
                   .title = "Slow",
                   .description = "Takes a minute.",
                   .input = schema::object({}),
                   .output = output,
                   .hints = {},
                   .run = [&clock](tool_call& call) -> awaitable<tool_answer> {
                       for (int i = 0; i < 3; ++i) {
                           call.progress(i, 3, "still at it");
                           call.progress(i, 3, "twice");
                           co_await clock.sleep_for(20s);
                       }
                       json::object out{{"summary", "done"}};
                       co_return out;
                   }});
    all.push_back({.name = "erase",
                   .title = "Erase",
                   .description = "Erases.",
                   .input = schema_of_echo(),
                   .output = output,
                   .hints = {.destructive = true},
                   .run = [&erased](tool_call& call) -> awaitable<tool_answer> {
                       if (!call.confirmed()) {
                           tool_question ask{"Erase it?", "Erase"};
                           co_return ask;
                       }
                       ++erased;
                       json::object out{{"summary", "erased"}};
                       co_return out;
                   }});
    all.push_back({.name = "broken",
                   .title = "Broken",
                   .description = "Fails inside.",
                   .input = schema::object({}),
                   .output = output,
                   .hints = {},
                   .run = [](tool_call&) -> awaitable<tool_answer> {
                       throw std::runtime_error{"a bug"};
                       co_return tool_problem{};
                   }});
    return all;
}

inline features sample_features(timing& clock, int& erased)
{
    features out;
    out.who = {.name = "sample", .title = "Sample", .version = "1.0", .description = "A sample.", .instructions = "Say echo."};
    out.tools = sample_tools(clock, erased);
    const auto read = [](std::string text) {
        return [text](tool_call&) -> awaitable<resource_answer> { co_return resource_content{.mime = "text/plain", .text = text}; };
    };
    out.resources.push_back({"note://one", "one", "One", "The first.", "text/plain", read("first")});
    out.resources.push_back(
        {"note://broken", "broken", "", "", "", [](tool_call&) -> awaitable<resource_answer> {
             tool_problem why{.code = "daemon_not_running", .message = "it is down", .cause = {}, .evidence = {}, .next = {}, .more = {}};
             co_return why;
         }});
    out.templates.push_back({"note://by/{name}/text", "by_name", "By name", "Any.", "text/plain",
                             [](tool_call&, variables known) -> awaitable<resource_answer> {
                                 if (known["name"] == "nobody") {
                                     tool_problem why{
                                         .code = "not_found", .message = "none", .cause = {}, .evidence = {}, .next = {}, .more = {}};
                                     co_return why;
                                 }
                                 co_return resource_content{.mime = "text/plain", .text = known["name"]};
                             }});
    out.prompts.push_back({"greet",
                           "Greet",
                           "Says hello.",
                           {{"whom", "who is greeted", true}, {"how", "in which way", false}},
                           [](tool_call&, variables given) -> awaitable<prompt_answer> {
                               json::object content{{"type", "text"}, {"text", "Hello " + given["whom"]}};
                               json::object message{{"role", "user"}};
                               message["content"] = std::move(content);
                               json::array out;
                               out.push_back(std::move(message));
                               co_return out;
                           }});
    out.complete = [](tool_call&, completion_query query) -> awaitable<std::vector<std::string>> {
        std::vector<std::string> all{"Ada", "adam", "Eve", "Eve"};
        if (const auto known = query.others.find("how"); known != query.others.end()) all.push_back(known->second);
        for (int i = 0; i < 150; ++i) all.push_back(fmt::format("z{:03}", i));
        co_return all;
    };
    return out;
}

struct bench {
    asio::io_context loop{1};
    virtual_clock clock{loop};
    std::unique_ptr<random_source> random = make_seeded_random(1);
    logger log;
    line_list wire;
    int erased = 0;
    features what = sample_features(clock, erased);
    consents words{clock, *random};
    change_feed changes;
    outlet_ptr into = outlet_to(wire);
    server serving;

    explicit bench(server_limits limits = {}) : serving{what, {loop.get_executor(), clock, log, words, changes}, into, limits} {}
    ~bench() { clock.run(serve(serving, wire, into, 1ms)); }

    void say(std::string_view line)
    {
        serving.take(line, into);
        clock.settle();
    }
    /// The next message that was sent.
    json::object hear()
    {
        REQUIRE_FALSE(wire.sent.empty());
        auto first = std::move(wire.sent.front());
        wire.sent.pop_front();
        REQUIRE(first.is_object());
        return std::move(first.get_object());
    }
    json::object ask(std::string_view line)
    {
        say(line);
        return hear();
    }
    bool quiet() const { return wire.sent.empty(); }
    void shake_hands(std::string_view version, std::string_view capabilities = "{}")
    {
        const auto told = ask(fmt::format(R"({{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{{"protocolVersion":"{}",)"
                                          R"("capabilities":{},"clientInfo":{{"name":"tester","version":"1"}}}}}})",
                                          version, capabilities));
        REQUIRE(told.contains("result"));
        say(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
        REQUIRE(quiet());
    }
};

inline int code_of(const json::object& message)
{
    REQUIRE(message.contains("error"));
    return static_cast<int>(message.at("error").at("code").to_number<int>());
}

inline std::string text_of(const json::value& value)
{
    return std::string{value.as_string()};
}

/// A request of 2026-07-28.
inline std::string modern(std::string_view id, std::string_view method, std::string_view more = "", std::string_view capabilities = "{}")
{
    return fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{{{}"_meta":{{)"
                       R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}}}})",
                       id, method, more, capabilities);
}

} // namespace fwd::mcp::test
