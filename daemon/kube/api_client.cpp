#include "daemon/kube/api_client.hpp"

#include "common/async/offload.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timeout.hpp"
#include "common/json_reader.hpp"
#include "common/log.hpp"
#include "common/net/dialer.hpp"
#include "common/net/http_client.hpp"
#include "common/text.hpp"

#include <boost/asio/error.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

#include <set>

namespace fwd::kube {

namespace {

struct connection {
    std::unique_ptr<byte_stream> stream;
    std::uint64_t trust = 0; ///< of which trust it was made
    time_point used{};
    bool kept = false; ///< carried an exchange before
};

/// "GET pods", "WATCH services": what is asked, without names.
std::string count_name(const api_request& request)
{
    auto parts = split(request.path, '/');
    std::erase(parts, "");
    std::size_t at = 0;
    if (!parts.empty() && parts[0] == "api")
        at = 2;
    else if (!parts.empty() && parts[0] == "apis")
        at = 3;
    if (at + 2 < parts.size() && parts[at] == "namespaces") at += 2;
    const auto watching = std::any_of(request.query.begin(), request.query.end(), [](const auto& q) { return q.first == "watch"; });
    return (watching ? "WATCH" : request.method) + " " + (at < parts.size() ? parts[at] : request.path);
}

bool same_trust(const access& a, const access& b)
{
    const auto& x = a.trust;
    const auto& y = b.trust;
    return a.host == b.host && a.port == b.port && a.tls == b.tls && a.tls_name == b.tls_name && x.ca_pem == y.ca_pem &&
           x.verify == y.verify && x.certificate_pem == y.certificate_pem && x.key_pem == y.key_pem;
}

/// A place among the requests under way, given back at the end.
class turn {
public:
    turn(std::size_t& taken, async_event& freed) : taken_{taken}, freed_{freed} { ++taken_; }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn()
    {
        --taken_;
        freed_.set();
    }

private:
    std::size_t& taken_;
    async_event& freed_;
};

class open_stream final : public api_stream {
public:
    open_stream(std::unique_ptr<byte_stream> over, std::unique_ptr<http_body_reader> body) : over_{std::move(over)}, body_{std::move(body)}
    {
    }
    awaitable<result<std::string>> next() override { return body_->next(); }

private:
    std::unique_ptr<byte_stream> over_;
    std::unique_ptr<http_body_reader> body_;
};

class client final : public api_client {
public:
    client(const surroundings& around, credential_source& credentials, api_limits limits)
        : around_{around}, credentials_{credentials}, limits_{limits}, dialer_{around.net, around.clock}
    {
    }

    awaitable<api_result<http_response>> send(api_request request) override
    {
        const auto what = describe(request);
        while (under_way_ >= limits_.at_once) co_await freed_.wait();
        const turn mine{under_way_, freed_};
        std::uint64_t refused = 0;
        api_failure refusal;
        for (unsigned attempt = 1;; ++attempt) {
            auto given = co_await credentials_.current();
            if (!given) co_return api_failure{given.error().in(what)};
            const auto access = *given;
            // The same credentials again would be refused again.
            if (refused != 0 && access->generation == refused) co_return refusal;
            auto answer = co_await once(request, access, what);
            if (!answer) co_return answer.error();
            if (answer->status / 100 == 2) {
                note_warnings(answer->fields);
                co_return std::move(*answer);
            }
            auto failure = failure_of(answer->status, answer->body, answer->fields.get("Retry-After"), what);
            if (answer->status == 401 && refused == 0) {
                refused = access->generation;
                refusal = std::move(failure);
                credentials_.rejected(refused);
                continue;
            }
            if (!is_busy(failure) || attempt >= limits_.tries || *failure.retry_after > limits_.longest_retry_after || !may_repeat(request))
                co_return failure;
            co_await around_.clock.sleep_for(std::max<duration>(*failure.retry_after, 100ms));
        }
    }

    awaitable<api_result<json::value>> get_json(api_request request) override
    {
        auto made = co_await get_parsed(std::move(request), [](std::string_view body) -> result<std::shared_ptr<void>> {
            auto parsed = parse_json(body);
            if (!parsed) return parsed.error();
            return std::make_shared<json::value>(std::move(*parsed));
        });
        if (!made) co_return made.error();
        co_return std::move(*std::static_pointer_cast<json::value>(*made));
    }

