#include "bridge/mcp/server.hpp"

#include "bridge/mcp/schema.hpp"
#include "common/log.hpp"

#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include <fmt/core.h>

#include <algorithm>

namespace fwd::mcp {

namespace {

/// How long a client may keep the list of tools.
constexpr int tools_ttl_ms = 60'000;

std::string text_in(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_string() ? std::string{member->get_string()} : std::string{};
}

rpc_error invalid_params(std::string why)
{
    return {rpc_code::invalid_params, std::move(why), nullptr};
}

} // namespace

/// Answers of one array of requests, sent as one array when the last is there.
class server::batch {
public:
    explicit batch(transport& wire) : wire_{wire} {}
    void expect() { ++awaited_; }
    /// One of the expected is over, with an answer or without.
    void over(std::optional<json::object> answer)
    {
        if (answer) answers_.push_back(std::move(*answer));
        if (--awaited_ == 0 && !answers_.empty()) wire_.send(json::serialize(answers_));
    }
    /// A problem with an element that nobody awaits.
    void add(json::object answer) { answers_.push_back(std::move(answer)); }

private:
    transport& wire_;
    std::size_t awaited_ = 0;
    json::array answers_;
};

/// One request that takes its time.
struct server::flight {
    rpc_request request;
    request_context asked;
    reply_to into;
    task_scope scope;
    async_event answered; ///< the client answered our question
    std::optional<consent> elicited;
    std::int64_t progressed = -1;
    bool over = false; ///< answered or canceled: nothing more is sent for it

