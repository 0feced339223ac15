#include "bridge/mcp/tool.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

namespace fwd::mcp {

namespace {

constexpr std::string_view annotations_since = "2025-03-26";
constexpr std::string_view structured_since = "2025-06-18";

json::object text_content(std::string text)
{
    return {{"type", "text"}, {"text", std::move(text)}};
}

std::string sentence(std::string text)
{
    if (!text.empty() && text.back() != '.' && text.back() != '?' && text.back() != '!') text += '.';
    return text;
}

std::string told(const next_call& step)
{
    auto what = step.tool.empty() ? step.command : fmt::format("{} {}", step.tool, json::serialize(step.arguments));
    return step.why.empty() ? what : fmt::format("{} ({})", what, step.why);
}

} // namespace

json::object as_json(const next_call& step)
{
    json::object out;
    if (!step.tool.empty()) {
        out["tool"] = step.tool;
        out["arguments"] = step.arguments;
    }
    if (!step.command.empty()) out["command"] = step.command;
    if (!step.why.empty()) out["why"] = step.why;
    return out;
}

json::object describe(const tool& what, std::string_view version)
{
    json::object out{{"name", what.name}};
    if (version >= structured_since) out["title"] = what.title;
    out["description"] = what.description;
    out["inputSchema"] = what.input;
    if (version >= structured_since && !what.output.empty()) out["outputSchema"] = what.output;
    if (version >= annotations_since)
        out["annotations"] = {{"title", what.title},
                              {"readOnlyHint", what.hints.read_only},
                              {"destructiveHint", what.hints.destructive},
                              {"idempotentHint", what.hints.idempotent},
                              {"openWorldHint", what.hints.open_world}};
    if (version >= structured_since && !what.meta.empty()) out["_meta"] = what.meta;
    return out;
}

json::object success(json::object structured, std::string_view version)
{
    json::object out{{"content", json::array{text_content(json::serialize(structured))}}};
    if (version >= structured_since) out["structuredContent"] = std::move(structured);
    out["isError"] = false;
    return out;
}

json::object failure(const tool_problem& why, std::string_view version)
{
    auto text = sentence(why.message);
    if (!why.cause.empty()) text += " " + sentence(why.cause);
    json::array evidence, next;
    for (const auto& each : why.evidence) evidence.push_back(json::value(each));
    for (const auto& each : why.next) {
        text += (next.empty() ? " Next: " : "; or ") + told(each);
        next.push_back(as_json(each));
    }
    json::object structured{{"summary", why.message}, {"code", why.code}, {"message", why.message}};
    if (!why.cause.empty()) structured["cause"] = why.cause;
    structured["evidence"] = std::move(evidence);
    structured["next"] = std::move(next);
    for (const auto& [name, value] : why.more) structured[name] = value;

    json::object out;
    // Before structured results the text is all that there is.
    if (version < structured_since && !why.more.empty()) text += "\n" + json::serialize(why.more);
    out["content"] = json::array{text_content(std::move(text))};
    if (version >= structured_since) out["structuredContent"] = std::move(structured);
    out["isError"] = true;
    return out;
}

} // namespace fwd::mcp
