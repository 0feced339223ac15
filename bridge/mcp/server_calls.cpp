// Calls of tools: arguments checked, a person asked where the tool wants it, results held to the published schema.
#include "bridge/mcp/flight.hpp"
#include "bridge/mcp/schema.hpp"

namespace fwd::mcp {

namespace {

/// Plans that others keep are told by this from questions that we keep.
constexpr std::string_view plan_mark = "p.";

tool_problem refused_by_setting(const tool_question& question)
{
    return {.code = "confirmation_denied",
            .message = "this needs a person's word, and this server was started with --confirm=deny",
            .cause = question.message,
            .evidence = {},
            .next = {},
            .more = {}};
}

tool_problem expired(const std::string& tool, json::object arguments)
{
    arguments.erase(confirm_argument);
    next_call step{.tool = tool, .arguments = std::move(arguments), .command = {}, .why = "asks anew and gives a new token"};
    tool_problem out{.code = "confirmation_expired",
                     .message = "this confirm_token is expired, used or belongs to another call",
                     .cause = {},
                     .evidence = {},
                     .next = {},
                     .more = {}};
    out.next.push_back(std::move(step));
    return out;
}

/// What does not fit the schema that was published would be thrown away by clients, so it is told as what it is: our bug.
tool_answer checked(tool_answer answer, const tool& of)
{
    const auto* result = std::get_if<json::object>(&answer);
    if (!result) return answer;
    const auto wrong = schema::problem_with(*result, of.output, "the result");
    if (!wrong) return answer;
    return tool_problem{.code = "internal_error",
                        .message = fmt::format("{} made a result that does not fit its schema", of.name),
                        .cause = *wrong,
                        .evidence = {},
                        .next = {},
                        .more = {}};
}

json::object input_required(json::object requests, std::string state)
{
    json::object out{{"resultType", "input_required"}};
    if (!requests.empty()) out["inputRequests"] = std::move(requests);
    if (!state.empty()) out["requestState"] = std::move(state);
    return out;
}

} // namespace

const tool* server::find_tool(std::string_view name) const
{
    const auto& all = features_.tools;
    const auto found = std::find_if(all.begin(), all.end(), [&](const tool& each) { return each.name == name; });
    return found == all.end() ? nullptr : &*found;
}

awaitable<server::outcome> server::run_call(std::shared_ptr<flight> of)
{
    const auto& params = of->request.params;
    const auto name = text_in(params, "name");
    const auto* which = find_tool(name);
    if (!which) co_return invalid_params(name.empty() ? "params.name must name a tool" : fmt::format("unknown tool '{}'", name));
    json::object arguments;
    if (const auto* given = params.if_contains("arguments")) {
        if (!given->is_object()) co_return invalid_params("params.arguments must be an object");
        arguments = given->get_object();
    }
    if (auto wrong = schema::problem_with(arguments, which->input, "argument")) {
        tool_problem why{.code = "invalid_arguments", .message = *wrong, .cause = {}, .evidence = {}, .next = {}, .more = {}};
        co_return failure(why, of->asked.version);
    }
    schema::fill_defaults(arguments, which->input);

    auto word = word_in(*of, *which, arguments);
    if (auto* ended = std::get_if<outcome>(&word)) co_return std::move(*ended);
    auto plan = std::get<std::optional<std::string>>(std::move(word));
    running_call call{*this, *of, arguments, plan.has_value() || limits_.confirm == confirming::never, plan.value_or("")};
    auto answer = co_await which->run(call);
    if (auto* question = std::get_if<tool_question>(&answer))
        co_return co_await ask_first(of, *which, std::move(arguments), std::move(*question));
    co_return result_of(checked(std::move(answer), *which), of->asked);
}

server::outcome server::result_of(tool_answer answer, const request_context& asked) const
{
    if (auto* why = std::get_if<tool_problem>(&answer)) return failure(*why, asked.version);
    if (auto* wrong = std::get_if<rpc_error>(&answer)) return std::move(*wrong);
    if (auto* input = std::get_if<tool_input>(&answer)) return input_required(std::move(input->requests), std::move(input->state));
    if (auto* content = std::get_if<tool_content>(&answer)) {
        json::object out;
        out["content"] = std::move(content->blocks);
        out["isError"] = false;
        return out;
    }
    if (auto* result = std::get_if<json::object>(&answer)) return success(std::move(*result), asked.version);
    return rpc_error{rpc_code::internal_error, "the tool asked twice", nullptr};
}

std::variant<std::optional<std::string>, server::outcome> server::word_in(const flight& of, const tool& which,
                                                                          const json::object& arguments)
{
    const auto& params = of.request.params;
    // Of a plan the keeper checks that it is for this call; of our own questions we do.
    const auto redeem = [&](const std::string& token) -> std::optional<std::string> {
        if (token.starts_with(plan_mark)) return token.substr(plan_mark.size());
        if (parts_.words.redeem(token, which.name, arguments)) return std::string{};
        return std::nullopt;
    };
    if (const auto token = text_in(arguments, confirm_argument); !token.empty()) {
        if (auto plan = redeem(token)) return plan;
        return outcome{failure(expired(which.name, arguments), of.asked.version)};
    }
    if (of.asked.era != era::modern || which.keeps_state || !params.contains("requestState")) return std::optional<std::string>{};
    const auto* answers = params.if_contains("inputResponses");
    const auto* word = answers && answers->is_object() ? answers->get_object().if_contains("confirm") : nullptr;
    if (!word || !word->is_object()) return std::optional<std::string>{}; // asked once more
    auto plan = redeem(text_in(params, "requestState"));
    if (!plan) return outcome{invalid_params("confirmation expired or altered; call the tool again")};
    const auto said = read_consent(word->get_object());
    if (said != consent::given) return outcome{success(not_done(said), of.asked.version)};
    return plan;
}

awaitable<server::outcome> server::ask_first(std::shared_ptr<flight> of, const tool& which, json::object arguments, tool_question question)
{
    const auto& asked = of->asked;
    if (limits_.confirm == confirming::deny) co_return failure(refused_by_setting(question), asked.version);
    const auto token = [&] {
        return question.plan.empty() ? parts_.words.ask(which.name, arguments) : std::string{plan_mark} + question.plan;
    };
    if (!asked.can_elicit) {
        json::object plan{{"status", "confirmation_required"},
                          {"summary", question.message + " Nothing changed yet: ask the user, then call again with confirm_token."},
                          {confirm_argument, token()}};
        co_return success(std::move(plan), asked.version);
    }
    if (asked.era == era::modern) {
        json::object form{{"method", "elicitation/create"}, {"params", consent_form(question, asked.version)}};
        json::object requests;
        requests["confirm"] = std::move(form);
        co_return input_required(std::move(requests), token());
    }
    const auto elicited = co_await ask_client(*of, "elicitation/create", consent_form(question, asked.version));
    const auto said = elicited ? read_consent(*elicited) : consent::canceled;
    if (said != consent::given) co_return success(not_done(said), asked.version);
    running_call call{*this, *of, std::move(arguments), true, question.plan};
    auto answer = co_await which.run(call);
    co_return result_of(checked(std::move(answer), which), asked);
}

awaitable<result<json::object>> server::ask_client(flight& of, std::string method, json::object params)
{
    const json::value id(fmt::format("fwd-e{}", ++last_question_)); // braces would make it a list
    auto asking = std::make_shared<question>();
    asking->of = &of;
    questions_[id_key(id)] = asking;
    json::object message{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}};
    message["params"] = std::move(params);
    of.into->tell(std::move(message));
    while (!asking->answer) co_await asking->answered.wait();
    co_return *asking->answer;
}

} // namespace fwd::mcp
