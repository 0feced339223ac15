#include "bridge/mcp/schema.hpp"

#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cmath>
#include <vector>

namespace fwd::mcp::schema {

namespace {

json::object described(std::string_view type, std::string_view about)
{
    json::object out{{"type", type}};
    if (!about.empty()) out["description"] = about;
    return out;
}

json::object object_of(std::initializer_list<member> members, std::string_view about)
{
    auto out = described("object", about);
    json::object properties;
    json::array needed;
    for (const auto& each : members) {
        properties[each.name] = each.what;
        if (each.needed) needed.push_back(json::value(each.name));
    }
    if (!properties.empty()) out["properties"] = std::move(properties);
    if (!needed.empty()) out["required"] = std::move(needed);
    return out;
}

bool has_type(const json::value& value, std::string_view type)
{
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "number") return value.is_number();
    // JSON Schema counts 3.0 as whole.
    if (type == "integer")
        return value.is_int64() || value.is_uint64() || (value.is_double() && std::trunc(value.get_double()) == value.get_double());
    return false;
}

std::string_view words_for(std::string_view type)
{
    if (type == "string") return "a text";
    if (type == "boolean") return "true or false";
    if (type == "object") return "an object";
    if (type == "array") return "a list";
    if (type == "integer") return "a whole number";
    return "a number";
}

std::string shown(const json::value& value)
{
    auto text = json::serialize(value);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return printable(text);
}

std::string_view view(const json::value& value)
{
    const auto& text = value.get_string();
    return {text.data(), text.size()};
}

/// Where a value stands: known from the stack, and put in words only when something is wrong there.
struct spot {
    const spot* around = nullptr; ///< none: `name` is the whole value's
    std::string_view name;        ///< of a member
    std::optional<std::size_t> index;
};

std::string words_of(const spot& at)
{
    if (!at.around) return std::string{at.name};
    const auto around = words_of(*at.around);
    if (at.index) return fmt::format("{}[{}]", around, *at.index);
    const auto name = printable(at.name);
    return around == "argument" ? fmt::format("argument '{}'", name) : fmt::format("{}: member '{}'", around, name);
}

std::optional<std::string> problem_at(const json::value& value, const json::object& schema, const spot& place);

std::optional<std::string> problem_with_type(const json::value& value, const json::object& schema, const spot& place)
{
    const auto& type = schema.at("type");
    if (type.is_string()) {
        if (has_type(value, view(type))) return {};
        return fmt::format("{} must be {}, was {}", words_of(place), words_for(view(type)), shown(value));
    }
    std::vector<std::string> words;
    for (const auto& each : type.get_array()) {
        if (has_type(value, view(each))) return {};
        words.emplace_back(words_for(view(each)));
    }
    return fmt::format("{} must be {}, was {}", words_of(place), fmt::join(words, " or "), shown(value));
}

std::string unknown_member(const spot& at, const json::object& known)
{
    std::vector<std::string> names;
    for (const auto& each : known) names.emplace_back(each.key());
    const auto close = close_names(at.name, names, 1);
    return fmt::format("{} is not known{}", words_of(at),
                       !close.empty()  ? fmt::format("; did you mean '{}'?", close.front())
                       : names.empty() ? std::string{"; there are none"}
                                       : fmt::format("; there are {}", fmt::join(names, ", ")));
}

std::optional<std::string> problem_with_members(const json::object& value, const json::object& schema, const spot& place)
{
    static const json::object none;
    const auto* properties = schema.if_contains("properties");
    const auto& known = properties ? properties->get_object() : none;
    if (const auto* needed = schema.if_contains("required"))
        for (const auto& name : needed->get_array())
            if (!value.contains(name.get_string())) return words_of({&place, view(name), {}}) + " is missing";
    const auto* others = schema.if_contains("additionalProperties");
    for (const auto& [name, what] : value) {
        const spot member{&place, name, {}};
        if (const auto* rule = known.if_contains(name)) {
            if (auto wrong = problem_at(what, rule->get_object(), member)) return wrong;
        } else if (others && others->is_object()) {
            if (auto wrong = problem_at(what, others->get_object(), member)) return wrong;
        } else if (others && !others->get_bool()) {
            return unknown_member(member, known);
        }
    }
    return {};
}

std::optional<std::string> problem_with_number(const json::value& value, const json::object& schema, const spot& place)
{
    const auto size = value.to_number<double>();
    if (const auto* least = schema.if_contains("minimum"); least && size < least->to_number<double>())
        return fmt::format("{} must be at least {}, was {}", words_of(place), json::serialize(*least), shown(value));
    if (const auto* most = schema.if_contains("maximum"); most && size > most->to_number<double>())
        return fmt::format("{} must be at most {}, was {}", words_of(place), json::serialize(*most), shown(value));
    return {};
}

std::optional<std::string> problem_at(const json::value& value, const json::object& schema, const spot& place)
{
    if (schema.contains("type"))
        if (auto wrong = problem_with_type(value, schema, place)) return wrong;
    if (const auto* values = schema.if_contains("enum")) {
        const auto& all = values->get_array();
        if (std::find(all.begin(), all.end(), value) == all.end()) {
            std::vector<std::string_view> names;
            for (const auto& each : all) names.push_back(view(each));
            return fmt::format("{} must be one of {}, was {}", words_of(place), fmt::join(names, ", "), shown(value));
        }
    }
    if (value.is_number()) return problem_with_number(value, schema, place);
    if (value.is_object()) return problem_with_members(value.get_object(), schema, place);
    const auto* items = schema.if_contains("items");
    if (!items || !value.is_array()) return {};
    std::size_t at = 0;
    for (const auto& each : value.get_array())
        if (auto wrong = problem_at(each, items->get_object(), {&place, {}, at++})) return wrong;
    return {};
}

} // namespace

