#include "bridge/mcp/http_server.hpp"

#include "bridge/mcp/http_connection.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <list>

namespace fwd::mcp {

namespace {

constexpr std::string_view session_header = "Mcp-Session-Id";
constexpr std::string_view version_header = "MCP-Protocol-Version";
constexpr auto accept_again = 100ms;
/// For streams to take their end, when the server stops.
constexpr auto last_words = 50ms;

unsigned always_200(const json::object&)
{
    return 200;
}

http_response accepted_without_body()
{
    http_response out;
    out.status = 202;
    return out;
}

rpc_error invalid(std::string why)
{
    return {rpc_code::invalid_request, std::move(why), nullptr};
}

std::optional<json::value> id_of(const rpc_message& message)
{
    if (const auto* request = std::get_if<rpc_request>(&message)) return request->id;
    if (const auto* garbage = std::get_if<rpc_garbage>(&message)) return garbage->id;
    return std::nullopt;
}

/// What a legacy session has to say outside of any answer: to the stream that its client keeps open for that, or to nobody.
class session_outlet final : public outlet {
public:
    void tell(json::object message) override
    {
        if (stream) stream->tell(std::move(message));
    }
    void answer(json::object message) override { tell(std::move(message)); }
    void answer_all(json::array) override {}
    void no_answer() override {}
    std::shared_ptr<http_exchange> stream;
};

struct session {
    std::shared_ptr<session_outlet> out = std::make_shared<session_outlet>();
    std::unique_ptr<server> serving;
    time_point used{};
};

} // namespace

struct http_server::state {
    const features& what;
    server_parts parts;
    network& net;
    random_source& random;
    http_settings settings;
    server_limits limits;
    http_guard guard;
    task_scope tasks;
    std::unique_ptr<acceptor> listener;
    timer_id retry = 0;
    std::list<http_connection> connections;
    std::map<std::string, std::shared_ptr<session>> sessions;
    std::list<server*> conversations; ///< of modern requests
    bool stopping = false;

    state(const features& w, server_parts p, network& n, random_source& r, http_settings s, server_limits l)
        : what{w}, parts{p}, net{n}, random{r}, settings{std::move(s)}, limits{l}, tasks{p.executor, p.log}
    {
        limits.grace = {};
        guard.host_names = settings.host_names;
        guard.token = settings.token;
    }

    void arm()
    {
        listener->wait([this] { accept(); });
    }

    void accept()
    {
        retry = 0;
        for (;;) {
            auto got = listener->try_accept();
            if (!got) {
                retry = parts.clock.call_after(accept_again, [this] { accept(); });
                return;
            }
            if (!*got) break;
            if (connections.size() >= settings.connections) continue; // closed by going out of scope
            connections.emplace_back(make_byte_stream(std::move((*got)->stream)), parts.clock, settings);
            const auto at = std::prev(connections.end());
            tasks.start("mcp connection", converse(at));
        }
        arm();
    }

    awaitable<void> converse(std::list<http_connection>::iterator at)
    {
        task_scope reading{parts.executor, parts.log};
        reading.start("read", at->read());
        std::exception_ptr thrown;
        try {
            co_await requests(*at);
        } catch (...) {
            thrown = std::current_exception();
        }
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        reading.cancel();
        co_await reading.join();
        at->close();
        connections.erase(at);
        if (thrown) std::rethrow_exception(thrown);
    }

    awaitable<void> requests(http_connection& client)
    {
        while (!stopping) {
            auto next = co_await client.next();
            if (std::holds_alternative<std::monostate>(next)) co_return;
            if (auto* wrong = std::get_if<http_response>(&next)) {
                if (co_await client.send(std::move(*wrong), false)) co_await client.linger();
                co_return;
            }
            auto& got = std::get<http_connection::incoming>(next);
            const bool keep = got.keep_alive && !stopping;
            const bool head = got.request.method == "HEAD";
            bool more = false;
            if (auto refused = refuse(got.request, guard))
                more = co_await client.send(std::move(*refused), keep, head);
            else if (std::string_view{got.request.target}.starts_with("/health"))
                more = co_await client.send(health(), keep, head);
            else if (got.request.method == "POST")
                more = co_await post(client, std::move(got.request), keep);
            else if (got.request.method == "GET")
                more = co_await follow(client, got.request, keep);
            else
                more = co_await end_session(client, got.request, keep);
            if (!more || !keep) co_return;
        }
    }

    [[nodiscard]] http_response health() const
    {
        http_response out;
        out.fields.add("Content-Type", "application/json");
        const json::object told{{"status", "ok"}, {"name", what.who.name}, {"version", what.who.version}};
        out.body = json::serialize(told);
        return out;
    }

    // --- POST ---------------------------------------------------------------------------------------------------------

