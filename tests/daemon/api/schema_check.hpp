// Whether a JSON value is what a schema of our own document says: the keywords that it uses, and no others.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>

namespace fwd::test {

/// The first place where `value` is not as `schema` says, with why; empty: it is. `document` holds what "$ref" leads to.
inline std::string unlike(const boost::json::value& value, const boost::json::value& schema, const boost::json::value& document,
                          std::string place = "data")
{
    namespace json = boost::json;
    const auto& rules = schema.as_object();
    const auto text_of = [](const json::value& one) { return std::string{std::string_view{one.as_string()}}; };
    if (const auto* other = rules.if_contains("$ref"))
        return unlike(value, document.at_pointer(std::string_view{other->as_string()}.substr(1)), document, std::move(place));
    if (const auto* all = rules.if_contains("allOf"))
        for (const auto& one : all->as_array())
            if (auto why = unlike(value, one, document, place); !why.empty()) return why;
    if (const auto* only = rules.if_contains("const"); only && value != *only) return place + " is not the only value there may be";
    if (const auto* words = rules.if_contains("enum")) {
        const auto& all = words->as_array();
        if (std::find(all.begin(), all.end(), value) == all.end()) return place + " is none of the words";
    }
    if (const auto* type = rules.if_contains("type")) {
        const auto is = [&](const std::string& name) {
            return name == "object"    ? value.is_object()
                   : name == "array"   ? value.is_array()
                   : name == "string"  ? value.is_string()
                   : name == "boolean" ? value.is_bool()
                   : name == "integer" ? value.is_int64() || value.is_uint64()
                                       : value.is_number();
        };
        bool fits = false;
        if (type->is_array())
            for (const auto& one : type->as_array()) fits = fits || is(text_of(one));
        else
            fits = is(text_of(*type));
        if (!fits) return place + " is of another type";
    }
    if (const auto* least = rules.if_contains("minimum"); least && value.is_int64() && value.as_int64() < least->as_int64())
        return place + " is below its minimum";
    if (const auto* items = rules.if_contains("items"))
        for (const auto& one : value.as_array())
            if (auto why = unlike(one, *items, document, place + "[]"); !why.empty()) return why;
    if (!value.is_object()) return {};
    const auto& members = value.as_object();
    if (const auto* required = rules.if_contains("required"))
        for (const auto& name : required->as_array())
            if (!members.contains(text_of(name))) return place + " has no " + text_of(name);
    const auto* properties = rules.if_contains("properties");
    const auto* others = rules.if_contains("additionalProperties");
    for (const auto& [name, one] : members) {
        const auto inner = place + "." + std::string{std::string_view{name}};
        const auto* rule = properties ? properties->as_object().if_contains(name) : nullptr;
        if (!rule) rule = others;
        // Said nowhere: true of a schema as such, yet not of ours, which name every member.
        if (!rule && properties) return inner + " is not documented";
        if (!rule) continue;
        if (auto why = unlike(one, *rule, document, inner); !why.empty()) return why;
    }
    return {};
}

} // namespace fwd::test
