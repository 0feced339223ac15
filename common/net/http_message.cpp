#include "common/net/http_message.hpp"

#include "common/text.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <limits>
#include <variant>

namespace fwd {

namespace beast_http = boost::beast::http;

namespace {

/// A field value or name must not be able to start another line.
void append_clean(std::string& to, std::string_view text)
{
    for (const char c : text) to += (c == '\r' || c == '\n' || c == '\0') ? ' ' : c;
}

/// A target must not be able to end early: blanks and control characters are escaped, all else is the caller's.
void append_target(std::string& to, std::string_view target)
{
    for (const char c : target) {
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
            to += percent_encode({&c, 1});
        } else {
            to += c;
        }
    }
}

void append_fields(std::string& to, const http_fields& fields)
{
    for (const auto& [name, value] : fields) {
        append_clean(to, name);
        to += ": ";
        append_clean(to, value);
        to += "\r\n";
    }
}

[[nodiscard]] bool says_length(const http_fields& fields)
{
    return fields.has("Content-Length") || fields.has("Transfer-Encoding");
}

void append_length(std::string& to, std::size_t length)
{
    to += "Content-Length: " + std::to_string(length) + "\r\n";
}

[[nodiscard]] std::string status_line(const http_response& response)
{
    std::string line = "HTTP/1.1 " + std::to_string(response.status) + " ";
    append_clean(line, response.reason.empty() ? status_text(response.status) : std::string_view{response.reason});
    return line + "\r\n";
}

[[nodiscard]] bool never_has_body(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

[[nodiscard]] std::optional<std::string> decode_query(std::string_view text)
{
    std::string plain{text};
    std::replace(plain.begin(), plain.end(), '+', ' ');
    return percent_decode(plain);
}

} // namespace

void http_fields::set(std::string_view name, std::string value)
{
    const auto same = [name](const auto& field) { return iequals(field.first, name); };
    const auto first = std::find_if(fields_.begin(), fields_.end(), same);
    if (first == fields_.end()) {
        fields_.emplace_back(std::string{name}, std::move(value));
        return;
    }
    first->second = std::move(value);
    fields_.erase(std::remove_if(first + 1, fields_.end(), same), fields_.end());
}

std::string_view http_fields::get(std::string_view name) const
{
    for (const auto& [field, value] : fields_) {
        if (iequals(field, name)) return value;
    }
    return {};
}

bool http_fields::has(std::string_view name) const
{
    return std::any_of(fields_.begin(), fields_.end(), [name](const auto& field) { return iequals(field.first, name); });
}

bool http_fields::lists(std::string_view name, std::string_view token) const
{
    for (const auto& [field, value] : fields_) {
        if (!iequals(field, name)) continue;
        for (const auto& part : split(value, ',')) {
            if (iequals(trim(part), token)) return true;
        }
    }
    return false;
}

std::string wire_text(const http_request& request)
{
    std::string text;
    text.reserve(256 + request.body.size());
    append_clean(text, request.method);
    text += ' ';
    append_target(text, request.target);
    text += " HTTP/1.1\r\n";
    append_fields(text, request.fields);
    const bool expects_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if ((expects_body || !request.body.empty()) && !says_length(request.fields)) append_length(text, request.body.size());
    text += "\r\n";
    text += request.body;
    return text;
}

std::string wire_text(const http_response& response)
{
    auto text = status_line(response);
    append_fields(text, response.fields);
    if (!never_has_body(response.status) && !says_length(response.fields)) append_length(text, response.body.size());
    text += "\r\n";
    text += response.body;
    return text;
}

std::string wire_header(const http_response& response)
{
    auto text = status_line(response);
    append_fields(text, response.fields);
    return text + "\r\n";
}

std::string_view status_text(unsigned status)
{
    const auto known = beast_http::obsolete_reason(beast_http::int_to_status(status));
    return {known.data(), known.size()};
}

namespace {

/// What both kinds of message keep while Beast reports what it finds.
struct parsed {
    http_request request;
    http_response response;
    std::string body;
    bool header_done = false;
};

template <bool is_request>
class collector final : public beast_http::basic_parser<is_request> {
public:
    explicit collector(parsed& into) : into_{into} {}

private:
    using text_view = boost::beast::string_view;
    using body_length = boost::optional<std::uint64_t>;
    using code = boost::beast::error_code;

