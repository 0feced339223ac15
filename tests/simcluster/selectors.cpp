#include "tests/simcluster/selectors.hpp"

#include "common/text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace fwd::simcluster {

namespace {

/// Splits at commas that are outside parentheses.
std::vector<std::string> conditions(std::string_view text)
{
    std::vector<std::string> parts;
    std::size_t from = 0;
    int depth = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '(') ++depth;
        if (i < text.size() && text[i] == ')') --depth;
        if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
        const auto part = trim(text.substr(from, i - from));
        if (!part.empty()) parts.emplace_back(part);
        from = i + 1;
    }
    return parts;
}

result<requirement> parse_condition(const std::string& text)
{
    using kind = requirement::kind;
    const auto open = text.find('(');
    if (open != std::string::npos) {
        const auto head = split(std::string{trim(text.substr(0, open))}, ' ');
        const auto shut = text.find(')', open);
        if (head.size() < 2 || shut == std::string::npos) return error{errc::invalid_request, "selector '" + text + "'"};
        requirement found{head.back() == "notin" ? kind::outside : kind::among, head.front(), {}};
        for (const auto& value : split(text.substr(open + 1, shut - open - 1), ',')) found.values.emplace_back(trim(value));
        return found;
    }
    if (const auto at = text.find("!="); at != std::string::npos)
        return requirement{kind::differs, std::string{trim(text.substr(0, at))}, {std::string{trim(text.substr(at + 2))}}};
    if (const auto at = text.find('='); at != std::string::npos) {
        const auto value = text.substr(text[at + 1] == '=' ? at + 2 : at + 1);
        return requirement{kind::equals, std::string{trim(text.substr(0, at))}, {std::string{trim(value)}}};
    }
    if (text.starts_with('!')) return requirement{kind::absent, text.substr(1), {}};
    return requirement{kind::exists, text, {}};
}

result<std::vector<requirement>> parse(std::string_view text)
{
    std::vector<requirement> all;
    for (const auto& part : conditions(text)) {
        auto one = parse_condition(part);
        if (!one) return one.error();
        all.push_back(*one);
    }
    return all;
}

bool holds(const requirement& wanted, bool there, const std::string& value)
{
    using kind = requirement::kind;
    const auto listed = std::find(wanted.values.begin(), wanted.values.end(), value) != wanted.values.end();
    switch (wanted.what) {
    case kind::equals:
    case kind::among: return there && listed;
    case kind::differs:
    case kind::outside: return !there || !listed;
    case kind::exists: return there;
    case kind::absent: return !there;
    }
    return false;
}

const json::value* value_at(const json::object& object, std::string_view path)
{
    const json::object* at = &object;
    for (;;) {
        const auto dot = path.find('.');
        const auto* member = at->if_contains(path.substr(0, dot));
        if (!member || dot == std::string_view::npos) return member;
        at = member->if_object();
        if (!at) return nullptr;
        path.remove_prefix(dot + 1);
    }
}

} // namespace

result<selector> selector::labels(std::string_view text)
{
    auto parsed = parse(text);
    if (!parsed) return parsed.error();
    selector made;
    made.all_ = std::move(*parsed);
    return made;
}

result<selector> selector::fields(std::string_view text)
{
    auto made = labels(text);
    if (!made) return made;
    for (const auto& one : made->all_)
        if (one.what != requirement::kind::equals && one.what != requirement::kind::differs)
            return error{errc::invalid_request, "field selector '" + std::string{text} + "'"};
    return made;
}

bool selector::matches_labels(const json::object& object) const
{
    if (all_.empty()) return true;
    const auto* labels = object_at(object, "metadata.labels");
    return std::all_of(all_.begin(), all_.end(), [&](const requirement& wanted) {
        const auto* value = labels ? labels->if_contains(wanted.key) : nullptr;
        return holds(wanted, value != nullptr, value && value->is_string() ? std::string{value->get_string()} : std::string{});
    });
}

bool selector::matches_fields(const json::object& object) const
{
    // A field that is absent has the empty text, as in the API server.
    return std::all_of(all_.begin(), all_.end(),
                       [&](const requirement& wanted) { return holds(wanted, true, text_at(object, wanted.key)); });
}

std::string text_at(const json::object& object, std::string_view path)
{
    const auto* found = value_at(object, path);
    if (!found || found->is_null()) return {};
    return found->is_string() ? std::string{found->get_string()} : json::serialize(*found);
}

const json::object* object_at(const json::object& object, std::string_view path)
{
    const auto* found = value_at(object, path);
    return found ? found->if_object() : nullptr;
}

bool labels_include(const json::object* labels, const json::object& wanted)
{
    if (!labels) return wanted.empty();
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
        const auto* value = labels->if_contains(pair.key());
        return value && *value == pair.value();
    });
}

} // namespace fwd::simcluster
