#include "daemon/api/history_views.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/value.hpp>

#include <fmt/core.h>

namespace fwd::api {

namespace {

double milliseconds(duration span)
{
    return std::chrono::duration<double, std::milli>(span).count();
}

} // namespace

wire::next_step view(const catalog::next_step& from)
{
    wire::next_step made;
    made.method = from.method;
    made.path = from.path;
    if (!from.body.empty()) {
        auto body = parse_json(from.body);
        made.body = body ? std::move(*body) : json::value(from.body);
    }
    made.command = from.command;
    made.why = from.why;
    return made;
}

wire::explanation view(const catalog::explanation& from)
{
    wire::explanation made;
    made.asked = from.asked;
    made.key = from.key;
    made.service_name = from.service;
    made.namespace_name = from.namespace_name;
    made.context = from.context;
    made.forwarded = from.forwarded;
    made.ok = from.what.ok;
    made.code = from.what.code;
    made.verdict = from.what.sentence;
    made.suggestion = from.what.suggestion;
    for (const auto& one : from.what.next) made.next.push_back(view(one));
    for (const auto& one : from.entries) made.entries.push_back({one.at, one.source, one.kind, one.message, one.evidence});
    for (const auto& one : from.problems) {
        wire::wrong wrong{one.key, one.kind, one.what.code, one.what.sentence, one.what.suggestion};
        for (const auto& step : one.what.next) wrong.next.push_back(view(step));
        made.problems.push_back(std::move(wrong));
    }
    return made;
}

/// What the records of all three kinds have: when it was, and where.
template <class T>
static T begun(const past& from)
{
    T made;
    made.id = from.id;
    made.timestamp = from.when;
    made.service_key = from.service_key;
    made.forward_key = from.forward_key;
    made.pod_name = from.pod;
    return made;
}

wire::past_event event_view(const past& from)
{
    auto made = begun<wire::past_event>(from);
    made.type = from.type;
    made.namespace_name = from.namespace_name;
    made.context = from.context;
    made.status = from.status;
    made.code = from.code;
    made.message = from.message;
    made.client = from.client;
    return made;
}

wire::past_error error_view(const past& from)
{
    auto made = begun<wire::past_error>(from);
    made.namespace_name = from.namespace_name;
    made.context = from.context;
    made.error_type = from.code;
    made.message = from.message;
    made.resolved = from.resolved.has_value();
    made.resolved_at = from.resolved;
    return made;
}

wire::reconnection reconnection_view(const past& from)
{
    auto made = begun<wire::reconnection>(from);
    made.trigger = from.code;
    made.error = from.message;
    made.duration_ms = milliseconds(from.took);
    made.duration = fmt::format("{:.3g}s", made.duration_ms / 1000);
    return made;
}

wire::past_request request_view(const past& from, const std::string& owner)
{
    wire::past_request made;
    made.id = from.id;
    made.timestamp = from.when;
    made.method = from.type;
    made.path = from.message;
    made.client = from.client;
    made.owner = owner;
    made.service_key = from.service_key;
    made.status = to_number<std::int64_t>(from.status).value_or(0);
    made.code = from.code;
    return made;
}

wire::history_stats view(const past_count& from)
{
    wire::history_stats made;
    made.total_events = static_cast<std::int64_t>(from.events);
    made.total_errors = static_cast<std::int64_t>(from.errors);
    made.total_reconnects = static_cast<std::int64_t>(from.reconnections);
    made.total_requests = static_cast<std::int64_t>(from.asked);
    made.max_events = made.max_errors = made.max_reconnects = made.max_requests = static_cast<std::int64_t>(from.most);
    made.dropped = from.dropped;
    return made;
}

wire::log_entry view(const catalog::kept_line& from)
{
    wire::log_entry made;
    made.id = from.id;
    made.timestamp = from.line.when;
    made.level = name_of(from.line.level);
    made.message = printable(from.line.message);
    for (const auto& [name, value] : from.line.fields) made.fields.insert_or_assign(name, printable(value));
    return made;
}

} // namespace fwd::api