    void on_request_impl(beast_http::verb, text_view method, text_view target, int, code& failure) override
    {
        failure = {};
        into_.request.method.assign(method.data(), method.size());
        into_.request.target.assign(target.data(), target.size());
    }
    void on_response_impl(int status, text_view reason, int, code& failure) override
    {
        failure = {};
        into_.response.status = static_cast<unsigned>(status);
        into_.response.reason.assign(reason.data(), reason.size());
    }
    void on_field_impl(beast_http::field, text_view name, text_view value, code& failure) override
    {
        failure = {};
        if (into_.header_done) return; // a trailer must not change what was decided on the header
        auto& fields = is_request ? into_.request.fields : into_.response.fields;
        fields.add(std::string{name}, std::string{value});
    }
    void on_header_impl(code& failure) override
    {
        failure = {};
        into_.header_done = true;
    }
    void on_body_init_impl(const body_length&, code& failure) override { failure = {}; }
    std::size_t on_body_impl(text_view bytes, code& failure) override { return keep(bytes, failure); }
    void on_chunk_header_impl(std::uint64_t, text_view, code& failure) override { failure = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, text_view bytes, code& failure) override { return keep(bytes, failure); }
    void on_finish_impl(code& failure) override { failure = {}; }

    std::size_t keep(text_view bytes, code& failure)
    {
        failure = {};
        into_.body.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    parsed& into_;
};

template <class Parser>
void set_limits(Parser& parser, const http_limits& limits)
{
    parser.eager(false);
    parser.header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(limits.header, std::numeric_limits<std::uint32_t>::max())));
    if (limits.body == std::numeric_limits<std::uint64_t>::max()) {
        parser.body_limit(boost::none);
    } else {
        parser.body_limit(limits.body);
    }
}

[[nodiscard]] error as_error(const error_code& failure)
{
    if (failure == beast_http::error::header_limit) return {errc::too_large, "header"};
    if (failure == beast_http::error::body_limit) return {errc::too_large, "body"};
    return {errc::protocol_error, "HTTP: " + failure.message()};
}

} // namespace

struct http_parser::state {
    parsed found;
    std::variant<collector<true>, collector<false>> parser;
    std::string held; ///< an incomplete line, which Beast wants again together with its rest
    bool started = false;

    template <class F>
    decltype(auto) visit(F&& work)
    {
        return std::visit(std::forward<F>(work), parser);
    }

    state(role side, const http_limits& limits, bool head) : parser{pick(side, found)}
    {
        visit([&](auto& it) { set_limits(it, limits); });
        if (head) visit([](auto& it) { it.skip(true); });
    }

    static std::variant<collector<true>, collector<false>> pick(role side, parsed& into)
    {
        if (side == role::request) return std::variant<collector<true>, collector<false>>{std::in_place_index<0>, into};
        return std::variant<collector<true>, collector<false>>{std::in_place_index<1>, into};
    }

    [[nodiscard]] bool done()
    {
        return visit([](auto& it) { return it.is_done(); });
    }

    /// Parses as far as it goes: to the header's end, the message's end, or where more bytes are needed.
    result<std::size_t> parse(std::string_view bytes)
    {
        const bool had_header = found.header_done;
        std::size_t used = 0;
        while (!done() && used < bytes.size() && found.header_done == had_header) {
            error_code failure;
            used += visit([&](auto& it) { return it.put(asio_buffer(bytes.substr(used)), failure); });
            if (failure == beast_http::error::need_more) break;
            if (failure) return as_error(failure);
        }
        return used;
    }

