#include "bridge/mcp/http_connection.hpp"

#include "common/async/timeout.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <array>

namespace fwd::mcp {

namespace {

constexpr std::size_t most_held = 64 * 1024;
constexpr auto most_linger = 1s;

http_response plain(unsigned status, std::string why)
{
    return error_response(status, {}, {rpc_code::invalid_request, std::move(why), nullptr});
}

} // namespace

awaitable<void> http_connection::read()
{
    std::array<std::byte, 16 * 1024> chunk;
    for (;;) {
        while (held_.size() >= most_held) co_await room_.wait();
        const auto got = co_await stream_->read_some(chunk);
        if (!got || *got == 0) break;
        held_.append(as_text(std::span{chunk}.first(*got)));
        wake_.set();
    }
    ended_ = true;
    wake_.set();
}

awaitable<result<bool>> http_connection::woken()
{
    co_await wake_.wait();
    co_return true;
}

awaitable<bool> http_connection::wait_until(time_point when)
{
    const auto left = when - clock_.now();
    if (left <= duration{}) co_return false;
    const auto happened = co_await with_timeout(clock_, left, woken());
    co_return happened.has_value();
}

awaitable<std::variant<std::monostate, http_connection::incoming, http_response>> http_connection::next()
{
    http_parser parser{http_parser::role::request, http_limits{32 * 1024, settings_.body}};
    incoming made;
    auto until = clock_.now() + settings_.idle;
    bool begun = false, continued = false;
    for (;;) {
        if (!held_.empty()) {
            if (!std::exchange(begun, true)) until = clock_.now() + settings_.header;
            const auto used = parser.feed(as_bytes(held_));
            if (!used) {
                const bool header = used.error().context == "header";
                if (used.error().is(errc::too_large))
                    co_return plain(header ? 431 : 413, header ? "the header is too large" : "the body is too large");
                co_return plain(400, used.error().message());
            }
            held_.erase(0, *used);
            room_.set();
            made.request.body += parser.take_body();
            if (parser.done()) break;
            if (*used > 0 && !held_.empty()) continue;
        }
        if (parser.header_done() && !continued && parser.request().fields.lists("Expect", "100-continue")) {
            continued = true;
            if (!co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return std::monostate{};
        }
        if (ended_) co_return std::monostate{};
        if (!co_await wait_until(until)) {
            if (begun) co_return plain(408, "the request did not arrive in time");
            co_return std::monostate{};
        }
    }
    made.keep_alive = parser.keep_alive();
    auto body = std::move(made.request.body);
    made.request = parser.request();
    made.request.body = std::move(body);
    co_return made;
}

awaitable<bool> http_connection::write(std::string text)
{
    const auto sent = co_await with_timeout(clock_, settings_.write, stream_->write_all(as_bytes(text)));
    co_return sent.has_value();
}

awaitable<bool> http_connection::write_chunk(std::string text)
{
    auto chunk = fmt::format("{:x}\r\n{}\r\n", text.size(), text);
    co_return co_await write(std::move(chunk));
}

awaitable<bool> http_connection::send(http_response response, bool keep_alive, bool head)
{
    if (!keep_alive) response.fields.set("Connection", "close");
    if (head) response.fields.set("Content-Length", std::to_string(response.body.size()));
    auto text = head ? wire_header(response) : wire_text(response);
    co_return co_await write(std::move(text));
}

awaitable<void> http_connection::linger()
{
    const auto until = clock_.now() + most_linger;
    while (!ended_) {
        held_.clear();
        room_.set();
        if (!co_await wait_until(until)) break;
    }
}

awaitable<bool> http_connection::serve(std::shared_ptr<http_exchange> exchange, http_fields fields, unsigned (*status)(const json::object&),
                                       bool keep_alive)
{
    bool header_sent = false;
    auto quiet_until = clock_.now() + settings_.comment;
    for (;;) {
        if (ended_ || exchange->flooded()) co_return false;
        if (auto one = exchange->only_answer()) {
            http_response response;
            if (one->is_object()) response.status = status(one->get_object());
            response.fields = fields;
            response.fields.set("Content-Type", "application/json");
            response.body = json::serialize(*one);
            co_return co_await send(std::move(response), keep_alive);
        }
        if (!header_sent && (exchange->streams() || exchange->over())) {
            header_sent = true;
            http_response response;
            response.fields = fields;
            response.fields.set("Content-Type", "text/event-stream");
            response.fields.set("Cache-Control", "no-cache");
            response.fields.set("X-Accel-Buffering", "no");
            response.fields.set("Transfer-Encoding", "chunked");
            if (!keep_alive) response.fields.set("Connection", "close");
            auto text = wire_header(response);
            if (!co_await write(std::move(text))) co_return false;
            continue;
        }
        if (auto event = exchange->next()) {
            if (!co_await write_chunk(std::move(*event))) co_return false;
            quiet_until = clock_.now() + settings_.comment;
            continue;
        }
        if (exchange->over()) co_return co_await write("0\r\n\r\n");
        const bool happened = co_await wait_until(quiet_until);
        if (happened || clock_.now() < quiet_until) continue;
        // A long silence: the stream begins, so that nobody between takes us for dead.
        exchange->stream();
        quiet_until = clock_.now() + settings_.comment;
        if (header_sent && !co_await write_chunk(":\n\n")) co_return false;
    }
}

} // namespace fwd::mcp
