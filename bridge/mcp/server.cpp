#include "bridge/mcp/server.hpp"

#include "bridge/mcp/flight.hpp"
#include "common/json_size.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>

namespace fwd::mcp {

namespace {

/// How long a client may keep a list. Ours never change while the program runs; what they list of resources is alive.
constexpr int tools_ttl_ms = 60'000;
constexpr int lists_ttl_ms = 300'000;

server_offers offers_of(const features& what)
{
    return {.resources = !what.resources.empty() || !what.templates.empty(),
            .prompts = !what.prompts.empty(),
            .completions = static_cast<bool>(what.complete),
            .lists_change = what.lists_change};
}

bool takes_time(std::string_view method, era in)
{
    return method == "tools/call" || method == "resources/read" || method == "prompts/get" || method == "completion/complete" ||
           (in == era::modern && method == "subscriptions/listen");
}

} // namespace

/// Answers of one array of requests, sent as one array when the last is there.
class server::batch final : public outlet {
public:
    explicit batch(outlet_ptr beneath) : beneath_{std::move(beneath)} {}
    void expect() { ++awaited_; }
    void tell(json::object message) override { beneath_->tell(std::move(message)); }
    void answer(json::object message) override
    {
        answers_.push_back(std::move(message));
        no_answer();
    }
    void answer_all(json::array) override {} // batches do not nest
    void no_answer() override
    {
        if (--awaited_ > 0) return;
        if (answers_.empty()) return beneath_->no_answer();
        beneath_->answer_all(std::move(answers_));
    }

private:
    outlet_ptr beneath_;
    std::size_t awaited_ = 0;
    json::array answers_;
};

server::server(const features& what, server_parts parts, outlet_ptr background, server_limits limits)
    : features_{what}, protocol_{what.who, offers_of(what)}, parts_{parts},
      background_{std::move(background)}, limits_{limits}, leaving_{parts_.executor, parts_.log}
{
    hearing_ = parts_.changes.hear([this](const change& what) { heard(what); });
}

server::~server()
{
    parts_.changes.forget(hearing_);
    for (const auto& uri : subscribed_) parts_.changes.unwant(uri);
    if (!level_.empty()) parts_.changes.unwant(std::string{change_feed::log_topic});
    for (const auto& [key, of] : flights_)
        for (const auto& uri : of->filter.uris) parts_.changes.unwant(uri);
}

awaitable<void> server::wind_down()
{
    const auto busy = [this] {
        return std::any_of(flights_.begin(), flights_.end(), [](const auto& each) { return !each.second->is_listen(); });
    };
    const auto until = parts_.clock.now() + limits_.grace;
    while (busy() && parts_.clock.now() < until) co_await parts_.clock.sleep_for(1ms);

    auto left = end_all();
    for (auto& of : left) co_await of->scope.join();
    co_await leaving_.join();
}

void server::end_now()
{
    for (auto& of : end_all()) leaving_.start("join an ended request", join(std::move(of)));
}

std::vector<std::shared_ptr<server::flight>> server::end_all()
{
    std::vector<std::shared_ptr<flight>> out;
    for (auto& [key, of] : std::exchange(flights_, {})) {
        for (const auto& uri : of->filter.uris) parts_.changes.unwant(uri);
        of->over = true;
        of->scope.cancel();
        if (of->is_listen()) {
            // The text is of two minds about which of these ends a stream; clients know at least one.
            json::object named{{"_meta", {{"io.modelcontextprotocol/subscriptionId", of->request.id}}}};
            of->into->answer(reply(of->request.id, protocol_.finish(of->asked, std::move(named))));
            of->into->tell(notification("notifications/cancelled", {{"requestId", of->request.id}, {"reason", "shutting down"}}));
        } else {
            of->into->no_answer();
        }
        out.push_back(std::move(of));
    }
    return out;
}

void server::take(std::string_view text, const outlet_ptr& into)
{
    auto value = parse_json(text, {.depth = 32});
    if (!value) return into->answer(reply_error({}, {rpc_code::parse_error, value.error().message(), nullptr}));
    take(*value, into);
}

void server::take(const json::value& message, const outlet_ptr& into)
{
    if (!message.is_array() || !protocol_.has_batches()) return take_read(read_message(message), into);
    const auto& all = message.get_array();
    if (all.empty()) return into->answer(reply_error({}, {rpc_code::invalid_request, "an empty batch", nullptr}));
    auto together = std::make_shared<batch>(into);
    together->expect(); // until every element was looked at
    for (const auto& each : all) {
        auto read = read_message(each);
        if (std::holds_alternative<rpc_request>(read) || std::holds_alternative<rpc_garbage>(read)) together->expect();
        take_read(std::move(read), together);
    }
    together->no_answer();
}

void server::take_read(rpc_message read, const outlet_ptr& into)
{
    if (auto* request = std::get_if<rpc_request>(&read)) return on_request(std::move(*request), into);
    if (auto* told = std::get_if<rpc_notification>(&read)) return on_notification(*told);
    if (auto* answer = std::get_if<rpc_response>(&read)) return on_response(*answer);
    auto& wrong = std::get<rpc_garbage>(read);
    into->answer(reply_error(wrong.id, wrong.why));
}

void server::on_request(rpc_request request, const outlet_ptr& into)
{
    const auto refuse = [&](const rpc_error& why) { into->answer(reply_error(request.id, why)); };
    if (flights_.contains(id_key(request.id)))
        return refuse({rpc_code::invalid_request, "a request with this id is still being served", nullptr});
    auto admitted = protocol_.admit(request);
    if (auto* why = std::get_if<rpc_error>(&admitted)) return refuse(*why);
    auto& asked = std::get<request_context>(admitted);
    if (dynamic_cast<const batch*>(into.get()) && (asked.era == era::modern || request.method == "initialize"))
        return refuse({rpc_code::invalid_request, fmt::format("{} cannot be part of a batch", request.method), nullptr});
    if (takes_time(request.method, asked.era)) return start(std::move(request), std::move(asked), into);

    auto done = answer(request, asked);
    if (auto* why = std::get_if<rpc_error>(&done)) return refuse(*why);
    into->answer(reply(request.id, protocol_.finish(asked, std::move(std::get<json::object>(done)))));
}

server::outcome server::answer(const rpc_request& request, const request_context& asked)
{
    const auto& method = request.method;
    if (method == "tools/list" || method == "resources/list" || method == "resources/templates/list" || method == "prompts/list")
        return list(request, asked);
    if (asked.era == era::modern) {
        if (method == "server/discover") return protocol_.discover();
    } else {
        if (method == "initialize") return protocol_.initialize(request.params);
        if (method == "ping") return json::object{};
        if (method == "resources/subscribe" || method == "resources/unsubscribe")
            return subscribe(request, method == "resources/subscribe");
        if (method == "logging/setLevel") return set_level(request);
    }
    return rpc_error{rpc_code::method_not_found, fmt::format("there is no method {} in this version", method), nullptr};
}

server::outcome server::list(const rpc_request& request, const request_context& asked) const
{
    const auto offers = offers_of(features_);
    json::object out;
    int ttl = lists_ttl_ms;
    const auto& method = request.method;
    if (method == "tools/list") {
        json::array all;
        for (const auto& each : features_.tools) all.push_back(describe(each, asked.version));
        out["tools"] = std::move(all);
        ttl = tools_ttl_ms;
    } else if (method == "prompts/list" && offers.prompts) {
        out["prompts"] = describe_prompts(features_, asked.version);
    } else if (method == "resources/list" && offers.resources) {
        out["resources"] = describe_resources(features_, asked.version);
        ttl = 0;
    } else if (method == "resources/templates/list" && offers.resources) {
        out["resourceTemplates"] = describe_templates(features_, asked.version);
    } else {
        return rpc_error{rpc_code::method_not_found, fmt::format("there is no method {} here", method), nullptr};
    }
    // Each list is one page, so no cursor of ours exists.
    if (request.params.contains("cursor")) return invalid_params("unknown cursor");
    if (asked.era == era::modern) {
        out["ttlMs"] = ttl;
        out["cacheScope"] = "private";
    }
    return out;
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
    if (answer.error)
        of->answer = error{errc::refused, *answer.error};
    else
        of->answer = answer.result;
    of->answered.set();
}

void server::cancel(const json::value& id)
{
    const auto found = flights_.find(id_key(id));
    if (found != flights_.end()) end(found->second);
}

void server::drop(const outlet_ptr& into)
{
    std::vector<std::shared_ptr<flight>> all;
    for (const auto& [key, of] : flights_)
        if (of->into == into) all.push_back(of);
    for (auto& of : all) end(std::move(of));
}

void server::end(std::shared_ptr<flight> of)
{
    flights_.erase(id_key(of->request.id));
    std::erase_if(questions_, [&](const auto& each) { return each.second->of == of.get(); });
    for (const auto& uri : of->filter.uris) parts_.changes.unwant(uri);
    of->over = true;
    of->scope.cancel();
    of->into->no_answer();
    leaving_.start("join a canceled request", join(std::move(of)));
}

awaitable<void> server::join(std::shared_ptr<flight> of)
{
    co_await of->scope.join();
}

void server::start(rpc_request request, request_context asked, const outlet_ptr& into)
{
    if (flights_.size() >= limits_.in_flight) {
        const auto why = fmt::format("busy: {} requests are being served", flights_.size());
        return into->answer(reply_error(request.id, {rpc_code::internal_error, why, nullptr}));
    }
    auto key = id_key(request.id);
    auto of = std::make_shared<flight>(std::move(request), std::move(asked), into, parts_.executor, parts_.log);
    flights_.emplace(std::move(key), of);
    if (of->is_listen()) return listen(of);
    of->scope.start(of->request.method, run_flight(of));
}

awaitable<void> server::run_flight(std::shared_ptr<flight> of)
{
    outcome with = rpc_error{};
    try {
        with = co_await serve(of);
    } catch (const boost::system::system_error& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        with = rpc_error{rpc_code::internal_error, e.what(), nullptr};
    } catch (const std::exception& e) {
        with = rpc_error{rpc_code::internal_error, e.what(), nullptr};
    }
    finish(of, std::move(with));
}

awaitable<server::outcome> server::serve(std::shared_ptr<flight> of)
{
    const auto& method = of->request.method;
    if (method == "resources/read") return read_resource(std::move(of));
    if (method == "prompts/get") return get_prompt(std::move(of));
    if (method == "completion/complete") return complete(std::move(of));
    return run_call(std::move(of));
}

void server::finish(const std::shared_ptr<flight>& of, outcome with)
{
    if (std::exchange(of->over, true)) return;
    flights_.erase(id_key(of->request.id));
    const auto& id = of->request.id;
    if (auto* why = std::get_if<rpc_error>(&with)) return of->into->answer(reply_error(id, *why));
    auto message = reply(id, protocol_.finish(of->asked, std::move(std::get<json::object>(with))));
    if (json_size(message) > limits_.result)
        message = reply_error(id, {rpc_code::internal_error, "the result is too large; ask for less", nullptr});
    of->into->answer(std::move(message));
}

} // namespace fwd::mcp