json::object text(std::string_view about, std::optional<std::string_view> by_default)
{
    auto out = described("string", about);
    if (by_default) out["default"] = *by_default;
    return out;
}

json::object choice(std::string_view about, std::initializer_list<std::string_view> values, std::optional<std::string_view> by_default)
{
    auto out = text(about, by_default);
    json::array all;
    for (const auto each : values) all.push_back(json::value(each));
    out["enum"] = std::move(all);
    return out;
}

json::object whole(std::string_view about, std::int64_t least, std::int64_t most, std::optional<std::int64_t> by_default)
{
    auto out = described("integer", about);
    out["minimum"] = least;
    out["maximum"] = most;
    if (by_default) out["default"] = *by_default;
    return out;
}

json::object count(std::string_view about)
{
    return described("integer", about);
}

json::object truth(std::string_view about, std::optional<bool> by_default)
{
    auto out = described("boolean", about);
    if (by_default) out["default"] = *by_default;
    return out;
}

json::object number(std::string_view about)
{
    return described("number", about);
}

json::object list(std::string_view about, json::object of)
{
    auto out = described("array", about);
    out["items"] = std::move(of);
    return out;
}

json::object either(std::string_view about, std::initializer_list<std::string_view> types)
{
    json::array all;
    for (const auto each : types) all.push_back(json::value(each));
    json::object out{{"type", std::move(all)}};
    if (!about.empty()) out["description"] = about;
    return out;
}

json::object texts_by_name(std::string_view about)
{
    auto out = described("object", about);
    out["additionalProperties"] = json::object{{"type", "string"}};
    return out;
}

json::object object(std::initializer_list<member> members, std::string_view about)
{
    auto out = object_of(members, about);
    out["additionalProperties"] = false;
    return out;
}

json::object open_object(std::initializer_list<member> members, std::string_view about)
{
    return object_of(members, about);
}

std::optional<std::string> problem_with(const json::value& value, const json::object& schema, std::string_view place)
{
    return problem_at(value, schema, {nullptr, place, {}});
}

std::optional<std::string> problem_with(const json::object& value, const json::object& schema, std::string_view place)
{
    return problem_with_members(value, schema, {nullptr, place, {}});
}

void fill_defaults(json::object& value, const json::object& schema)
{
    const auto* properties = schema.if_contains("properties");
    if (!properties) return;
    for (const auto& [name, what] : properties->get_object())
        if (const auto* given = what.get_object().if_contains("default"); given && !value.contains(name)) value[name] = *given;
}

} // namespace fwd::mcp::schema
