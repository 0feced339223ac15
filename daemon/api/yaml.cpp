// JSON values as YAML in block style. Strings that could mean something else are quoted as JSON has them, which YAML 1.2 reads alike.
#include "daemon/api/openapi.hpp"

#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace fwd::api {

namespace {

bool is_plain(std::string_view text)
{
    constexpr std::array<std::string_view, 8> words{"true", "false", "null", "yes", "no", "on", "off", "y"};
    if (text.empty() || std::find(words.begin(), words.end(), lower(text)) != words.end()) return false;
    const auto letter = [](unsigned char c) { return std::isalpha(c) != 0 || c == '/' || c == '$'; };
    const auto inner = [](unsigned char c) {
        return std::isalnum(c) != 0 || std::string_view{"/$_-.{}"}.find(static_cast<char>(c)) != std::string_view::npos;
    };
    return letter(static_cast<unsigned char>(text.front())) && std::all_of(text.begin(), text.end(), inner);
}

std::string scalar(const json::value& of)
{
    if (const auto* text = of.if_string(); text && is_plain(*text)) return std::string{*text};
    return json::serialize(of);
}

bool is_block(const json::value& of)
{
    return (of.is_object() && !of.get_object().empty()) || (of.is_array() && !of.get_array().empty());
}

void write(std::string& to, const json::value& from, std::size_t depth);

void write_members(std::string& to, const json::object& from, std::size_t depth, bool first_is_placed)
{
    for (const auto& [name, value] : from) {
        if (!std::exchange(first_is_placed, false)) to += std::string(2 * depth, ' ');
        to += is_plain(name) ? std::string{name} : json::serialize(json::value(name));
        to += ':';
        if (is_block(value)) {
            to += '\n';
            write(to, value, value.is_array() ? depth : depth + 1);
        } else {
            to += ' ' + scalar(value) + '\n';
        }
    }
}

void write(std::string& to, const json::value& from, std::size_t depth)
{
    if (const auto* members = from.if_object()) return write_members(to, *members, depth, false);
    for (const auto& item : from.get_array()) {
        to += std::string(2 * depth, ' ') + "- ";
        if (item.is_object() && is_block(item))
            write_members(to, item.get_object(), depth + 1, true);
        else
            to += (is_block(item) ? json::serialize(item) : scalar(item)) + '\n';
    }
}

} // namespace

std::string yaml_text(const json::value& from)
{
    if (!is_block(from)) return scalar(from) + "\n";
    std::string made;
    write(made, from, 0);
    return made;
}

} // namespace fwd::api
