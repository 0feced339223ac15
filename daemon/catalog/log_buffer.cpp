#include "daemon/catalog/log_buffer.hpp"

#include "common/text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>

namespace fwd::catalog {

namespace {

constexpr std::string_view hidden = "[hidden]";

bool is_token_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~' ||
           c == '+' || c == '/' || c == '=';
}

/// Replaces what follows each `mark`, where at least `least` characters of a token stand there.
void hide_after(std::string& text, std::string_view mark, std::size_t least)
{
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        at += mark.size();
        std::size_t end = at;
        while (end < text.size() && is_token_character(text[end])) ++end;
        if (end - at >= least) text.replace(at, end - at, hidden);
    }
}

std::string cleaned(std::string text)
{
    hide_after(text, "Bearer ", 1);
    hide_after(text, "fwd_", 43); // 32 bytes in base64url
    hide_after(text, "eyJ", 20);  // a JSON web token
    return text;
}

bool is_secret(std::string_view field)
{
    constexpr std::array<std::string_view, 5> names{"authorization", "token", "password", "cookie", "secret"};
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return iequals(field, name); });
}

} // namespace

bool line_filter::passes(const log_line& one) const
{
    if (one.level < least) return false;
    return search.empty() || lower(one.as_text()).find(lower(search)) != std::string::npos;
}

log_line without_secrets(log_line from)
{
    from.message = cleaned(std::move(from.message));
    for (auto& [name, value] : from.fields) value = is_secret(name) ? std::string{hidden} : cleaned(std::move(value));
    return from;
}

log_buffer::log_buffer(asio::any_io_executor control, feed_limits limits)
    : control_{std::move(control)}, lines_{std::make_shared<feed<kept_line>>(limits)}
{
}

logger::sink log_buffer::sink()
{
    // Posted, so that readers hear of it on their own thread and may log themselves.
    return [control = control_, to = std::weak_ptr{lines_}](const log_line& line) {
        asio::post(control, [to, line = without_secrets(line)]() mutable {
            if (const auto lines = to.lock()) lines->emit({0, std::move(line)});
        });
    };
}

std::vector<kept_line> log_buffer::last(std::size_t most, const line_filter& which) const
{
    std::vector<kept_line> found;
    const auto& all = lines_->kept();
    for (auto at = all.rbegin(); at != all.rend() && found.size() < most; ++at)
        if (which.passes((*at)->line)) found.push_back(**at);
    std::reverse(found.begin(), found.end());
    return found;
}

} // namespace fwd::catalog