    awaitable<api_result<std::shared_ptr<void>>> get_parsed(api_request request,
                                                            std::function<result<std::shared_ptr<void>>(std::string_view)> read) override
    {
        const auto what = describe(request);
        auto answer = co_await send(std::move(request));
        if (!answer) co_return answer.error();
        auto parsing = parse(std::move(answer->body), std::move(read));
        auto parsed = co_await std::move(parsing);
        if (!parsed) co_return api_failure{parsed.error().in(what)};
        co_return std::move(*parsed);
    }

    awaitable<api_result<std::unique_ptr<api_stream>>> open(api_request request) override
    {
        const auto what = describe(request);
        std::uint64_t refused = 0;
        api_failure refusal;
        for (;;) {
            auto given = co_await credentials_.current();
            if (!given) co_return api_failure{given.error().in(what)};
            const auto access = *given;
            if (refused != 0 && access->generation == refused) co_return refusal;
            auto opened = co_await open_once(request, access, what);
            if (opened || opened.error().status != 401 || refused != 0) co_return opened;
            refused = access->generation;
            refusal = opened.error();
            credentials_.rejected(refused);
        }
    }

    void drop_connections() override { idle_.clear(); }
    const std::map<std::string, std::uint64_t>& requests() const override { return requests_; }
    std::string server() const override { return access_ ? access_->server() : std::string{}; }

private:
    static std::string describe(const api_request& request)
    {
        return request.what.empty() ? request.method + " " + request.path : request.what;
    }

    static bool may_repeat(const api_request& request) { return request.method == "GET" || request.safe; }

    /// 429 at any time, 5xx when the server itself says when to come back.
    static bool is_busy(const api_failure& failure) { return failure.retry_after && (failure.status == 429 || failure.status >= 500); }

    awaitable<result<std::shared_ptr<void>>> parse(std::string body, std::function<result<std::shared_ptr<void>>(std::string_view)> read)
    {
        if (body.size() <= limits_.parse_here) co_return read(body);
        auto work = [body = std::move(body), read = std::move(read)] { return read(body); };
        auto parsed = co_await around_.side.run(std::move(work));
        co_return parsed;
    }

    http_request wire_request(const api_request& request, const access& as) const
    {
        http_request made;
        made.method = request.method;
        made.target = request.target(as.path_prefix);
        const auto host = as.host.find(':') == std::string::npos ? as.host : "[" + as.host + "]";
        made.fields.add("Host", as.port == (as.tls ? 443 : 80) ? host : fmt::format("{}:{}", host, as.port));
        made.fields.add("User-Agent", "fwd/" + around_.version);
        made.fields.add("Accept", request.accept);
        for (const auto& [name, value] : as.authorization) made.fields.add(name, value);
        if (!request.body.empty()) made.fields.add("Content-Type", "application/json");
        made.body = request.body;
        return made;
    }

    /// Takes over what changed in the access: a new TLS context only when what it is made of changed, so that sessions are resumed.
    result<void> adopt(const std::shared_ptr<const access>& given)
    {
        if (access_ && same_trust(*access_, *given) && (tls_ || !given->tls)) {
            access_ = given;
            return {};
        }
        std::shared_ptr<tls_context> made;
        if (given->tls) {
            auto settings = given->trust;
            settings.alpn = {"http/1.1"};
            auto context = make_tls_client_context(settings);
            if (!context) return context.error().in("context " + given->context);
            made = std::move(*context);
        }
        tls_ = std::move(made);
        access_ = given;
        ++trust_;
        idle_.clear();
        return {};
    }

    /// A kept connection, the one used last first, or a new one.
    awaitable<result<connection>> connect(std::shared_ptr<const access> given, bool fresh)
    {
        if (auto fine = adopt(given); !fine) co_return fine.error();
        const auto now = around_.clock.now();
        std::erase_if(idle_, [&](const connection& c) { return now - c.used > limits_.idle; });
        if (!fresh && !idle_.empty()) {
            auto kept = std::move(idle_.back());
            idle_.pop_back();
            co_return kept;
        }
        const auto trust = trust_;
        dial_target target;
        target.host = given->host;
        target.port = given->port;
        target.tls = tls_;
        target.tls_name = given->tls_name;
        target.proxy = given->proxy;
        auto stream = co_await dialer_.dial(std::move(target));
        if (!stream) co_return stream.error();
        connection made;
        made.stream = make_byte_stream(std::move(*stream));
        made.trust = trust;
        co_return made;
    }

