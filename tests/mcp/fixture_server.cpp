// An MCP server with the things that the official conformance suite asks for, made of the same protocol code as `fwd mcp --http`.
// fwd-mcp-fixture PORT: serves at http://127.0.0.1:PORT/mcp without a token until it is ended.
#include "bridge/mcp/http_server.hpp"
#include "bridge/mcp/schema.hpp"
#include "bridge/session.hpp"
#include "common/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <set>

using namespace fwd;
using namespace fwd::mcp;
namespace json = boost::json;

namespace {

// One red pixel, and a tenth of a second of silence.
constexpr auto png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
constexpr auto wav = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
constexpr auto pause = 50ms;

json::object text_block(std::string text)
{
    return {{"type", "text"}, {"text", std::move(text)}};
}
json::object image_block()
{
    return {{"type", "image"}, {"data", png}, {"mimeType", "image/png"}};
}
json::object resource_block(std::string_view uri, std::string_view text)
{
    json::object inner{{"uri", uri}, {"mimeType", "text/plain"}, {"text", text}};
    json::object out{{"type", "resource"}};
    out["resource"] = std::move(inner);
    return out;
}
tool_content blocks(std::initializer_list<json::object> all)
{
    tool_content out;
    for (const auto& each : all) out.blocks.push_back(each);
    return out;
}
tool_content said(std::string text)
{
    return blocks({text_block(std::move(text))});
}
std::string text_in(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_string() ? std::string{member->get_string()} : std::string{};
}
json::object parsed(std::string_view text)
{
    return json::parse(text).as_object();
}
json::object message_of(json::object content)
{
    json::object out{{"role", "user"}};
    out["content"] = std::move(content);
    return out;
}
json::array messages(std::initializer_list<json::object> all)
{
    json::array out;
    for (const auto& each : all) out.push_back(message_of(each));
    return out;
}

const json::object no_arguments = schema::object({});

tool simple(std::string name, std::string about, std::function<awaitable<tool_answer>(tool_call&)> run, json::object input = no_arguments)
{
    return {.name = std::move(name),
            .title = "",
            .description = std::move(about),
            .input = std::move(input),
            .output = {},
            .hints = {.read_only = true},
            .run = std::move(run)};
}

/// A tool whose answer needs nothing.
tool fixed(std::string name, std::string about, tool_answer answer)
{
    return simple(std::move(name), std::move(about), [answer](tool_call&) -> awaitable<tool_answer> { co_return answer; });
}

json::object form(std::string_view message, std::string_view schema_text)
{
    json::object params{{"mode", "form"}, {"message", message}};
    params["requestedSchema"] = json::parse(schema_text);
    json::object out{{"method", "elicitation/create"}};
    out["params"] = std::move(params);
    return out;
}
json::object sampling(std::string_view prompt)
{
    return parsed(fmt::format(
        R"({{"method":"sampling/createMessage","params":{{"messages":[{{"role":"user","content":{{"type":"text","text":{}}}}}],"maxTokens":100}}}})",
        json::serialize(json::value(prompt))));
}
json::object roots()
{
    return parsed(R"({"method":"roots/list","params":{}})");
}

/// What the client answered under a key; null: nothing.
const json::object* answer_in(const tool_call& call, std::string_view key)
{
    const auto* all = call.inputs();
    const auto* one = all ? all->if_contains(key) : nullptr;
    return one ? one->if_object() : nullptr;
}
std::string content_in(const json::object& answer, std::string_view name)
{
    const auto* content = answer.if_contains("content");
    return content && content->is_object() ? text_in(content->get_object(), name) : std::string{};
}

/// States that were given out; anything else is forged.
class given_states {
public:
    explicit given_states(random_source& random) : random_{random} {}
    std::string give(const std::string& meaning)
    {
        std::array<std::byte, 12> bytes;
        random_.fill(bytes);
        auto state = meaning + "." + hex(bytes);
        all_.insert(state);
        return state;
    }
    [[nodiscard]] bool knows(const std::string& state) const { return all_.contains(state); }

private:
    random_source& random_;
    std::set<std::string> all_;
};

rpc_error forged()
{
    return {rpc_code::invalid_params, "requestState was altered", nullptr};
}

void add_plain_tools(std::vector<tool>& out)
{
    out.push_back(fixed("test_simple_text", "Says a text.", said("This is a simple text response for testing.")));
    out.push_back(fixed("test_image_content", "Shows an image.", blocks({image_block()})));
    out.push_back(fixed("test_audio_content", "Plays a sound.", blocks({{{"type", "audio"}, {"data", wav}, {"mimeType", "audio/wav"}}})));
    out.push_back(fixed("test_embedded_resource", "Gives a resource.",
                        blocks({resource_block("test://embedded-resource", "This is an embedded resource content.")})));
    out.push_back(fixed("test_multiple_content_types", "Gives several kinds.",
                        blocks({text_block("Multiple content types test:"), image_block(),
                                resource_block("test://mixed-content-resource", "{\"test\":\"data\",\"value\":123}")})));
    out.push_back(fixed("test_error_handling", "Fails.",
                        tool_problem{.code = "test",
                                     .message = "This tool intentionally returns an error for testing",
                                     .cause = {},
                                     .evidence = {},
                                     .next = {},
                                     .more = {}}));
    out.push_back(fixed("json_schema_2020_12_tool", "Has a rich schema.", said("ok")));
    out.back().input = parsed(
        R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
        "properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},"contactMethod":{"type":"string","enum":["phone","email"]},"phone":{"type":"string"},"email":{"type":"string"}},
        "allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},"then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false})");
    auto header = fixed("test_header_parameter", "Has a parameter that stands in a header.", said("ok"));
    header.input = parsed(
        R"({"type":"object","properties":{"region":{"type":"string","description":"anywhere","x-mcp-header":"Region"}},"additionalProperties":false})");
    out.push_back(std::move(header));
}