    awaitable<bool> post(http_connection& client, http_request request, bool keep)
    {
        const auto value = parse_json(request.body, {.depth = 32});
        if (!value) {
            auto wrong = error_response(400, {}, {rpc_code::parse_error, value.error().message(), nullptr});
            co_return co_await client.send(std::move(wrong), keep);
        }
        if (!value->is_array()) {
            const auto message = read_message(*value);
            if (is_modern(request, message)) co_return co_await modern(client, request, *value, message, keep);
        }
        co_return co_await legacy(client, request, *value, keep);
    }

    awaitable<bool> modern(http_connection& client, const http_request& request, const json::value& value, const rpc_message& message,
                           bool keep)
    {
        if (const auto* garbage = std::get_if<rpc_garbage>(&message)) {
            auto wrong = error_response(400, garbage->id, garbage->why);
            co_return co_await client.send(std::move(wrong), keep);
        }
        if (std::holds_alternative<rpc_response>(message)) {
            auto wrong = error_response(400, {}, invalid("clients send no responses in this version"));
            co_return co_await client.send(std::move(wrong), keep);
        }
        const auto* asked = std::get_if<rpc_request>(&message);
        const auto* told = std::get_if<rpc_notification>(&message);
        const auto& method = asked ? asked->method : told->method;
        const auto& params = asked ? asked->params : told->params;
        if (const auto wrong = check_modern(request, method, params, asked ? input_of(*asked) : nullptr)) {
            auto answer = error_response(wrong->status, id_of(message), wrong->why);
            co_return co_await client.send(std::move(answer), keep);
        }
        if (told) co_return co_await client.send(accepted_without_body(), keep);

        const auto exchange = std::make_shared<http_exchange>(client.wake());
        server one{what, parts, nullptr, limits};
        const auto place = conversations.insert(conversations.end(), &one);
        one.take(value, exchange);
        bool more = false;
        std::exception_ptr thrown;
        try {
            more = co_await client.serve(exchange, {}, status_of, keep);
        } catch (...) {
            thrown = std::current_exception();
        }
        // The stream's end is the cancellation of what still runs.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        conversations.erase(place);
        exchange->abandon();
        one.drop(exchange);
        co_await one.wind_down();
        if (thrown) std::rethrow_exception(thrown);
        co_return more;
    }

    [[nodiscard]] const json::object* input_of(const rpc_request& asked) const
    {
        if (asked.method != "tools/call") return nullptr;
        const auto* name = asked.params.if_contains("name");
        for (const auto& each : what.tools)
            if (name && name->is_string() && each.name == std::string_view{name->get_string()}) return &each.input;
        return nullptr;
    }

    awaitable<bool> legacy(http_connection& client, const http_request& request, const json::value& value, bool keep)
    {
        const auto message = read_message(value);
        const auto id = id_of(message);
        const auto* asked = std::get_if<rpc_request>(&message);
        const auto name = std::string{request.fields.get(session_header)};
        http_fields fields;
        std::shared_ptr<session> of;
        if (asked && asked->method == "initialize" && name.empty()) {
            std::string made;
            of = open_session(made);
            if (!of) {
                auto busy = error_response(503, id, {rpc_code::internal_error, "too many sessions", nullptr});
                co_return co_await client.send(std::move(busy), keep);
            }
            fields.add(std::string{session_header}, made);
        } else {
            auto found = session_of(request);
            if (auto* wrong = std::get_if<http_response>(&found)) {
                if (id)
                    wrong->body = json::serialize(
                        reply_error(id, invalid(wrong->status == 404 ? "there is no such session" : "the session must be named")));
                co_return co_await client.send(std::move(*wrong), keep);
            }
            of = std::get<std::shared_ptr<session>>(found);
        }
        if (value.is_array() && !of->serving->state().has_batches()) {
            auto wrong = error_response(400, {}, invalid("batches are not part of this protocol version"));
            co_return co_await client.send(std::move(wrong), keep);
        }
        if (const auto* garbage = std::get_if<rpc_garbage>(&message); garbage && !value.is_array()) {
            auto wrong = error_response(400, garbage->id, garbage->why);
            co_return co_await client.send(std::move(wrong), keep);
        }
        of->used = parts.clock.now();
        const auto exchange = std::make_shared<http_exchange>(client.wake());
        of->serving->take(value, exchange);
        const bool wants_answer = value.is_array() ? !(exchange->over() && exchange->empty()) : asked != nullptr;
        if (!wants_answer) co_return co_await client.send(accepted_without_body(), keep);
        // A client that goes away does not cancel: what comes then is lost.
        bool more = false;
        std::exception_ptr thrown;
        try {
            more = co_await client.serve(exchange, fields, always_200, keep);
        } catch (...) {
            thrown = std::current_exception();
        }
        exchange->abandon();
        of->used = parts.clock.now();
        if (thrown) std::rethrow_exception(thrown);
        co_return more;
    }

    // --- sessions -----------------------------------------------------------------------------------------------------

