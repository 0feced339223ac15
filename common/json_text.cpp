#include "common/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace fwd {

namespace {

/// What may not stand in a JSON string as it is (RFC 8259, 7).
bool needs_escape(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

constexpr std::string_view short_escaped = "\"\\\b\f\n\r\t", short_escapes = "\"\\bfnrt";

bool has_short_escape(char c)
{
    return short_escaped.find(c) != std::string_view::npos;
}

void append_escape(std::string& to, char c)
{
    to += '\\';
    if (const auto at = short_escaped.find(c); at != std::string_view::npos)
        to += short_escapes[at];
    else
        fmt::format_to(std::back_inserter(to), "u{:04x}", static_cast<unsigned char>(c));
}

/// Of a text with its quotes.
std::size_t quoted_size(std::string_view text)
{
    std::size_t size = text.size() + 2;
    for (const char c : text)
        if (needs_escape(c)) size += has_short_escape(c) ? 1 : 5;
    return size;
}

/// Brackets, and commas between entries.
std::size_t frame_size(std::size_t entries)
{
    return entries == 0 ? 2 : 1 + entries;
}

template <class N>
void append_number(std::string& to, N value)
{
    const fmt::format_int text{value};
    to.append(text.data(), text.size());
}

} // namespace

void append_json(std::string& to, std::string_view text)
{
    to += '"';
    for (auto at = text.begin();;) {
        const auto next = std::find_if(at, text.end(), needs_escape);
        to.append(at, next);
        if (next == text.end()) break;
        append_escape(to, *next);
        at = next + 1;
    }
    to += '"';
}

void append_json(std::string& to, bool value)
{
    to += value ? "true" : "false";
}

void append_json(std::string& to, std::int64_t value)
{
    append_number(to, value);
}

void append_json(std::string& to, std::uint64_t value)
{
    append_number(to, value);
}

void append_json(std::string& to, double value)
{
    fmt::format_to(std::back_inserter(to), "{}", value);
}

void append_json(std::string& to, const boost::json::value& value)
{
    to += boost::json::serialize(value);
}

std::size_t json_size(const boost::json::object& value)
{
    auto size = frame_size(value.size());
    for (const auto& [name, member] : value) size += quoted_size(name) + 1 + json_size(member);
    return size;
}

std::size_t json_size(const boost::json::array& value)
{
    auto size = frame_size(value.size());
    for (const auto& entry : value) size += json_size(entry);
    return size;
}

std::size_t json_size(const boost::json::value& value)
{
    if (const auto* text = value.if_string()) return quoted_size({text->data(), text->size()});
    if (const auto* object = value.if_object()) return json_size(*object);
    if (const auto* array = value.if_array()) return json_size(*array);
    if (const auto* number = value.if_int64()) return fmt::format_int{*number}.size();
    return boost::json::serialize(value).size(); // null, a truth, or a number that is rare
}

} // namespace fwd
