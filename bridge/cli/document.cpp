// JSON and YAML for people and scripts.
#include "bridge/cli/screen.hpp"

#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace fwd::cli {

namespace {

std::string quoted(std::string_view text)
{
    return json::serialize(json::string(text));
}

/// Whether YAML reads the text as itself when it stands there without quotes. Errs on the side of quotes.
bool is_plain(std::string_view text)
{
    if (text.empty() || text.size() > 200) return false;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto fine = [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/' || c == ' ';
    };
    if (!std::all_of(text.begin(), text.end(), fine) || !letter(text.front()) || text.back() == ' ') return false;
    const auto low = lower(text);
    for (const auto word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
        if (low == word) return false;
    return true;
}

std::string scalar(const json::value& of)
{
    if (!of.is_string()) return json::serialize(of);
    const std::string_view text{of.get_string().data(), of.get_string().size()};
    return is_plain(text) ? std::string{text} : quoted(text);
}

bool is_block(const json::value& of)
{
    return (of.is_object() && !of.get_object().empty()) || (of.is_array() && !of.get_array().empty());
}

void yaml(std::string& out, const json::value& of, std::size_t depth, bool first_inline)
{
    const std::string indent(depth * 2, ' ');
    const auto put = [&](std::string_view head, const json::value& value) {
        out += head;
        if (!is_block(value)) {
            out += ' ' + (value.is_object() ? "{}" : value.is_array() ? "[]" : scalar(value)) + '\n';
        } else if (value.is_array() || head.ends_with(':')) {
            out += '\n';
            yaml(out, value, depth + 1, false);
        } else {
            out += ' ';
            yaml(out, value, depth + 1, true);
        }
    };
    if (of.is_object()) {
        for (const auto& [name, value] : of.get_object()) {
            if (!std::exchange(first_inline, false)) out += indent;
            const std::string_view key{name.data(), name.size()};
            put((is_plain(key) ? std::string{key} : quoted(key)) + ":", value);
        }
    } else {
        for (const auto& value : of.get_array()) {
            if (!std::exchange(first_inline, false)) out += indent;
            put("-", value);
        }
    }
}

void pretty(std::string& out, const json::value& of, std::size_t depth)
{
    if (!is_block(of)) {
        out += json::serialize(of);
        return;
    }
    const bool object = of.is_object();
    out += object ? "{\n" : "[\n";
    bool first = true;
    const auto begin = [&] {
        if (!std::exchange(first, false)) out += ",\n";
        out.append((depth + 1) * 2, ' ');
    };
    if (object)
        for (const auto& [name, value] : of.get_object()) {
            begin();
            out += quoted({name.data(), name.size()}) + ": ";
            pretty(out, value, depth + 1);
        }
    else
        for (const auto& value : of.get_array()) {
            begin();
            pretty(out, value, depth + 1);
        }
    out += '\n';
    out.append(depth * 2, ' ');
    out += object ? '}' : ']';
}

} // namespace

std::string yaml_text(const json::value& of)
{
    if (!is_block(of)) return (of.is_object() ? "{}" : of.is_array() ? "[]" : scalar(of)) + '\n';
    std::string out;
    yaml(out, of, 0, false);
    return out;
}

std::string pretty_json(const json::value& of)
{
    std::string out;
    pretty(out, of, 0);
    return out + '\n';
}

std::string documents::text(format as) const
{
    if (all_.empty()) return {};
    return document(all_.size() == 1 ? all_.front() : json::value(all_), as);
}

std::string document(const json::value& of, format as)
{
    return as == format::yaml ? yaml_text(of) : pretty_json(of);
}

} // namespace fwd::cli
