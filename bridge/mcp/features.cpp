#include "bridge/mcp/features.hpp"

#include "common/text.hpp"

#include <algorithm>
#include <set>

namespace fwd::mcp {

namespace {

constexpr std::string_view titles_since = "2025-06-18";
constexpr std::size_t most_values = 100;

bool is_variable(std::string_view segment)
{
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

template <class T>
json::object named(const T& what, std::string_view version)
{
    json::object out{{"name", what.name}};
    if (version >= titles_since && !what.title.empty()) out["title"] = what.title;
    if (!what.description.empty()) out["description"] = what.description;
    return out;
}

/// What can be read, with `address` under the name that the protocol has for it.
template <class T>
json::array entries(const std::vector<T>& all, std::string_view version, std::string_view as, std::string T::*address)
{
    json::array out;
    for (const auto& each : all) {
        auto one = named(each, version);
        one[as] = each.*address;
        if (!each.mime.empty()) one["mimeType"] = each.mime;
        out.push_back(std::move(one));
    }
    return out;
}

} // namespace

std::optional<variables> match_template(std::string_view pattern, std::string_view uri)
{
    const auto wanted = split(pattern, '/'), given = split(uri, '/');
    if (wanted.size() != given.size()) return std::nullopt;
    variables out;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!is_variable(wanted[i])) {
            if (wanted[i] != given[i]) return std::nullopt;
            continue;
        }
        auto value = percent_decode(given[i]);
        if (!value || value->empty()) return std::nullopt;
        out[wanted[i].substr(1, wanted[i].size() - 2)] = std::move(*value);
    }
    return out;
}

std::vector<std::string> variables_of(std::string_view pattern)
{
    std::vector<std::string> out;
    for (const auto& segment : split(pattern, '/'))
        if (is_variable(segment)) out.push_back(segment.substr(1, segment.size() - 2));
    return out;
}

bool can_subscribe(const features& what, std::string_view uri)
{
    if (what.is_resource) return what.is_resource(uri);
    return std::any_of(what.resources.begin(), what.resources.end(), [&](const resource& each) { return each.uri == uri; }) ||
           std::any_of(what.templates.begin(), what.templates.end(),
                       [&](const resource_template& each) { return match_template(each.pattern, uri).has_value(); });
}

json::array describe_resources(const features& what, std::string_view version)
{
    return entries(what.resources, version, "uri", &resource::uri);
}

json::array describe_templates(const features& what, std::string_view version)
{
    return entries(what.templates, version, "uriTemplate", &resource_template::pattern);
}

json::array describe_prompts(const features& what, std::string_view version)
{
    json::array out;
    for (const auto& each : what.prompts) {
        auto one = named(each, version);
        json::array arguments;
        for (const auto& argument : each.arguments)
            arguments.push_back(
                json::object{{"name", argument.name}, {"description", argument.description}, {"required", argument.needed}});
        if (!arguments.empty()) one["arguments"] = std::move(arguments);
        out.push_back(std::move(one));
    }
    return out;
}

json::object read_result(const std::string& uri, resource_content content)
{
    json::object one{{"uri", uri}};
    if (!content.mime.empty()) one["mimeType"] = content.mime;
    one[content.binary ? "blob" : "text"] = std::move(content.text);
    json::array contents;
    contents.push_back(std::move(one));
    json::object out;
    out["contents"] = std::move(contents);
    return out;
}

json::object complete_result(std::vector<std::string> all, std::string_view value)
{
    const auto begin = lower(value);
    std::set<std::string> seen;
    std::erase_if(all, [&](const std::string& each) { return !lower(each).starts_with(begin) || !seen.insert(each).second; });
    json::array values;
    for (const auto& each : all)
        if (values.size() < most_values) values.push_back(json::value(each));
    json::object completion;
    const bool more = values.size() < all.size();
    completion["values"] = std::move(values);
    completion["total"] = all.size();
    completion["hasMore"] = more;
    json::object out;
    out["completion"] = std::move(completion);
    return out;
}

} // namespace fwd::mcp