    static boost::asio::const_buffer asio_buffer(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
};

http_parser::http_parser(role side, http_limits limits, bool head) : state_{std::make_unique<state>(side, limits, head)} {}
http_parser::~http_parser() = default;
http_parser::http_parser(http_parser&&) noexcept = default;
http_parser& http_parser::operator=(http_parser&&) noexcept = default;

result<std::size_t> http_parser::feed(std::span<const std::byte> bytes)
{
    auto& s = *state_;
    if (bytes.empty() || s.done()) return std::size_t{0};
    s.started = true;
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    const bool had_header = s.found.header_done;
    const auto stopped = [&] { return s.done() || s.found.header_done != had_header; };

    if (s.held.empty()) {
        auto used = s.parse(text);
        if (!used || stopped()) return used;
        s.held = text.substr(*used);
        return text.size();
    }
    const auto before = s.held.size();
    s.held += text;
    auto used = s.parse(s.held);
    if (!used) return used;
    if (stopped()) {
        s.held.clear();
        return *used - std::min(before, *used);
    }
    s.held.erase(0, *used);
    return text.size();
}

result<void> http_parser::feed_end()
{
    auto& s = *state_;
    if (s.done()) return {};
    if (!s.started) return error{errc::closed, "the peer closed the connection"};
    error_code failure;
    if (s.found.header_done) s.visit([&](auto& it) { it.put_eof(failure); });
    if (!s.found.header_done || failure) return error{errc::closed, "the peer closed the connection in the middle of a message"};
    return {};
}

bool http_parser::header_done() const
{
    return state_->found.header_done;
}
bool http_parser::done() const
{
    return state_->done();
}
bool http_parser::keep_alive() const
{
    return state_->found.header_done && state_->visit([](auto& it) { return it.keep_alive(); });
}
bool http_parser::upgraded() const
{
    return state_->found.header_done && state_->found.response.status == 101;
}
bool http_parser::started() const
{
    return state_->started;
}
const http_request& http_parser::request() const
{
    return state_->found.request;
}
const http_response& http_parser::response() const
{
    return state_->found.response;
}
std::string http_parser::take_body()
{
    return std::exchange(state_->found.body, {});
}

std::optional<std::string> http_target::parameter(std::string_view name) const
{
    for (const auto& [key, value] : query) {
        if (key == name) return value;
    }
    return std::nullopt;
}

result<http_target> parse_target(std::string_view target)
{
    if (const auto scheme = target.find("://"); scheme != std::string_view::npos && target.front() != '/') {
        const auto path = target.find_first_of("/?", scheme + 3); // absolute-form, RFC 9112 3.2.2
        target = path == std::string_view::npos ? std::string_view{"/"} : target.substr(path);
    }
    http_target parts;
    const auto question = target.find('?');
    const auto path = target.substr(0, question);
    parts.path = path;

    auto pieces = split(path, '/');
    if (!pieces.empty() && pieces.front().empty()) pieces.erase(pieces.begin());
    if (!pieces.empty() && pieces.back().empty()) pieces.pop_back();
    for (const auto& piece : pieces) {
        auto plain = percent_decode(piece);
        if (!plain) return error{errc::invalid_request, "bad percent escape in path"};
        parts.segments.push_back(std::move(*plain));
    }
    if (question == std::string_view::npos) return parts;
    for (const auto& pair : split(target.substr(question + 1), '&')) {
        if (pair.empty()) continue;
        const std::string_view text{pair};
        const auto equals = text.find('=');
        auto name = decode_query(text.substr(0, equals));
        auto value = decode_query(equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1));
        if (!name || !value) return error{errc::invalid_request, "bad percent escape in query"};
        parts.query.emplace_back(std::move(*name), std::move(*value));
    }
    return parts;
}

} // namespace fwd
