#include "common/text.hpp"

#include <fmt/core.h>

#include <charconv>
#include <ctime>

namespace fwd {

std::vector<std::string> split(std::string_view text, char at)
{
    std::vector<std::string> parts;
    for (std::size_t from = 0;;) {
        const auto to = text.find(at, from);
        parts.emplace_back(text.substr(from, to - from));
        if (to == std::string_view::npos) return parts;
        from = to + 1;
    }
}

std::string join(std::span<const std::string> parts, std::string_view between)
{
    std::string whole;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i) whole += between;
        whole += parts[i];
    }
    return whole;
}

std::string_view trim(std::string_view text)
{
    constexpr std::string_view blanks = " \t\r\n\v\f";
    const auto from = text.find_first_not_of(blanks);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

namespace {

char lower_char(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

std::string lower(std::string_view text)
{
    std::string made{text};
    for (auto& c : made) c = lower_char(c);
    return made;
}

bool iequals(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower_char(x) == lower_char(y); });
}

template <class N>
std::optional<N> to_number(std::string_view text)
{
    N value{};
    const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || why != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}
template std::optional<int> to_number<int>(std::string_view);
template std::optional<unsigned> to_number<unsigned>(std::string_view);
template std::optional<long> to_number<long>(std::string_view);
template std::optional<long long> to_number<long long>(std::string_view);
template std::optional<unsigned long> to_number<unsigned long>(std::string_view);
template std::optional<unsigned long long> to_number<unsigned long long>(std::string_view);
template std::optional<unsigned short> to_number<unsigned short>(std::string_view);
template std::optional<double> to_number<double>(std::string_view);

bool wildcard_match(std::string_view pattern, std::string_view name)
{
    std::size_t p = 0, n = 0, star = std::string_view::npos, mark = 0;
    while (n < name.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
            ++p, ++n;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++mark;
        } else
            return false;
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

namespace {

/// Letters added, lost, changed, or two neighbours swapped (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before, last, row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before = std::exchange(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

} // namespace

std::vector<std::string> close_names(std::string_view name, std::span<const std::string> candidates, std::size_t most)
{
    std::vector<std::pair<std::size_t, std::string>> found;
    const auto limit = std::max<std::size_t>(1, name.size() / 3);
    for (const auto& candidate : candidates) {
        const bool contains = name.size() >= 2 && candidate.find(name) != std::string::npos;
        const auto distance = contains ? 1 : edit_distance(name, candidate);
        if (distance <= limit) found.emplace_back(distance, candidate);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::vector<std::string> names;
    for (auto& [distance, candidate] : found)
        if (names.size() < most) names.push_back(std::move(candidate));
    return names;
}

namespace {

/// Length of the UTF-8 sequence that starts `text`, 0 when there is none (RFC 3629: no surrogates, no overlong forms).
std::size_t utf8_length(std::string_view text)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto follows = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xbf) {
        return i < text.size() && at(i) >= least && at(i) <= most;
    };
    const auto first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) return follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
    if (first >= 0xf0 && first <= 0xf4)
        return follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
    return 0;
}

} // namespace

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        const auto length = utf8_length(text);
        if (!length) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text)
{
    constexpr std::string_view replacement = "\xef\xbf\xbd";
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const auto length = utf8_length(text);
        const auto first = static_cast<unsigned char>(text[0]);
        if (length == 0) {
            shown += replacement;
        } else if (length == 1 && (first == '\n' || first == '\t')) {
            shown += ' ';
        } else if ((length == 1 && (first < 0x20 || first == 0x7f)) ||
                   (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0)) { // C0, DEL, C1
            shown += replacement;
        } else {
            shown += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(1, length));
    }
    return shown;
}

std::string shortened(std::string_view text, std::size_t most)
{
    if (text.size() <= most) return std::string{text};
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    return std::string{text.substr(0, most)} + "...";
}

std::string rfc3339(wall_time when)
{
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::milliseconds>(when - day)};
    std::string made = "0000-00-00T00:00:00.000Z"; // filled in by hand: lists have thousands of them
    const auto put = [&](std::size_t last, std::int64_t value) {
        for (; value > 0; value /= 10) made[last--] = static_cast<char>('0' + value % 10);
    };
    put(3, static_cast<int>(date.year()));
    put(6, static_cast<unsigned>(date.month()));
    put(9, static_cast<unsigned>(date.day()));
    put(12, time.hours().count());
    put(15, time.minutes().count());
    put(18, time.seconds().count());
    put(22, time.subseconds().count());
    return made;
}

