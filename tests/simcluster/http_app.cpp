// The HTTP server of most pods. Its paths are those of the real cluster's workload: /, /echo, /big, /slow, /status, /healthz,
// /api/orders, /api/status; /sum answers with the size and SHA-256 of what was sent.
#include "common/net/byte_stream.hpp"
#include "common/net/http_message.hpp"
#include "common/text.hpp"
#include "tests/simcluster/pod_app.hpp"

#include <fmt/core.h>
#include <openssl/evp.h>

namespace fwd::simcluster {

namespace {

constexpr std::size_t pattern_size = 64 * 1024;
constexpr std::size_t kept_body = 256;
constexpr std::size_t most_bodies = 10000;

/// Letters in a row, so that lost bytes show.
std::span<const std::byte> pattern()
{
    static const auto bytes = [] {
        std::array<std::byte, pattern_size> made;
        for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<std::byte>('a' + i % 26);
        return made;
    }();
    return bytes;
}

class sha256 {
public:
    sha256() : context_{EVP_MD_CTX_new()} { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
    ~sha256() { EVP_MD_CTX_free(context_); }
    sha256(const sha256&) = delete;
    sha256& operator=(const sha256&) = delete;
    void add(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
    std::string text()
    {
        std::array<std::byte, 32> digest;
        EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), nullptr);
        return hex(digest);
    }

private:
    EVP_MD_CTX* context_;
};

class http_app final : public pod_app {
public:
    http_app(pod_runtime& runtime, pod_place place) : pod_app{runtime, std::move(place)} {}

    std::size_t on_bytes(std::span<const std::byte> bytes) override
    {
        std::size_t used = 0;
        while (!answering_ && !congested() && used < bytes.size() && now() == state::open) {
            auto step = parser_.feed(bytes.subspan(used));
            if (!step) {
                respond(400, "text/plain", step.error().message() + "\n", true);
                finish();
                return bytes.size();
            }
            used += *step;
            advance();
            if (*step == 0 && !parser_.done()) break;
        }
        return used;
    }

    void on_room() override
    {
        while (chunked_left_ > 0 && !congested()) {
            const auto part = std::min<std::uint64_t>(chunked_left_, pattern_size);
            say(fmt::format("{:x}\r\n", part));
            say(as_text(pattern().first(part)));
            say("\r\n");
            chunked_left_ -= part;
            if (chunked_left_ == 0) {
                say("0\r\n\r\n");
                end_answer();
            }
        }
    }
    void on_end() override { finish(); }

    std::span<const std::byte> more() override
    {
        if (plain_left_ == 0) return {};
        const auto at = plain_sent_ % pattern_size;
        return pattern().subspan(at, std::min<std::uint64_t>(pattern_size - at, plain_left_));
    }
    void more_taken(std::size_t bytes) override
    {
        plain_sent_ += bytes;
        plain_left_ -= bytes;
        if (plain_left_ == 0) end_answer();
    }

private:
    void advance()
    {
        if (!parser_.header_done()) return;
        if (!begun_) begin();
        const auto piece = parser_.take_body();
        if (!piece.empty()) {
            body_size_ += piece.size();
            if (body_.size() < kept_body) body_ += piece.substr(0, kept_body - body_.size());
            if (echoing_) echo(piece);
            if (digest_) digest_->add(piece);
        }
        if (parser_.done()) complete();
    }

    void begin()
    {
        begun_ = true;
        const auto& request = parser_.request();
        auto target = parse_target(request.target);
        target_ = target ? *target : http_target{};
        if (request.fields.has("Expect") && lower(request.fields.get("Expect")) == "100-continue") say("HTTP/1.1 100 Continue\r\n\r\n");
        const bool has_body =
            request.fields.has("Transfer-Encoding") || to_number<std::uint64_t>(request.fields.get("Content-Length")).value_or(0) > 0;
        echoing_ = target_.path == "/echo" && has_body;
        if (target_.path == "/sum") digest_.emplace();
        if (!echoing_) return;
        echo_chunked_ = request.fields.has("Transfer-Encoding");
        auto header = fmt::format("HTTP/1.1 200 OK\r\nX-Pod: {}\r\n", place().pod.name);
        if (const auto type = request.fields.get("Content-Type"); !type.empty()) header += fmt::format("Content-Type: {}\r\n", type);
        header += echo_chunked_ ? "Transfer-Encoding: chunked\r\n\r\n"
                                : fmt::format("Content-Length: {}\r\n\r\n", request.fields.get("Content-Length"));
        say(header);
    }

    void echo(const std::string& piece)
    {
        if (echo_chunked_) say(fmt::format("{:x}\r\n", piece.size()));
        say(piece);
        if (echo_chunked_) say("\r\n");
    }

    void complete()
    {
        const auto& request = parser_.request();
        keep_ = parser_.keep_alive();
        head_ = request.method == "HEAD";
        auto& counted = count();
        ++counted.requests;
        if (request.method == "POST") {
            ++counted.posts;
            if (counted.bodies.size() < most_bodies) counted.bodies.push_back(body_);
        }
        if (target_.path != "/healthz") runtime().log(place().pod, fmt::format("http 127.0.0.1 {} {}", request.method, request.target));
        if (echoing_) {
            if (echo_chunked_) say("0\r\n\r\n");
            return end_answer();
        }
        route(request);
    }

