#include "common/net/http_client.hpp"

#include <array>
#include <limits>

namespace fwd {

namespace {

constexpr std::size_t read_size = 16 * 1024;
constexpr std::uint64_t refusal_body = 64 * 1024;

[[nodiscard]] bool is_interim(const http_parser& parser)
{
    const auto status = parser.response().status;
    return status >= 100 && status < 200 && status != 101;
}

/// Feeds `bytes` until the header of the final answer, or the message, is complete. Returns what was consumed.
/// `parser` starts over after an interim (1xx) answer.
result<std::size_t> feed_final(http_parser& parser, std::string_view bytes, const http_limits& limits, bool head)
{
    std::size_t used = 0;
    while (used < bytes.size() && !parser.done()) {
        auto took = parser.feed(as_bytes(bytes.substr(used)));
        if (!took) return took.error();
        used += *took;
        if (parser.header_done() && is_interim(parser)) {
            parser = http_parser{http_parser::role::response, limits, head};
        } else if (parser.header_done()) {
            break;
        }
    }
    return used;
}

/// The rest of a body, of which `bytes` are already here. Returns what was consumed of them.
result<std::size_t> feed_body(http_parser& parser, std::string_view bytes)
{
    std::size_t used = 0;
    while (used < bytes.size() && !parser.done()) {
        auto took = parser.feed(as_bytes(bytes.substr(used)));
        if (!took) return took.error();
        used += *took;
    }
    return used;
}

/// Sends, then reads up to the final answer's header. What came behind it is left in `pending` from `used` on.
awaitable<result<void>> send_and_open(byte_stream& over, const http_request& request, http_parser& parser, http_limits limits,
                                      std::string& pending, std::size_t& used)
{
    const auto text = wire_text(request);
    auto sent = co_await over.write_all(as_bytes(text));
    const bool head = request.method == "HEAD";
    // A server may answer (413, 401) and close before it has read everything; its answer is worth more than our write error.
    std::array<std::byte, read_size> chunk;
    while (!parser.header_done()) {
        auto got = co_await over.read_some(chunk);
        if (!got) co_return sent ? got.error() : sent.error();
        if (*got == 0) {
            if (!sent) co_return sent.error();
            co_return parser.feed_end();
        }
        pending.assign(as_text(std::span{chunk}.first(*got)));
        auto took = feed_final(parser, pending, limits, head);
        if (!took) co_return took.error();
        used = *took;
    }
    co_return result<void>{};
}

} // namespace

awaitable<result<http_exchange>> exchange(byte_stream& over, const http_request& request, http_limits limits)
{
    http_parser parser{http_parser::role::response, limits, request.method == "HEAD"};
    std::string pending;
    std::size_t used = 0;
    auto opened = co_await send_and_open(over, request, parser, limits, pending, used);
    if (!opened) co_return opened.error();

    auto took = feed_body(parser, std::string_view{pending}.substr(used));
    if (!took) co_return took.error();
    used += *took;
    std::array<std::byte, read_size> chunk;
    while (!parser.done()) {
        auto got = co_await over.read_some(chunk);
        if (!got) co_return got.error();
        if (*got == 0) {
            auto ended = parser.feed_end();
            if (!ended) co_return ended.error();
            break;
        }
        pending.assign(as_text(std::span{chunk}.first(*got)));
        took = feed_body(parser, pending);
        if (!took) co_return took.error();
        used = *took;
    }
    http_exchange done;
    done.response = parser.response();
    done.response.body = parser.take_body();
    // Bytes that nobody asked for make the next answer doubtful.
    done.reusable = parser.keep_alive() && !parser.upgraded() && used == pending.size();
    co_return done;
}

http_body_reader::http_body_reader(byte_stream& over, http_limits limits)
    : over_{over}, limits_{limits.header, std::numeric_limits<std::uint64_t>::max()}, parser_{http_parser::role::response, limits_}
{
}

http_body_reader::~http_body_reader() = default;

awaitable<result<http_response>> http_body_reader::open(const http_request& request)
{
    parser_ = http_parser{http_parser::role::response, limits_, request.method == "HEAD"};
    pending_.clear();
    used_ = 0;
    auto opened = co_await send_and_open(over_, request, parser_, limits_, pending_, used_);
    if (!opened) co_return opened.error();
    co_return parser_.response();
}

awaitable<result<std::string>> http_body_reader::next()
{
    std::array<std::byte, read_size> chunk;
    for (;;) {
        if (used_ < pending_.size() && !parser_.done()) {
            auto took = feed_body(parser_, std::string_view{pending_}.substr(used_));
            if (!took) co_return took.error();
            used_ += *took;
        }
        auto piece = parser_.take_body();
        if (!piece.empty() || parser_.done()) co_return piece;
        auto got = co_await over_.read_some(chunk);
        if (!got) co_return got.error();
        if (*got == 0) {
            auto ended = parser_.feed_end();
            if (!ended) co_return ended.error();
            co_return parser_.take_body();
        }
        pending_.assign(as_text(std::span{chunk}.first(*got)));
        used_ = 0;
    }
}

bool http_body_reader::reusable() const
{
    return parser_.done() && parser_.keep_alive() && used_ == pending_.size();
}

awaitable<result<http_upgrade>> upgrade(byte_stream& over, const http_request& request)
{
    http_limits limits;
    limits.body = std::numeric_limits<std::uint64_t>::max();
    http_parser parser{http_parser::role::response, limits};
    std::string pending;
    std::size_t used = 0;
    auto opened = co_await send_and_open(over, request, parser, limits, pending, used);
    if (!opened) co_return opened.error();

    http_upgrade answer;
    answer.response = parser.response();
    const bool connected = request.method == "CONNECT" && answer.response.status / 100 == 2;
    if (parser.upgraded() || connected) {
        answer.rest = pending.substr(used);
        co_return answer;
    }
    // A refusal: its text explains, its end does not matter.
    auto took = feed_body(parser, std::string_view{pending}.substr(used));
    answer.response.body = parser.take_body();
    std::array<std::byte, read_size> chunk;
    while (took && !parser.done() && answer.response.body.size() < refusal_body) {
        auto got = co_await over.read_some(chunk);
        if (!got || *got == 0) break;
        took = feed_body(parser, as_text(std::span{chunk}.first(*got)));
        answer.response.body += parser.take_body();
    }
    if (answer.response.body.size() > refusal_body) answer.response.body.resize(refusal_body);
    co_return answer;
}

} // namespace fwd