    std::shared_ptr<session> open_session(std::string& name)
    {
        const auto now = parts.clock.now();
        for (auto at = sessions.begin(); at != sessions.end();) {
            const bool old = at->second->used + settings.session_idle <= now && at->second->serving->idle() && !at->second->out->stream;
            at = old ? sessions.erase(at) : std::next(at);
        }
        if (sessions.size() >= settings.sessions) {
            auto least = sessions.end();
            for (auto at = sessions.begin(); at != sessions.end(); ++at)
                if (at->second->serving->idle() && !at->second->out->stream &&
                    (least == sessions.end() || at->second->used < least->second->used))
                    least = at;
            if (least == sessions.end()) return nullptr;
            sessions.erase(least);
        }
        std::array<std::byte, 16> bytes;
        random.fill(bytes);
        name = hex(bytes);
        auto made = std::make_shared<session>();
        made->serving = std::make_unique<server>(what, parts, made->out, limits);
        made->used = now;
        sessions.emplace(name, made);
        return made;
    }

    /// The session that the request names, or why not.
    std::variant<std::shared_ptr<session>, http_response> session_of(const http_request& request)
    {
        const auto name = std::string{request.fields.get(session_header)};
        if (name.empty()) return error_response(400, {}, invalid("the header Mcp-Session-Id is missing: send initialize first"));
        const auto found = sessions.find(name);
        if (found == sessions.end()) return error_response(404, {}, invalid("there is no such session"));
        const auto version = trim(request.fields.get(version_header));
        if (!version.empty() && std::find(legacy_versions.begin(), legacy_versions.end(), version) == legacy_versions.end())
            return error_response(400, {}, invalid("the header MCP-Protocol-Version names no version of ours"));
        return found->second;
    }

    awaitable<bool> follow(http_connection& client, const http_request& request, bool keep)
    {
        auto found = session_of(request);
        if (auto* wrong = std::get_if<http_response>(&found)) co_return co_await client.send(std::move(*wrong), keep);
        const auto of = std::get<std::shared_ptr<session>>(found);
        if (of->out->stream) {
            auto wrong = error_response(409, {}, invalid("this session has a stream already"));
            co_return co_await client.send(std::move(wrong), keep);
        }
        const auto exchange = std::make_shared<http_exchange>(client.wake());
        exchange->stream();
        of->out->stream = exchange;
        std::exception_ptr thrown;
        bool more = false;
        try {
            more = co_await client.serve(exchange, {}, always_200, keep);
        } catch (...) {
            thrown = std::current_exception();
        }
        exchange->abandon();
        of->out->stream.reset();
        of->used = parts.clock.now();
        if (thrown) std::rethrow_exception(thrown);
        co_return more;
    }

    awaitable<bool> end_session(http_connection& client, const http_request& request, bool keep)
    {
        auto found = session_of(request);
        if (auto* wrong = std::get_if<http_response>(&found)) co_return co_await client.send(std::move(*wrong), keep);
        const auto of = std::get<std::shared_ptr<session>>(found);
        sessions.erase(std::string{request.fields.get(session_header)});
        if (of->out->stream) of->out->stream->no_answer();
        co_await of->serving->wind_down();
        http_response done;
        done.status = 204;
        co_return co_await client.send(std::move(done), keep);
    }
};

http_server::http_server(const features& what, server_parts parts, network& net, random_source& random, http_settings settings,
                         server_limits limits)
    : state_{std::make_unique<state>(what, parts, net, random, std::move(settings), limits)}
{
}

http_server::~http_server() = default;

result<endpoint> http_server::listen(endpoint at)
{
    if (!at.ip.is_loopback()) return error{errc::invalid_request, at.text() + " is no address of this machine alone"};
    auto made = state_->net.listen(at, {.backlog = 128});
    if (!made) return made.error().in("listen at " + at.text());
    state_->listener = std::move(*made);
    const auto where = state_->listener->local();
    state_->guard.port = where.port;
    state_->arm();
    return where;
}

awaitable<void> http_server::stop()
{
    auto& s = *state_;
    s.stopping = true;
    s.parts.clock.cancel(s.retry);
    s.listener.reset();
    for (auto* each : s.conversations) each->end_now();
    for (auto& [name, of] : s.sessions) {
        of->serving->end_now();
        if (of->out->stream) of->out->stream->no_answer();
    }
    const auto until = s.parts.clock.now() + last_words;
    while (!s.connections.empty() && s.parts.clock.now() < until) {
        for (auto& each : s.connections) each.wake().set();
        co_await s.parts.clock.sleep_for(1ms);
    }
    s.tasks.cancel();
    co_await s.tasks.join();
    auto all = std::exchange(s.sessions, {});
    for (auto& [name, of] : all) co_await of->serving->wind_down();
}

std::size_t http_server::sessions() const
{
    return state_->sessions.size();
}

} // namespace fwd::mcp
