#include "bridge/mcp/consent.hpp"

#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <array>

namespace fwd::mcp {

namespace {

constexpr auto good_for = 5min;
constexpr std::size_t most_open = 256;

/// The call as one text: members in order of name, without the token itself.
std::string canonical(const std::string& tool, const json::object& arguments)
{
    std::map<std::string, const json::value*> sorted;
    for (const auto& [name, value] : arguments)
        if (name != confirm_argument) sorted.emplace(std::string{name}, &value);
    json::object ordered;
    for (const auto& [name, value] : sorted) ordered[name] = *value;
    return tool + json::serialize(ordered);
}

} // namespace

consent read_consent(const json::object& elicited)
{
    const auto* action = elicited.if_contains("action");
    if (!action || !action->is_string()) return consent::canceled;
    if (action->get_string() == "decline") return consent::declined;
    if (action->get_string() != "accept") return consent::canceled;
    const auto* content = elicited.if_contains("content");
    const auto* ticked = content && content->is_object() ? content->get_object().if_contains("confirm") : nullptr;
    if (!ticked || !ticked->is_bool()) return consent::canceled;
    return ticked->get_bool() ? consent::given : consent::declined;
}

json::object consent_form(const tool_question& question, std::string_view version)
{
    json::object box{{"type", "boolean"}, {"title", question.title}, {"default", false}};
    json::object properties;
    properties["confirm"] = std::move(box);
    json::object schema{{"type", "object"}, {"properties", std::move(properties)}, {"required", json::array{"confirm"}}};
    json::object out;
    if (version >= "2025-11-25") out["mode"] = "form";
    out["message"] = question.message;
    out["requestedSchema"] = std::move(schema);
    return out;
}

json::object not_done(consent why)
{
    if (why == consent::declined) return {{"status", "declined"}, {"summary", "The user declined; nothing changed."}};
    return {{"status", "not_confirmed"},
            {"summary", "The question was not answered; nothing changed. Ask the user in words before calling again."}};
}

std::string consents::ask(const std::string& tool, const json::object& arguments)
{
    std::erase_if(open_, [&](const auto& each) { return each.second.until <= clock_.now(); });
    if (open_.size() >= most_open) open_.erase(open_.begin());
    std::array<std::byte, 18> bytes;
    random_.fill(bytes);
    auto token = "v1." + base64url(bytes);
    open_[token] = {canonical(tool, arguments), clock_.now() + good_for};
    return token;
}

bool consents::redeem(const std::string& token, const std::string& tool, const json::object& arguments)
{
    const auto found = open_.find(token);
    if (found == open_.end()) return false;
    const bool fits = found->second.until > clock_.now() && found->second.call == canonical(tool, arguments);
    open_.erase(found);
    return fits;
}

} // namespace fwd::mcp