void add_talking_tools(std::vector<tool>& out, timing& clock)
{
    out.push_back(simple("test_tool_with_progress", "Tells how far it is.", [&clock](tool_call& call) -> awaitable<tool_answer> {
        for (const int done : {0, 50, 100}) {
            call.progress(done, 100, fmt::format("{} of 100", done));
            co_await clock.sleep_for(pause);
        }
        co_return said("done");
    }));
    const auto logging = [&clock](tool_call& call) -> awaitable<tool_answer> {
        for (const auto* text : {"Tool execution started", "Tool processing data", "Tool execution completed"}) {
            call.log("info", "fixture", json::value(text));
            co_await clock.sleep_for(pause);
        }
        co_return said("logged");
    };
    out.push_back(simple("test_tool_with_logging", "Logs.", logging));
    out.push_back(simple("test_logging_tool", "Logs where asked.", logging));
    out.push_back(simple("test_streaming_elicitation", "Streams, and asks nothing.", [&clock](tool_call& call) -> awaitable<tool_answer> {
        for (int done = 1; done <= 3; ++done) {
            call.progress(done, 3, "");
            co_await clock.sleep_for(pause);
        }
        co_return said("streamed");
    }));
}

void add_asking_tools(std::vector<tool>& out)
{
    out.push_back(simple(
        "test_sampling", "Asks the client's model.",
        [](tool_call& call) -> awaitable<tool_answer> {
            const auto question = sampling(text_in(call.arguments(), "prompt"));
            auto params = question.at("params").as_object();
            const auto answer = co_await call.ask_client("sampling/createMessage", std::move(params));
            std::string text = answer ? "" : answer.error().message();
            if (answer)
                if (const auto* content = answer->if_contains("content"); content && content->is_object())
                    text = text_in(content->get_object(), "text");
            co_return said("LLM response: " + text);
        },
        schema::object({schema::must("prompt", schema::text("what to ask"))})));
    const auto elicit = [](std::string name, std::string message, std::string form_schema, std::string begin) {
        return simple(
            std::move(name), "Asks a person.",
            [message, form_schema, begin](tool_call& call) -> awaitable<tool_answer> {
                const auto given = text_in(call.arguments(), "message");
                json::object params{{"message", given.empty() ? message : given}};
                params["requestedSchema"] = json::parse(form_schema);
                const auto answer = co_await call.ask_client("elicitation/create", std::move(params));
                if (!answer) co_return said(begin + answer.error().message());
                const auto* content = answer->if_contains("content");
                co_return said(
                    fmt::format("{}action={}, content={}", begin, text_in(*answer, "action"), content ? json::serialize(*content) : "{}"));
            },
            schema::object({schema::may("message", schema::text("what to ask"))}));
    };
    out.push_back(elicit(
        "test_elicitation", "Who?",
        R"({"type":"object","properties":{"username":{"type":"string","description":"User's response"},"email":{"type":"string","description":"User's email address"}},"required":["username","email"]})",
        "User response: "));
    out.push_back(elicit(
        "test_elicitation_sep1034_defaults", "Please",
        R"({"type":"object","properties":{"name":{"type":"string","default":"John Doe"},"age":{"type":"integer","default":30},"score":{"type":"number","default":95.5},"status":{"type":"string","enum":["active","inactive","pending"],"default":"active"},"verified":{"type":"boolean","default":true}},"required":[]})",
        "Elicitation completed: "));
    out.push_back(elicit(
        "test_elicitation_sep1330_enums", "Please",
        R"({"type":"object","properties":{"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First Option"},{"const":"value2","title":"Second Option"},{"const":"value3","title":"Third Option"}]},
                         "legacyEnum":{"type":"string","enum":["opt1","opt2","opt3"],"enumNames":["Option One","Option Two","Option Three"]},"untitledMulti":{"type":"array","items":{"type":"string","enum":["option1","option2","option3"]}},
                         "titledMulti":{"type":"array","items":{"anyOf":[{"const":"value1","title":"First Choice"},{"const":"value2","title":"Second Choice"},{"const":"value3","title":"Third Choice"}]}}},"required":[]})",
        "Elicitation completed: "));
    out.push_back(simple("test_missing_capability", "Needs sampling.", [](tool_call& call) -> awaitable<tool_answer> {
        if (!call.client_has("sampling"))
            co_return rpc_error{rpc_code::missing_client_capability, "this needs sampling",
                                json::parse(R"({"requiredCapabilities":{"sampling":{}}})")};
        co_return said("sampling is there");
    }));
}