    flight(rpc_request r, request_context a, reply_to i, asio::any_io_executor executor, logger& log)
        : request{std::move(r)}, asked{std::move(a)}, into{std::move(i)}, scope{executor, log}
    {
    }
    [[nodiscard]] bool is_listen() const { return request.method == "subscriptions/listen"; }
};

class server::running_call final : public tool_call {
public:
    running_call(server& of, flight& in, json::object arguments, bool confirmed)
        : server_{of}, flight_{in}, arguments_{std::move(arguments)}, confirmed_{confirmed}
    {
    }
    const json::object& arguments() const override { return arguments_; }
    bool confirmed() const override { return confirmed_; }
    bool wants_progress() const override { return !flight_.asked.progress_token.is_null(); }
    std::string client() const override { return flight_.asked.client; }
    void progress(std::int64_t done, std::int64_t total, std::string message) override
    {
        if (!wants_progress() || flight_.over || done <= flight_.progressed) return;
        flight_.progressed = done;
        json::object params{{"progressToken", flight_.asked.progress_token}, {"progress", done}};
        if (total > 0) params["total"] = total;
        if (!message.empty() && flight_.asked.since("2025-03-26")) params["message"] = std::move(message);
        server_.parts_.wire.send(json::serialize(notification("notifications/progress", std::move(params))));
    }

private:
    server& server_;
    flight& flight_;
    json::object arguments_;
    bool confirmed_;
};

server::server(server_identity who, std::vector<tool> tools, server_parts parts, server_limits limits)
    : protocol_{std::move(who)}, tools_{std::move(tools)}, parts_{std::move(parts)}, limits_{limits},
      consents_{parts_.clock, parts_.random}, leaving_{parts_.executor, parts_.log}
{
}

server::~server() = default;

awaitable<void> server::serve()
{
    for (;;) {
        auto text = co_await parts_.wire.receive();
        if (!text) break;
        if (*text)
            take(**text);
        else
            send(reply_error({}, {rpc_code::invalid_request, text->error().message(), nullptr}), nullptr);
    }
    co_await wind_down();
}

awaitable<void> server::wind_down()
{
    const auto busy = [this] {
        return std::any_of(flights_.begin(), flights_.end(), [](const auto& each) { return !each.second->is_listen(); });
    };
    const auto until = parts_.clock.now() + limits_.grace;
    while (busy() && parts_.clock.now() < until) co_await parts_.clock.sleep_for(1ms);

    auto left = std::exchange(flights_, {});
    for (auto& [key, of] : left) {
        if (of->is_listen()) {
            // The text is of two minds about which of these ends a stream; clients know at least one.
            json::object named{{"_meta", {{"io.modelcontextprotocol/subscriptionId", of->request.id}}}};
            send(reply(of->request.id, protocol_.finish(of->asked, std::move(named))), nullptr);
            send(notification("notifications/cancelled", {{"requestId", of->request.id}, {"reason", "shutting down"}}), nullptr);
        }
        of->over = true;
        of->scope.cancel();
    }
    for (auto& [key, of] : left) co_await of->scope.join();
    co_await leaving_.join();
    co_await parts_.wire.flush(limits_.grace);
}

void server::take(std::string_view text)
{
    auto value = parse_json(text, {.depth = 32});
    if (!value) return send(reply_error({}, {rpc_code::parse_error, value.error().message(), nullptr}), nullptr);
    if (value->is_array() && protocol_.has_batches()) return take_batch(value->get_array());
    take_value(*value, nullptr);
}

void server::take_batch(const json::array& messages)
{
    if (messages.empty()) return send(reply_error({}, {rpc_code::invalid_request, "an empty batch", nullptr}), nullptr);
    auto all = std::make_shared<batch>(parts_.wire);
    all->expect(); // until every element was looked at
    for (const auto& each : messages) take_value(each, all);
    all->over({});
}

void server::take_value(const json::value& message, const reply_to& into)
{
    auto read = read_message(message);
    if (auto* request = std::get_if<rpc_request>(&read)) return on_request(std::move(*request), into);
    if (auto* told = std::get_if<rpc_notification>(&read)) return on_notification(*told);
    if (auto* answer = std::get_if<rpc_response>(&read)) return on_response(*answer);
    auto& wrong = std::get<rpc_garbage>(read);
    auto out = reply_error(wrong.id, wrong.why);
    if (into)
        into->add(std::move(out));
    else
        send(std::move(out), nullptr);
}

void server::on_request(rpc_request request, const reply_to& into)
{
    if (into) into->expect();
    const auto refuse = [&](rpc_error why) { send(reply_error(request.id, why), into); };
    if (flights_.contains(id_key(request.id)))
        return refuse({rpc_code::invalid_request, "a request with this id is still being served", nullptr});
    auto admitted = protocol_.admit(request);
    if (auto* why = std::get_if<rpc_error>(&admitted)) return refuse(std::move(*why));
    auto& asked = std::get<request_context>(admitted);
    if (into && (asked.era == era::modern || request.method == "initialize"))
        return refuse({rpc_code::invalid_request, fmt::format("{} cannot be part of a batch", request.method), nullptr});
    if (request.method == "tools/call" || (asked.era == era::modern && request.method == "subscriptions/listen"))
        return start(std::move(request), std::move(asked), into);

    auto done = answer(request, asked);
    if (auto* why = std::get_if<rpc_error>(&done)) return refuse(std::move(*why));
    send(reply(request.id, protocol_.finish(asked, std::move(std::get<json::object>(done)))), into);
}

server::outcome server::answer(const rpc_request& request, const request_context& asked)
{
    if (request.method == "tools/list") return list_tools(request, asked);
    if (asked.era == era::modern) {
        if (request.method == "server/discover") return protocol_.discover();
    } else {
        if (request.method == "initialize") return protocol_.initialize(request.params);
        if (request.method == "ping") return json::object{};
    }
    return rpc_error{rpc_code::method_not_found, fmt::format("there is no method {} in this version", request.method), nullptr};
}

server::outcome server::list_tools(const rpc_request& request, const request_context& asked) const
{
    // All tools are one page, so no cursor of ours exists.
    if (request.params.contains("cursor")) return invalid_params("unknown cursor");
    json::array all;
    for (const auto& each : tools_) all.push_back(describe(each, asked.version));
    json::object out;
    out["tools"] = std::move(all);
    if (asked.era == era::modern) {
        out["ttlMs"] = tools_ttl_ms;
        out["cacheScope"] = "private";
    }
    return out;
}

const tool* server::find_tool(std::string_view name) const
{
    const auto found = std::find_if(tools_.begin(), tools_.end(), [&](const tool& each) { return each.name == name; });
    return found == tools_.end() ? nullptr : &*found;
}

void server::on_notification(const rpc_notification& told)
{
    if (told.method == "notifications/initialized") protocol_.initialized();
    if (told.method == "notifications/cancelled")
        if (const auto* id = told.params.if_contains("requestId")) cancel(*id);
}

void server::on_response(const rpc_response& answer)
{
    const auto found = questions_.find(id_key(answer.id));
    if (found == questions_.end()) return;
    auto of = found->second;
    questions_.erase(found);
    of->elicited = answer.error ? consent::canceled : read_consent(answer.result);
    of->answered.set();
}

void server::cancel(const json::value& id)
{
    const auto found = flights_.find(id_key(id));
    if (found == flights_.end()) return;
    auto of = found->second;
    flights_.erase(found);
    std::erase_if(questions_, [&](const auto& each) { return each.second == of; });
    of->over = true;
    of->scope.cancel();
    if (of->into) of->into->over({});
    leaving_.start("join a canceled call", join(std::move(of)));
}

awaitable<void> server::join(std::shared_ptr<flight> of)
{
    co_await of->scope.join();
}

void server::start(rpc_request request, request_context asked, const reply_to& into)
{
    if (flights_.size() >= limits_.in_flight)
        return send(reply_error(request.id,
                                {rpc_code::internal_error, fmt::format("busy: {} requests are being served", flights_.size()), nullptr}),
                    into);
    auto key = id_key(request.id);
    auto of = std::make_shared<flight>(std::move(request), std::move(asked), into, parts_.executor, parts_.log);
    flights_.emplace(std::move(key), of);
    if (of->is_listen()) return listen(of);
    of->scope.start(of->request.method, run_flight(of));
}

void server::listen(const std::shared_ptr<flight>& of)
{
    // Nothing that we have changes by itself, so nothing of the filter is promised; the stream stays open until it is canceled.
    json::object params{{"_meta", {{"io.modelcontextprotocol/subscriptionId", of->request.id}}}, {"notifications", json::object{}}};
    send(notification("notifications/subscriptions/acknowledged", std::move(params)), nullptr);
}

awaitable<void> server::run_flight(std::shared_ptr<flight> of)
{
    outcome with = rpc_error{};
    try {
        with = co_await run_call(of);
    } catch (const boost::system::system_error& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        with = rpc_error{rpc_code::internal_error, e.what(), nullptr};
    } catch (const std::exception& e) {
        with = rpc_error{rpc_code::internal_error, e.what(), nullptr};
    }
    finish(of, std::move(with));
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
    const auto& version = of->asked.version;
    if (auto wrong = schema::problem_with(arguments, which->input, "argument")) {
        const tool_problem why{.code = "invalid_arguments", .message = *wrong, .cause = {}, .evidence = {}, .next = {}, .more = {}};
        co_return failure(why, version);
    }
    schema::fill_defaults(arguments, which->input);

    bool confirmed = false;
    if (const auto token = text_in(arguments, confirm_argument); !token.empty()) {
        confirmed = consents_.redeem(token, name, arguments);
        if (!confirmed) {
            auto again = arguments;
            again.erase(confirm_argument);
            const next_call step{.tool = name, .arguments = std::move(again), .command = {}, .why = "asks anew and gives a new token"};
            const tool_problem why{.code = "confirmation_expired",
                                   .message = "this confirm_token is expired, used or belongs to another call",
                                   .cause = {},
                                   .evidence = {},
                                   .next = {step},
                                   .more = {}};
            co_return failure(why, version);
        }
    } else if (of->asked.era == era::modern && params.contains("requestState")) {
        if (!consents_.redeem(text_in(params, "requestState"), name, arguments))
            co_return invalid_params("confirmation expired or altered; call the tool again");
        const auto* answers = params.if_contains("inputResponses");
        const auto* word = answers && answers->is_object() ? answers->get_object().if_contains("confirm") : nullptr;
        if (word && word->is_object()) { // otherwise it is asked once more
            const auto said = read_consent(word->get_object());
            if (said != consent::given) co_return success(not_done(said), version);
            confirmed = true;
        }
    }

    running_call call{*this, *of, arguments, confirmed};
    auto answer = co_await which->run(call);
    if (auto* question = std::get_if<tool_question>(&answer))
        co_return co_await ask_first(of, *which, std::move(arguments), std::move(*question));
    if (auto* why = std::get_if<tool_problem>(&answer)) co_return failure(*why, version);
    co_return success(std::move(std::get<json::object>(answer)), version);
}

awaitable<server::outcome> server::ask_first(std::shared_ptr<flight> of, const tool& which, json::object arguments, tool_question question)
{
    const auto& asked = of->asked;
    if (!asked.can_elicit) {
        json::object plan{{"status", "confirmation_required"},
                          {"summary", question.message + " Nothing changed yet: ask the user, then call again with confirm_token."},
                          {confirm_argument, consents_.ask(which.name, arguments)}};
        co_return success(std::move(plan), asked.version);
    }
    if (asked.era == era::modern) {
        json::object form{{"method", "elicitation/create"}, {"params", consent_form(question, asked.version)}};
        json::object requests;
        requests["confirm"] = std::move(form);
        json::object out{{"resultType", "input_required"}};
        out["inputRequests"] = std::move(requests);
        out["requestState"] = consents_.ask(which.name, arguments);
        co_return out;
    }
    const auto said = co_await elicit(of, std::move(question));
    if (said != consent::given) co_return success(not_done(said), asked.version);
    running_call call{*this, *of, std::move(arguments), true};
    auto answer = co_await which.run(call);
    if (auto* why = std::get_if<tool_problem>(&answer)) co_return failure(*why, asked.version);
    if (auto* result = std::get_if<json::object>(&answer)) co_return success(std::move(*result), asked.version);
    co_return rpc_error{rpc_code::internal_error, "the tool asked twice", nullptr};
}

awaitable<consent> server::elicit(std::shared_ptr<flight> of, tool_question question)
{
    const json::value id(fmt::format("fwd-e{}", ++last_question_)); // braces would make it a list
    questions_[id_key(id)] = of;
    json::object message{{"jsonrpc", "2.0"}, {"id", id}, {"method", "elicitation/create"}};
    message["params"] = consent_form(question, of->asked.version);
    send(std::move(message), nullptr);
    while (!of->elicited) co_await of->answered.wait();
    co_return *of->elicited;
}

void server::send(json::object message, const reply_to& into)
{
    if (into) return into->over(std::move(message));
    parts_.wire.send(json::serialize(message));
}

void server::finish(const std::shared_ptr<flight>& of, outcome with)
{
    if (std::exchange(of->over, true)) return;
    flights_.erase(id_key(of->request.id));
    const auto& id = of->request.id;
    if (auto* why = std::get_if<rpc_error>(&with)) return send(reply_error(id, *why), of->into);
    auto message = reply(id, protocol_.finish(of->asked, std::move(std::get<json::object>(with))));
    if (json::serialize(message).size() > limits_.result)
        message = reply_error(id, {rpc_code::internal_error, "the result is too large; ask for less", nullptr});
    send(std::move(message), of->into);
}

} // namespace fwd::mcp
