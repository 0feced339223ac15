#include "daemon/api/connection.hpp"

#include "common/async/timeout.hpp"
#include "common/text.hpp"
#include "daemon/api/sse.hpp"

#include <fmt/core.h>

namespace fwd::api {

connection::connection(std::unique_ptr<data_stream> stream, caller from, connection_terms terms)
    : raw_{*stream}, stream_{make_byte_stream(std::move(stream))}, from_{from}, terms_{terms}, clock_{terms.with.parts.clock},
      limits_{terms.with.settings.limits}
{
}

awaitable<void> connection::serve()
{
    if (auto refused = check_peer(from_, terms_.with.settings.user)) {
        co_await respond(*refused, false, false);
        co_return;
    }
    while (!terms_.stopping) {
        busy_ = false;
        auto got = co_await read_request();
        if (!got) {
            co_await refuse(got.error());
            co_return;
        }
        if (!*got) co_return;
        auto& ask = **got;
        const bool head = ask.message.method == "HEAD";
        auto made = co_await answer(std::move(ask.message));
        if (made.stream && !head) {
            if (!co_await respond(made, true, false)) co_return;
            const sse_terms timed{clock_, limits_.sse_comment, limits_.write, terms_.stopping, wake_, terms_.with.writing};
            co_await stream_events(std::move(stream_), std::move(made.stream), timed);
            co_return;
        }
        const bool keep = ask.keep_alive && !terms_.stopping;
        if (!co_await respond(made, head, keep)) co_return;
        if (!keep) break;
    }
    co_await linger();
}

awaitable<result<std::size_t>> connection::read_more(duration limit)
{
    const auto before = held_.size();
    held_.resize(before + 16 * 1024);
    const auto room = std::as_writable_bytes(std::span{held_}).subspan(before);
    auto got = co_await with_timeout(clock_, limit, stream_->read_some(room));
    held_.resize(before + (got ? *got : 0));
    co_return got;
}

awaitable<result<std::optional<connection::incoming>>> connection::read_request()
{
    http_parser parser{http_parser::role::request, http_limits{limits_.header, limits_.body}};
    const auto asked = clock_.now();
    std::optional<time_point> begun;
    incoming made;
    bool continued = false;
    for (;;) {
        if (!held_.empty()) {
            if (!begun) begun = clock_.now();
            busy_ = true;
            const auto used = parser.feed(std::as_bytes(std::span{held_}));
            if (!used) co_return used.error();
            held_.erase(0, *used);
            made.message.body += parser.take_body();
            if (parser.done()) break;
            if (*used > 0 && !held_.empty()) continue;
        }
        if (parser.header_done() && !continued && iequals(parser.request().fields.get("Expect"), "100-continue")) {
            continued = true;
            if (!co_await send("HTTP/1.1 100 Continue\r\n\r\n")) co_return std::optional<incoming>{};
        }
        // A client that never began gets the time between requests, or on a new connection that for a header.
        const auto idle = first_ ? limits_.send_header : limits_.idle;
        const auto until = !begun ? asked + idle : *begun + (parser.header_done() ? limits_.send_body : limits_.send_header);
        auto got = co_await read_more(std::max<duration>(until - clock_.now(), 1ms));
        if (!got && got.error().is(errc::timed_out) && begun) co_return got.error();
        if (!got || *got == 0) co_return std::optional<incoming>{};
    }
    first_ = false;
    made.keep_alive = parser.keep_alive();
    auto body = std::move(made.message.body);
    made.message = parser.request();
    made.message.body = std::move(body);
    co_return std::optional<incoming>{std::move(made)};
}

awaitable<reply> connection::answer(http_request message)
{
    if (auto refused = check_origin(from_, message.fields, terms_.with.settings.host_names)) co_return std::move(*refused);
    auto target = parse_target(message.target);
    if (!target) co_return failed(target.error());
    auto found = match(message.method, target->segments);
    if (!found.found && found.allow.empty())
        co_return failed(404, "not_found", std::string{wire::nothing_at} + printable(target->path.substr(0, 200)));
    if (!found.found) {
        auto made =
            failed(405, "method_not_allowed", fmt::format("{} is not possible here; {} is", printable(message.method), found.allow));
        made.fields.set("Allow", found.allow);
        co_return made;
    }
    if (found.found->right != access::open) {
        if (auto refused = check_token(from_, message.fields, terms_.with.token)) co_return std::move(*refused);
    }
    api_request ask{std::move(message), std::move(*target), std::move(found.variables), from_};
    if (found.found->right == access::write) {
        const auto client = ask.client();
        terms_.with.parts.log.info(
            "asked",
            {{"method", ask.message.method}, {"path", ask.target.path}, {"client", client.empty() ? std::string{"unnamed"} : client}});
    }
    auto made = co_await found.found->answer(terms_.with, ask);
    if (found.found->right == access::write) note_request(ask, made);
    co_return made;
}

void connection::note_request(const api_request& ask, const reply& made)
{
    past what;
    what.when = clock_.wall_now();
    what.type = ask.message.method;
    what.message = printable(ask.target.path.substr(0, 500));
    what.client = ask.client();
    what.status = std::to_string(made.status);
    if (made.problem) what.code = made.problem->code;
    what.service_key = made.key;
    terms_.with.parts.past.asked(std::move(what));
}

awaitable<bool> connection::send(std::string text)
{
    const auto sent = co_await with_timeout(clock_, limits_.write, stream_->write_all(as_bytes(text)));
    co_return sent.has_value();
}

awaitable<bool> connection::respond(reply& made, bool head, bool keep_alive)
{
    auto response = render(made, clock_.wall_now());
    if (!keep_alive) response.fields.set("Connection", "close");
    if (head && !made.stream) response.fields.set("Content-Length", std::to_string(response.body.size()));
    auto text = head ? wire_header(response) : wire_text(response); // named: g++ 12 would destroy it twice
    const bool sent = co_await send(std::move(text));
    if (made.then) made.then();
    co_return sent;
}

awaitable<void> connection::refuse(const error& why)
{
    reply made;
    if (why.is(errc::too_large)) {
        const bool header = why.context == "header";
        made = failed(header ? 431 : 413, "too_large",
                      header ? fmt::format("the header is over {} KiB", limits_.header / 1024)
                             : fmt::format("the body is over {} KiB", limits_.body / 1024));
    } else if (why.is(errc::timed_out)) {
        made = failed(408, "timed_out", "the request did not arrive in time");
    } else {
        made = failed(400, "invalid_request", why.message());
    }
    if (co_await respond(made, false, false)) co_await linger();
}

awaitable<void> connection::linger()
{
    raw_.shutdown_write();
    const auto until = clock_.now() + 1s;
    for (std::size_t taken = 0; taken < 4 * limits_.body && clock_.now() < until;) {
        held_.clear();
        const auto got = co_await read_more(std::max<duration>(until - clock_.now(), 1ms));
        if (!got || *got == 0) co_return;
        taken += *got;
    }
}

} // namespace fwd::api
