#include "daemon/traffic/http_words.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::traffic {

namespace {

void append(std::string& to, char c)
{
    if (c > 0x20 && c < 0x7f)
        to += c;
    else
        to += fmt::format("%{:02X}", static_cast<unsigned char>(c));
}

void shorten(std::string& text, std::size_t most)
{
    if (text.size() <= most) return;
    text.resize(most - 3);
    text += "...";
}

std::string safe_path(std::string_view path)
{
    std::string made;
    bool in_parameter = false;
    for (const char c : path) {
        if (made.size() > longest_path) break;
        if (c == ';') in_parameter = true;
        if (c == '/') in_parameter = false;
        if (!in_parameter) append(made, c);
    }
    shorten(made, longest_path);
    return made;
}

} // namespace

target_words words_of_target(std::string_view target)
{
    target = target.substr(0, target.find_first_of("?#"));
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos || target.starts_with('/')) return {safe_path(target), {}};
    const auto rest = target.substr(scheme + 3);
    const auto slash = rest.find('/');
    return {slash == std::string_view::npos ? "/" : safe_path(rest.substr(slash)), words_of_host(rest.substr(0, slash))};
}

std::string words_of_host(std::string_view host)
{
    const auto user = host.rfind('@');
    if (user != std::string_view::npos) host.remove_prefix(user + 1);
    std::string made;
    for (const char c : host.substr(0, longest_host + 1)) append(made, c);
    shorten(made, longest_host);
    return made;
}

std::size_t method_length(std::string_view text)
{
    std::size_t length = 0;
    while (length < text.size() && ((text[length] >= 'A' && text[length] <= 'Z') || text[length] == '-')) ++length;
    return length;
}

} // namespace fwd::traffic