std::optional<wall_time> parse_rfc3339(std::string_view text)
{
    const auto digits = [&](std::size_t at, std::size_t count) -> std::optional<int> {
        if (at + count > text.size()) return std::nullopt;
        int value = 0;
        for (const char c : text.substr(at, count)) {
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + (c - '0');
        }
        return value;
    };
    const auto year = digits(0, 4), month = digits(5, 2), day = digits(8, 2), hour = digits(11, 2), minute = digits(14, 2),
               second = digits(17, 2);
    if (!year || !month || !day || !hour || !minute || !second || text.size() < 20 || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
        return std::nullopt;
    if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    std::tm parts{};
    parts.tm_year = *year - 1900;
    parts.tm_mon = *month - 1;
    parts.tm_mday = *day;
    parts.tm_hour = *hour;
    parts.tm_min = *minute;
    parts.tm_sec = *second;
    std::int64_t nanos = 0;
    std::size_t at = 19;
    if (text[at] == '.') {
        std::int64_t unit = 100'000'000;
        for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) nanos += (text[at] - '0') * unit;
    }
    std::int64_t offset = 0;
    if (at >= text.size()) return std::nullopt;
    if (text[at] == '+' || text[at] == '-') {
        const auto hours = digits(at + 1, 2), minutes = digits(at + 4, 2);
        if (!hours || !minutes || text.size() != at + 6 || text[at + 3] != ':') return std::nullopt;
        offset = (*hours * 60 + *minutes) * 60 * (text[at] == '-' ? -1 : 1);
    } else if ((text[at] != 'Z' && text[at] != 'z') || text.size() != at + 1)
        return std::nullopt;
    return wall_time{std::chrono::seconds{timegm(&parts) - offset} + std::chrono::nanoseconds{nanos}};
}

result<duration> parse_duration(std::string_view text)
{
    const error bad{errc::parse_error, "'" + printable(text) + "' is not a duration such as 30s, 500ms or 1m30s"};
    if (const auto seconds = to_number<unsigned>(text)) return std::chrono::seconds{*seconds};
    duration sum{0};
    if (text.empty()) return bad;
    while (!text.empty()) {
        const auto unit_at = text.find_first_not_of("0123456789.");
        if (unit_at == 0 || unit_at == std::string_view::npos) return bad;
        const auto amount = to_number<double>(text.substr(0, unit_at));
        text.remove_prefix(unit_at);
        const auto next = std::min(text.size(), text.find_first_of("0123456789"));
        const auto unit = text.substr(0, next);
        text.remove_prefix(next);
        const double nanos = unit == "ns"   ? 1
                             : unit == "us" ? 1e3
                             : unit == "ms" ? 1e6
                             : unit == "s"  ? 1e9
                             : unit == "m"  ? 60e9
                             : unit == "h"  ? 3600e9
                                            : 0;
        if (!amount || nanos == 0 || *amount * nanos > 9e18) return bad;
        sum += duration{static_cast<std::int64_t>(*amount * nanos)};
    }
    return sum;
}

namespace {

std::string encode64(std::span<const std::byte> bytes, const char* alphabet, bool pad)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto left = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < left ? std::to_integer<unsigned>(bytes[i + k]) : 0);
        for (std::size_t k = 0; k < left + 1; ++k) text += alphabet[group >> (18 - 6 * k) & 63];
        if (pad) text.append(3 - left, '=');
    }
    return text;
}

} // namespace

std::string base64(std::span<const std::byte> bytes)
{
    return encode64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

std::string base64url(std::span<const std::byte> bytes)
{
    return encode64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

std::optional<std::string> from_base64(std::string_view text)
{
    std::string bytes;
    unsigned group = 0, bits = 0, padding = 0, digits = 0;
    for (const char c : text) {
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
        unsigned value;
        if (c >= 'A' && c <= 'Z')
            value = static_cast<unsigned>(c - 'A');
        else if (c >= 'a' && c <= 'z')
            value = static_cast<unsigned>(c - 'a') + 26;
        else if (c >= '0' && c <= '9')
            value = static_cast<unsigned>(c - '0') + 52;
        else if (c == '+' || c == '-')
            value = 62;
        else if (c == '/' || c == '_')
            value = 63;
        else if (c == '=' && ++padding <= 2)
            continue;
        else
            return std::nullopt;
        if (padding) return std::nullopt;
        group = group << 6 | value;
        bits += 6;
        ++digits;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(group >> bits & 0xff);
        }
    }
    if (digits % 4 == 1 || (padding && (digits + padding) % 4)) return std::nullopt;
    return bytes;
}

std::string percent_encode(std::string_view text)
{
    std::string made;
    for (const char c : text) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            made += c;
        else {
            made += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return made;
}

std::optional<std::string> percent_decode(std::string_view text)
{
    const auto digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    };
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            made += text[i];
            continue;
        }
        if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
        made += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
    }
    return made;
}

std::string hex(std::span<const std::byte> bytes)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const auto b : bytes) {
        text += digits[std::to_integer<unsigned>(b) >> 4];
        text += digits[std::to_integer<unsigned>(b) & 15];
    }
    return text;
}

bool is_dns_label(std::string_view text)
{
    if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

bool is_dns_name(std::string_view text)
{
    if (text.size() > 253) return false;
    for (const auto& label : split(text, '.'))
        if (!is_dns_label(label)) return false;
    return true;
}

} // namespace fwd