constexpr auto name_form = R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"]})";
constexpr auto confirm_form = R"({"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"]})";

tool asking(std::string name, std::function<awaitable<tool_answer>(tool_call&)> run)
{
    auto out = simple(std::move(name), "Needs answers of the client.", std::move(run));
    out.keeps_state = true;
    return out;
}

void add_input_tools(std::vector<tool>& out, given_states& states)
{
    const std::string begin = "test_input_required_result_";
    out.push_back(asking(begin + "elicitation", [](tool_call& call) -> awaitable<tool_answer> {
        if (const auto* answer = answer_in(call, "user_name")) co_return said(fmt::format("Hello, {}!", content_in(*answer, "name")));
        tool_input need;
        need.requests["user_name"] = form("What is your name?", name_form);
        co_return need;
    }));
    out.push_back(asking(begin + "sampling", [](tool_call& call) -> awaitable<tool_answer> {
        if (answer_in(call, "capital_question")) co_return said("The model answered.");
        tool_input need;
        need.requests["capital_question"] = sampling("What is the capital of France?");
        co_return need;
    }));
    out.push_back(asking(begin + "list_roots", [](tool_call& call) -> awaitable<tool_answer> {
        if (answer_in(call, "client_roots")) co_return said("The roots came.");
        tool_input need;
        need.requests["client_roots"] = roots();
        co_return need;
    }));
    const auto with_state = [&states](tool_call& call) -> awaitable<tool_answer> {
        if (!call.state().empty() && !states.knows(call.state())) co_return forged();
        if (answer_in(call, "confirm") && !call.state().empty()) co_return said("state-ok");
        tool_input need;
        need.requests["confirm"] = form("Go on?", confirm_form);
        need.state = states.give("confirm");
        co_return need;
    };
    out.push_back(asking(begin + "request_state", with_state));
    out.push_back(asking(begin + "tampered_state", with_state));
    out.push_back(asking(begin + "multiple_inputs", [&states](tool_call& call) -> awaitable<tool_answer> {
        if (!call.state().empty() && !states.knows(call.state())) co_return forged();
        if (answer_in(call, "user_name") && answer_in(call, "greeting") && answer_in(call, "client_roots"))
            co_return said("All inputs came.");
        tool_input need;
        need.requests["user_name"] = form("What is your name?", name_form);
        need.requests["greeting"] = sampling("Say hello.");
        need.requests["client_roots"] = roots();
        need.state = states.give("multiple");
        co_return need;
    }));
    out.push_back(asking(begin + "multi_round", [&states](tool_call& call) -> awaitable<tool_answer> {
        if (!call.state().empty() && !states.knows(call.state())) co_return forged();
        const bool first_done = call.state().starts_with("second");
        if (first_done && answer_in(call, "step2")) co_return said("Both steps are done.");
        tool_input need;
        if (first_done || answer_in(call, "step1")) {
            need.requests["step2"] = form("Step 2?", name_form);
            need.state = states.give("second");
        } else {
            need.requests["step1"] = form("Step 1?", name_form);
            need.state = states.give("first");
        }
        co_return need;
    }));
    out.push_back(asking(begin + "capabilities", [](tool_call& call) -> awaitable<tool_answer> {
        if (call.inputs() && !call.inputs()->empty()) co_return said("Thank you.");
        tool_input need;
        if (call.client_has("elicitation")) need.requests["user_name"] = form("What is your name?", name_form);
        if (call.client_has("sampling")) need.requests["greeting"] = sampling("Say hello.");
        if (call.client_has("roots")) need.requests["client_roots"] = roots();
        if (need.requests.empty()) co_return said("Nothing can be asked.");
        co_return need;
    }));
}