    void keep(connection used)
    {
        if (used.trust != trust_ || idle_.size() >= limits_.kept) return;
        used.used = around_.clock.now();
        used.kept = true;
        idle_.push_back(std::move(used));
    }

    /// One exchange. A kept connection that the server had closed meanwhile is replaced by a new one, once.
    awaitable<api_result<http_response>> once(const api_request& request, std::shared_ptr<const access> as, const std::string& what)
    {
        const auto wire = wire_request(request, *as);
        for (bool fresh = false;; fresh = true) {
            auto line = co_await connect(as, fresh);
            if (!line) co_return api_failure{line.error().in(what)};
            ++requests_[count_name(request)];
            const http_limits limits{.body = limits_.body};
            auto work = exchange(*line->stream, wire, limits);
            auto done = co_await with_timeout(around_.clock, limits_.answer, std::move(work));
            if (!done) {
                const bool stale = line->kept && !done.error().is(errc::timed_out) && !done.error().is(errc::too_large);
                if (stale && !fresh && may_repeat(request)) continue;
                co_return api_failure{done.error().in(as->server()).in(what)};
            }
            if (done->reusable) keep(std::move(*line));
            co_return std::move(done->response);
        }
    }

    awaitable<api_result<std::unique_ptr<api_stream>>> open_once(const api_request& request, std::shared_ptr<const access> as,
                                                                 const std::string& what)
    {
        const auto wire = wire_request(request, *as);
        for (bool fresh = false;; fresh = true) {
            auto line = co_await connect(as, fresh);
            if (!line) co_return api_failure{line.error().in(what)};
            ++requests_[count_name(request)];
            auto body = std::make_unique<http_body_reader>(*line->stream);
            auto work = body->open(wire);
            auto header = co_await with_timeout(around_.clock, limits_.answer, std::move(work));
            if (!header) {
                if (line->kept && !fresh && !header.error().is(errc::timed_out)) continue;
                co_return api_failure{header.error().in(as->server()).in(what)};
            }
            if (header->status / 100 == 2) {
                note_warnings(header->fields);
                co_return std::unique_ptr<api_stream>(std::make_unique<open_stream>(std::move(line->stream), std::move(body)));
            }
            auto reading = refusal_text(*body);
            auto text = co_await with_timeout(around_.clock, 5s, std::move(reading));
            co_return failure_of(header->status, text ? *text : std::string{}, header->fields.get("Retry-After"), what);
        }
    }

    static awaitable<result<std::string>> refusal_text(http_body_reader& body)
    {
        std::string text;
        while (text.size() < 64 * 1024) {
            auto piece = co_await body.next();
            if (!piece) co_return piece.error();
            if (piece->empty()) break;
            text += *piece;
        }
        co_return text;
    }

    /// `Warning: 299 - "text"`: each text is logged once.
    void note_warnings(const http_fields& fields)
    {
        for (const auto& [name, value] : fields) {
            if (!iequals(name, "Warning")) continue;
            const auto open = value.find('"');
            const auto close = value.rfind('"');
            if (open == std::string::npos || close <= open || warned_.size() >= 100) continue;
            const auto text = printable(value.substr(open + 1, close - open - 1));
            if (warned_.insert(text).second) around_.log.warn("warning of the API server", {{"server", server()}, {"text", text}});
        }
    }

    const surroundings& around_;
    credential_source& credentials_;
    api_limits limits_;
    dialer dialer_;
    std::shared_ptr<const access> access_;
    std::shared_ptr<tls_context> tls_;
    std::uint64_t trust_ = 0;
    std::vector<connection> idle_;
    std::size_t under_way_ = 0;
    async_event freed_;
    std::map<std::string, std::uint64_t> requests_;
    std::set<std::string> warned_;
};

} // namespace

std::string api_request::target(std::string_view prefix) const
{
    std::string made{prefix};
    made += path;
    char mark = '?';
    for (const auto& [name, value] : query) {
        made += mark;
        made += percent_encode(name) + "=" + percent_encode(value);
        mark = '&';
    }
    return made;
}

std::unique_ptr<api_client> make_api_client(const surroundings& around, credential_source& credentials, api_limits limits)
{
    return std::make_unique<client>(around, credentials, limits);
}

} // namespace fwd::kube
