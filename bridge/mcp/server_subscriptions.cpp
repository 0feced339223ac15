// What a client subscribed to: addresses and log messages of the legacy session, and the listens of the modern era.
#include "bridge/mcp/flight.hpp"

namespace fwd::mcp {

namespace {

constexpr std::string_view subscription_key = "io.modelcontextprotocol/subscriptionId";
/// Sent before a legacy client named a level.
constexpr std::string_view default_level = "info";

bool asks_for(const json::object& filter, std::string_view name)
{
    const auto* member = filter.if_contains(name);
    return member && member->is_bool() && member->get_bool();
}

bool at_least(std::string_view level, std::string_view least)
{
    return level_rank(level).value_or(0) >= level_rank(least).value_or(0);
}

} // namespace

server::outcome server::subscribe(const rpc_request& request, bool on)
{
    const auto uri = text_in(request.params, "uri");
    if (uri.empty()) return invalid_params("params.uri must be the address of a resource");
    if (!can_subscribe(features_, uri)) {
        json::object data{{"uri", uri}};
        return rpc_error{rpc_code::resource_not_found, "Resource not found", std::move(data)};
    }
    if (on && !subscribed_.contains(uri)) {
        if (subscribed_.size() >= limits_.subscriptions) return invalid_params("too many subscriptions");
        subscribed_.insert(uri);
        parts_.changes.want(uri);
    }
    if (!on && subscribed_.erase(uri) > 0) parts_.changes.unwant(uri);
    return json::object{};
}

server::outcome server::set_level(const rpc_request& request)
{
    const auto level = text_in(request.params, "level");
    if (!level_rank(level))
        return invalid_params("params.level must be one of debug, info, notice, warning, error, critical, alert, emergency");
    if (level_.empty()) parts_.changes.want(std::string{change_feed::log_topic});
    level_ = level;
    return json::object{};
}

void server::listen(const std::shared_ptr<flight>& of)
{
    json::object honoured;
    const auto* given = of->request.params.if_contains("notifications");
    if (given && given->is_object() && features_.lists_change) {
        const auto flag = [&](std::string_view name, bool& into) {
            into = asks_for(given->get_object(), name);
            if (into) honoured[name] = true;
        };
        flag("toolsListChanged", of->filter.tools);
        flag("promptsListChanged", of->filter.prompts);
        flag("resourcesListChanged", of->filter.resources);
    }
    const auto* uris = given && given->is_object() ? given->get_object().if_contains("resourceSubscriptions") : nullptr;
    if (uris && uris->is_array()) {
        json::array kept;
        for (const auto& each : uris->get_array()) {
            if (!each.is_string() || of->filter.uris.size() >= limits_.subscriptions) continue;
            const std::string uri{each.get_string()};
            if (!can_subscribe(features_, uri) || !of->filter.uris.insert(uri).second) continue;
            parts_.changes.want(uri);
            kept.push_back(each);
        }
        honoured["resourceSubscriptions"] = std::move(kept);
    }
    json::object meta;
    meta[subscription_key] = of->request.id;
    json::object params;
    params["_meta"] = std::move(meta);
    params["notifications"] = std::move(honoured);
    of->into->tell(notification("notifications/subscriptions/acknowledged", std::move(params)));
}

void server::heard(const change& what)
{
    using kind = change::kind;
    std::string_view method = "notifications/resources/updated";
    if (what.what == kind::tools) method = "notifications/tools/list_changed";
    if (what.what == kind::prompts) method = "notifications/prompts/list_changed";
    if (what.what == kind::resources) method = "notifications/resources/list_changed";
    if (what.what == kind::log) {
        if (level_.empty() || !protocol_.open() || !background_ || !at_least(what.level, level_)) return;
        json::object params{{"level", what.level}, {"logger", what.logger}, {"data", what.data}};
        return background_->tell(notification("notifications/message", std::move(params)));
    }
    const bool resource = what.what == kind::resource;
    json::object params;
    if (resource) params["uri"] = what.uri;
    // The legacy session hears of lists unasked, of resources by subscription.
    if (protocol_.open() && background_ && (resource ? subscribed_.contains(what.uri) : features_.lists_change))
        background_->tell(notification(method, params));
    for (const auto& [key, of] : flights_) {
        const auto& filter = of->filter;
        const bool wanted = (resource && filter.uris.contains(what.uri)) || (what.what == kind::tools && filter.tools) ||
                            (what.what == kind::prompts && filter.prompts) || (what.what == kind::resources && filter.resources);
        if (!wanted) continue;
        auto named = params;
        json::object meta;
        meta[subscription_key] = of->request.id;
        named["_meta"] = std::move(meta);
        of->into->tell(notification(method, std::move(named)));
    }
}

void server::log_to(const request_context& asked, const outlet_ptr& into, std::string_view level, std::string_view logger, json::value data)
{
    const auto least = asked.era == era::modern ? std::string_view{asked.log_level}
                       : level_.empty()         ? default_level
                                                : std::string_view{level_};
    if (least.empty() || !at_least(level, least)) return;
    json::object params{{"level", level}, {"logger", logger}};
    params["data"] = std::move(data);
    into->tell(notification("notifications/message", std::move(params)));
}

} // namespace fwd::mcp