std::vector<prompt> make_prompts()
{
    const auto prompt_of = [](std::string name, std::vector<prompt_argument> arguments, std::function<json::array(variables)> text) {
        prompt out{
            .name = std::move(name), .title = "", .description = "A prompt for tests.", .arguments = std::move(arguments), .get = {}};
        out.get = [text](tool_call&, variables given) -> awaitable<prompt_answer> { co_return text(std::move(given)); };
        return out;
    };
    std::vector<prompt> out;
    out.push_back(
        prompt_of("test_simple_prompt", {}, [](variables) { return messages({text_block("This is a simple prompt for testing.")}); }));
    out.push_back(prompt_of("test_prompt_with_arguments", {{"arg1", "first", true}, {"arg2", "second", true}}, [](variables given) {
        return messages({text_block(fmt::format("Prompt with arguments: arg1='{}', arg2='{}'", given["arg1"], given["arg2"]))});
    }));
    out.push_back(prompt_of("test_prompt_with_embedded_resource", {{"resourceUri", "of the resource", true}}, [](variables given) {
        return messages({resource_block(given["resourceUri"], "Embedded resource content for testing."),
                         text_block("Please process the embedded resource above.")});
    }));
    out.push_back(prompt_of("test_prompt_with_image", {}, [](variables) {
        return messages({image_block(), text_block("Please analyze the image above.")});
    }));
    prompt asking_prompt{
        .name = "test_input_required_result_prompt", .title = "", .description = "Needs an answer first.", .arguments = {}, .get = {}};
    asking_prompt.get = [](tool_call& call, variables) -> awaitable<prompt_answer> {
        if (const auto* answer = answer_in(call, "user_context"))
            co_return messages({text_block("Context: " + content_in(*answer, "context"))});
        tool_input need;
        need.requests["user_context"] =
            form("What is the context?", R"({"type":"object","properties":{"context":{"type":"string"}},"required":["context"]})");
        co_return need;
    };
    out.push_back(std::move(asking_prompt));
    return out;
}

void add_resources(features& out)
{
    const auto give = [](resource_content content) { return [content](tool_call&) -> awaitable<resource_answer> { co_return content; }; };
    out.resources.push_back({"test://static-text", "static_text", "", "A text.", "text/plain",
                             give({"text/plain", "This is the content of the static text resource."})});
    out.resources.push_back({"test://static-binary", "static_binary", "", "An image.", "image/png", give({"image/png", png, true})});
    out.resources.push_back({"test://watched-resource", "watched", "", "One that changes.", "text/plain", give({"text/plain", "watched"})});
    out.templates.push_back(
        {"test://template/{id}/data", "template", "", "Data by id.", "application/json",
         [](tool_call&, variables known) -> awaitable<resource_answer> {
             const json::object data{{"id", known["id"]}, {"templateTest", true}, {"data", "Data for ID: " + known["id"]}};
             co_return resource_content{.mime = "application/json", .text = json::serialize(data)};
         }});
}

awaitable<int> serve(http_server& server, timing& clock)
{
    for (;;) co_await clock.sleep_for(1h);
    co_await server.stop();
    co_return 0;
}

} // namespace

int main(int argc, char** argv)
{
    const auto port = argc > 1 ? to_number<std::uint16_t>(argv[1]) : std::nullopt;
    if (!port) {
        fmt::print(stderr, "usage: fwd-mcp-fixture PORT\n");
        return 2;
    }
    bridge::session with;
    change_feed changes;
    consents words{with.clock(), with.random()};
    given_states states{with.random()};
    features what;
    what.who = {.name = "fwd-mcp-fixture",
                .title = "Fixture",
                .version = FWD_VERSION,
                .description = "For the conformance suite",
                .instructions = {}};
    what.lists_change = true;
    add_plain_tools(what.tools);
    add_talking_tools(what.tools, with.clock());
    add_asking_tools(what.tools);
    add_input_tools(what.tools, states);
    const auto trigger = [&changes](std::string name, change::kind kind) {
        return simple(std::move(name), "Tells that a list changed.", [&changes, kind](tool_call&) -> awaitable<tool_answer> {
            changes.tell({.what = kind, .uri = {}, .level = {}, .logger = {}});
            co_return said("told");
        });
    };
    what.tools.push_back(trigger("test_trigger_tool_change", change::kind::tools));
    what.tools.push_back(trigger("test_trigger_prompt_change", change::kind::prompts));
    what.prompts = make_prompts();
    add_resources(what);
    what.complete = [](tool_call&, completion_query) -> awaitable<std::vector<std::string>> {
        std::vector<std::string> all{"paris", "park", "party"};
        co_return all;
    };
    http_server server{what, {with.executor(), with.clock(), with.log(), words, changes}, with.net(), with.random(), {}};
    const auto at = server.listen(endpoint{boost::asio::ip::make_address("127.0.0.1"), *port});
    if (!at) {
        fmt::print(stderr, "{}\n", at.error().message());
        return 1;
    }
    fmt::print("http://{}/mcp\n", at->text());
    std::fflush(stdout);
    return with.run(serve(server, with.clock()));
}
