#include "daemon/traffic/http_sniffer.hpp"

#include "daemon/traffic/client_hello.hpp"
#include "daemon/traffic/http_words.hpp"

#include <algorithm>

namespace fwd::traffic {

namespace {

constexpr char tls_handshake = 22;

/// Calls `each` with the pieces' first `count` bytes, until it says false.
template <class F>
bool for_pieces(std::span<const iovec> pieces, std::size_t count, F&& each)
{
    for (const auto& piece : pieces) {
        const auto n = std::min(piece.iov_len, count);
        if (n > 0 && !each(std::string_view{static_cast<const char*>(piece.iov_base), n})) return false;
        count -= n;
    }
    return true;
}

} // namespace

http_sniffer::http_sniffer(http_log& log, const timing& clock, const std::string& pod, sniffer_budget& budget)
    : log_{log}, clock_{clock}, pod_{pod}, budget_{budget}
{
    budget_.used += units_;
}

http_sniffer::~http_sniffer()
{
    budget_.used -= units_;
}

bool http_sniffer::client_said(std::span<const iovec> pieces, std::size_t count)
{
    if (auto* const one = std::get_if<http1_connection>(&speaks_); one && one->skip_client(count)) return true;
    if (auto* const two = std::get_if<http2_connection>(&speaks_); two && two->skip_client(count)) return true;
    return for_pieces(pieces, count, [this](std::string_view bytes) { return client_said(bytes); });
}

bool http_sniffer::pod_said(std::span<const iovec> pieces, std::size_t count)
{
    if (auto* const one = std::get_if<http1_connection>(&speaks_); one && one->skip_pod(count)) return true;
    if (auto* const two = std::get_if<http2_connection>(&speaks_); two && two->skip_pod(count)) return true;
    return for_pieces(pieces, count, [this](std::string_view bytes) { return pod_said(bytes); });
}

bool http_sniffer::client_said(std::string_view bytes)
{
    if (auto* const one = std::get_if<http1_connection>(&speaks_)) return one->client_said(bytes) == http1_connection::next::more;
    if (auto* const two = std::get_if<http2_connection>(&speaks_)) return two->client_said(bytes);
    return begin(bytes);
}

bool http_sniffer::pod_said(std::string_view bytes)
{
    if (auto* const two = std::get_if<http2_connection>(&speaks_)) return two->pod_said(bytes);
    auto* const one = std::get_if<http1_connection>(&speaks_);
    if (!one) return false; // it speaks first: no HTTP server
    const auto next = one->pod_said(bytes);
    if (next != http1_connection::next::http_2) return next == http1_connection::next::more;
    return become_http2(one->upgraded()) && pod_said(bytes);
}

void http_sniffer::pod_ended()
{
    if (auto* const one = std::get_if<http1_connection>(&speaks_)) one->pod_ended();
}

void http_sniffer::over(cut_by who)
{
    if (auto* const one = std::get_if<http1_connection>(&speaks_)) one->over(who);
    if (auto* const two = std::get_if<http2_connection>(&speaks_)) two->over(who);
}

/// The client's first bytes, until they tell what it speaks.
bool http_sniffer::begin(std::string_view bytes)
{
    const auto held = first_.size();
    if (held > 0) first_ += bytes.substr(0, longest_hello + 1 - held);
    switch (decide(held > 0 ? first_ : bytes)) {
    case protocol::undecided:
        if (held == 0) first_ = bytes;
        return first_.size() <= longest_hello;
    case protocol::other: return false;
    case protocol::http_1: speaks_.emplace<http1_connection>(log_, clock_, pod_); break;
    case protocol::http_2:
        if (!become_http2({})) return false;
        break;
    }
    auto before = std::exchange(first_, {});
    before.resize(held);
    return (before.empty() || client_said(std::string_view{before})) && client_said(bytes);
}

http_sniffer::protocol http_sniffer::decide(std::string_view first)
{
    if (first.front() == tls_handshake) return decide_tls(first);
    constexpr auto telling = http2_preface.substr(0, 16); // its first line, which is no request of HTTP/1
    const auto both = std::min(first.size(), telling.size());
    if (first.substr(0, both) == telling.substr(0, both)) return both == telling.size() ? protocol::http_2 : protocol::undecided;
    const auto method = method_length(first);
    if (method == 0 || method > longest_method) return protocol::other;
    if (method == first.size()) return protocol::undecided;
    return first[method] == ' ' ? protocol::http_1 : protocol::other;
}

http_sniffer::protocol http_sniffer::decide_tls(std::string_view first)
{
    auto hello = read_client_hello(first);
    if (hello.what == client_hello::found::more) return protocol::undecided;
    if (hello.what == client_hello::found::yes) log_.tls(std::move(hello.server_name));
    return protocol::other;
}

bool http_sniffer::become_http2(std::optional<open_request> first)
{
    const auto more = http2_units - http1_units;
    if (budget_.used + more > budget_.most) {
        if (first) log_.forget();
        return false;
    }
    budget_.used += more;
    units_ += more;
    speaks_.emplace<http2_connection>(log_, clock_, pod_, std::move(first));
    return true;
}

bool http_watch::begin()
{
    if (budget_->used + http1_units > budget_->most) {
        let_go();
        return false;
    }
    sniffer_ = std::make_unique<http_sniffer>(log_, clock_, pod_, *budget_);
    return true;
}

} // namespace fwd::traffic