    void route(const http_request& request)
    {
        const auto& path = target_.path;
        const auto& pod = place().pod;
        if (path == "/big") return big();
        if (path == "/slow") return slow();
        if (path == "/echo") {
            auto text = fmt::format("{} {} HTTP/1.1\nHost: {}\n", request.method, request.target, request.fields.get("Host"));
            for (const auto& [name, value] : request.fields)
                if (!iequals(name, "Host")) text += fmt::format("{}: {}\n", name, value);
            return respond(200, "text/plain", text);
        }
        if (path == "/status") {
            auto code = to_number<unsigned>(target_.parameter("code").value_or("")).value_or(418);
            if (code < 200 || code > 599) code = 418;
            return respond(code, "text/plain", fmt::format("{}\n", status_text(code)));
        }
        if (path == "/healthz") return respond(200, "text/plain", "ok\n");
        if (path == "/sum") return respond(200, "text/plain", fmt::format("{} {}\n", body_size_, digest_->text()));
        if (path == "/api/orders")
            return respond(
                200, "application/json",
                fmt::format(
                    R"({{"app":"{}/{}","orders":[{{"eur":29.9,"id":1,"item":"kettle"}},{{"eur":7,"id":2,"item":"cup"}}],"pod":"{}"}})"
                    "\n",
                    pod.namespace_name, place().service, pod.name));
        if (path == "/api/status")
            return respond(200, "application/json",
                           fmt::format(R"({{"app":"{}/{}","pod":"{}","requests":{}}})"
                                       "\n",
                                       pod.namespace_name, place().service, pod.name, count().requests));
        respond(200, "text/plain",
                fmt::format("hello from {} ({}/{}) at {}:{}\n", pod.name, pod.namespace_name, place().service, place().ip, place().port));
    }

    void big()
    {
        const auto bytes = to_number<std::uint64_t>(target_.parameter("bytes").value_or(""));
        if (!bytes) return respond(400, "text/plain", "bytes=N, please\n");
        const bool chunked = !target_.parameter("chunked").value_or("").empty();
        answering_ = true;
        say(fmt::format("HTTP/1.1 200 OK\r\nX-Pod: {}\r\nContent-Type: application/octet-stream\r\n", place().pod.name));
        say(chunked ? std::string{"Transfer-Encoding: chunked\r\n\r\n"} : fmt::format("Content-Length: {}\r\n\r\n", *bytes));
        plain_sent_ = 0;
        if (head_ || *bytes == 0) {
            if (chunked && !head_) say("0\r\n\r\n");
            return end_answer();
        }
        (chunked ? chunked_left_ : plain_left_) = *bytes;
        on_room();
    }

    void slow()
    {
        answering_ = true;
        const auto wait = std::chrono::milliseconds{to_number<std::int64_t>(target_.parameter("ms").value_or("")).value_or(0)};
        const auto parts = std::max<std::int64_t>(to_number<std::int64_t>(target_.parameter("parts").value_or("")).value_or(1), 1);
        if (parts > 1) say_slow_header();
        slow_part(wait, 1, parts);
    }
    void say_slow_header()
    {
        say(fmt::format("HTTP/1.1 200 OK\r\nX-Pod: {}\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
                        place().pod.name));
    }
    void slow_part(std::chrono::milliseconds wait, std::int64_t part, std::int64_t parts)
    {
        later(wait, [this, wait, part, parts] {
            if (parts == 1) say_slow_header();
            const auto text = fmt::format("{}: slept {} ms ({})\n", place().pod.name, wait.count(), part);
            say(fmt::format("{:x}\r\n{}\r\n", text.size(), text));
            if (part < parts) return slow_part(wait, part + 1, parts);
            say("0\r\n\r\n");
            end_answer();
        });
    }

    void respond(unsigned code, std::string_view type, const std::string& text, bool last = false)
    {
        const bool bodyless = code == 204 || code == 304;
        say(fmt::format("HTTP/1.1 {} {}\r\nX-Pod: {}\r\n", code, status_text(code), place().pod.name));
        if (!bodyless) say(fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", type, text.size()));
        if (last || !keep_) say("Connection: close\r\n");
        say("\r\n");
        if (!head_ && !bodyless) say(text);
        end_answer();
    }

    void end_answer()
    {
        answering_ = false;
        if (!keep_) finish();
        parser_ = http_parser{http_parser::role::request, no_limit()};
        begun_ = echoing_ = echo_chunked_ = head_ = false;
        body_.clear();
        body_size_ = 0;
        digest_.reset();
    }

    static http_limits no_limit()
    {
        http_limits limits;
        limits.body = 1ull << 50;
        return limits;
    }

    http_parser parser_{http_parser::role::request, no_limit()};
    http_target target_;
    bool begun_ = false, echoing_ = false, echo_chunked_ = false, answering_ = false, keep_ = true, head_ = false;
    std::string body_;
    std::uint64_t body_size_ = 0;
    std::optional<sha256> digest_;
    std::uint64_t plain_left_ = 0, plain_sent_ = 0, chunked_left_ = 0;
};

} // namespace

std::unique_ptr<pod_app> make_http_app(pod_runtime& runtime, pod_place place)
{
    return std::make_unique<http_app>(runtime, std::move(place));
}

} // namespace fwd::simcluster
