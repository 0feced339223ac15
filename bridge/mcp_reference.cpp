#include "bridge/mcp_reference.hpp"

#include "bridge/prompts/prompts.hpp"
#include "bridge/resources/resources.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

namespace fwd::bridge {

namespace json = boost::json;

namespace {

std::string text_in(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_string() ? std::string{member->get_string()} : std::string{};
}

std::string type_of(const json::object& what)
{
    const auto* type = what.if_contains("type");
    if (!type) return "any";
    if (type->is_string()) {
        if (type->get_string() == "array") return "list of " + type_of(what.at("items").as_object());
        return std::string{type->get_string()};
    }
    std::string out;
    for (const auto& each : type->as_array()) out += (out.empty() ? "" : " or ") + std::string{each.as_string()};
    return out;
}

std::string limits_of(const json::object& what)
{
    std::string out;
    if (const auto* values = what.if_contains("enum")) {
        for (const auto& each : values->as_array()) out += (out.empty() ? "one of " : ", ") + std::string{each.as_string()};
        out += "; ";
    }
    if (what.contains("minimum") && what.contains("maximum"))
        out += fmt::format("{} to {}; ", json::serialize(what.at("minimum")), json::serialize(what.at("maximum")));
    if (const auto* usual = what.if_contains("default")) out += fmt::format("default {}; ", json::serialize(*usual));
    return out;
}

std::string members_of(const json::object& schema)
{
    std::string out;
    const auto* properties = schema.if_contains("properties");
    if (!properties) return out;
    const auto* needed = schema.if_contains("required");
    for (const auto& [name, value] : properties->as_object()) {
        const auto& what = value.as_object();
        bool must = false;
        if (needed)
            for (const auto& each : needed->as_array()) must = must || each.as_string() == name;
        auto words = limits_of(what) + text_in(what, "description");
        if (words.ends_with("; ")) words.resize(words.size() - 2);
        out += fmt::format("- `{}`{}: {}{}\n", std::string_view{name}, must ? " (always)" : "", type_of(what),
                           words.empty() ? "" : ", " + words);
    }
    return out;
}

std::string hints_of(const mcp::tool_hints& hints)
{
    std::string out = hints.read_only ? "changes nothing" : hints.destructive ? "takes something away" : "changes something";
    if (!hints.read_only && hints.idempotent) out += ", may be repeated";
    if (hints.open_world) out += ", reaches a cluster";
    return out;
}

std::string tool_text(const mcp::tool& each, const tools::tool_row& row)
{
    auto out = fmt::format("### {}\n\n{}\n\nToolset {}{}; {}. REST: {}.", each.name, each.description, row.set, row.core ? " and core" : "",
                           hints_of(each.hints), row.rest);
    if (!row.rights.empty()) out += fmt::format(" Needs of Kubernetes: {}.", row.rights);
    const auto arguments = members_of(each.input);
    out += arguments.empty() ? "\n\nNo arguments.\n" : "\n\nArguments:\n\n" + arguments;
    return out + "\nResult:\n\n" + members_of(each.output) + "\n";
}

} // namespace

mcp::features features_of(const tools::kit& with, const tools::tool_choice& choice)
{
    mcp::features out;
    out.who = {.name = "fwd",
               .title = "fwd port forwarder",
               .version = FWD_VERSION,
               .description = "Services of Kubernetes clusters on this machine, under their own names and ports",
               .instructions = tools::instructions()};
    out.tools = tools::all_tools(with, choice);
    out.resources = resources::all_resources(with);
    out.templates = resources::all_templates(with);
    out.prompts = prompts::all_prompts();
    out.complete = prompts::completion(with);
    out.is_resource = resources::is_resource;
    return out;
}

std::string reference_page(const mcp::features& of)
{
    std::string out =
        "# What `fwd mcp` offers\n\nThis page is written by `fwd mcp reference`; a test holds it equal to the program.\n\n"
        "Every result has a `summary`, every error `code`, `message`, `evidence` and `next`: calls or commands that help.\n\n## Tools\n\n";
    std::size_t at = 0;
    for (const auto& each : of.tools) out += tool_text(each, tools::tool_table()[at++]);
    out += "## Resources\n\n";
    for (const auto& each : of.resources) out += fmt::format("- `{}`: {}\n", each.uri, each.description);
    for (const auto& each : of.templates) out += fmt::format("- `{}`: {}\n", each.pattern, each.description);
    out += "\nAll can be subscribed to; each tells at most two changes a second.\n\n## Prompts\n\n";
    for (const auto& each : of.prompts) {
        out += fmt::format("- `{}`: {}", each.name, each.description);
        std::string arguments;
        for (const auto& argument : each.arguments)
            arguments += fmt::format("{}`{}`{}", arguments.empty() ? "" : ", ", argument.name, argument.needed ? "" : " (optional)");
        out += arguments.empty() ? "\n" : fmt::format(" Arguments: {}.\n", arguments);
    }
    return out;
}

} // namespace fwd::bridge
