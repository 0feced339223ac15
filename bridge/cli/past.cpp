#include "bridge/cli/past.hpp"

#include "bridge/event_feed.hpp"
#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <algorithm>

namespace fwd::cli {

namespace {

constexpr auto quiet_for = 240h; ///< a daemon may log nothing for days; its comments come all the same

/// "07:15:02.123", with the date where it is not today's by UTC.
std::string moment(const std::optional<wall_time>& when, wall_time now)
{
    if (!when) return "-";
    const auto text = rfc3339(*when), today = rfc3339(now);
    return text.substr(0, 10) == today.substr(0, 10) ? text.substr(11, 12) : text.substr(0, 10) + " " + text.substr(11, 8);
}

/// "  try: COMMAND   # why", a line; empty where no command does it.
std::string step_line(const wire::next_step& step, std::string_view indent)
{
    const auto what = command_for(step);
    return what.empty() ? what
                        : fmt::format("{}try: {}{}\n", indent, printable(what), step.why.empty() ? "" : "   # " + printable(step.why));
}

std::string entries_text(const std::vector<wire::timeline_entry>& entries, const screen& on)
{
    if (entries.empty()) return {};
    const auto now = entries.back().at.value_or(wall_time{});
    table out{{"TIME", "SOURCE", "WHAT", "EVIDENCE"}};
    for (const auto& one : entries) {
        const bool bad = one.kind == "error" || one.kind == "exit" || one.kind == "out_of_memory" || one.kind == "not_ready";
        out.add({{moment(one.at, now), tone::faint},
                 {one.source},
                 {printable(one.message), bad ? tone::bad : tone::plain},
                 {printable(one.evidence), tone::faint}});
    }
    return "\n" + out.text(on);
}

std::string problems_text(const std::vector<wire::wrong>& problems, const screen& on)
{
    std::string text;
    for (const auto& one : problems) {
        text +=
            fmt::format("\n{}  {}\n  {}\n", on.painted(one.key, tone::attention), on.painted(one.code, tone::bad), printable(one.verdict));
        if (!one.suggestion.empty()) text += "  -> " + printable(one.suggestion) + "\n";
        if (!one.next.empty()) text += step_line(one.next.front(), "  ");
    }
    return text;
}

tone tone_of(std::string_view type)
{
    if (type == "ErrorRaised") return tone::bad;
    if (type == "ErrorResolved" || type == "Reconnected" || type == "ServiceAdded") return tone::good;
    return tone::plain;
}

/// Where it happened: the forward, the service, the namespace or the context.
std::string place_of(const std::string& forward, const std::string& service, const std::string& name_space, const std::string& context)
{
    if (!forward.empty()) return forward;
    if (!service.empty()) return service;
    if (!name_space.empty()) return "namespace " + name_space;
    return context.empty() ? "daemon" : "context " + context;
}

std::string event_line(const std::optional<wall_time>& when, const std::string& type, const std::string& place, const std::string& says,
                       const screen& on)
{
    return fmt::format("{}  {}  {}{}\n", when ? rfc3339(*when) : "-", on.painted(fmt::format("{:<16}", type), tone_of(type)),
                       printable(place), says.empty() ? "" : "  " + printable(says));
}

std::string says(const wire::event& one)
{
    std::string text = one.error.empty() ? one.reason : one.error;
    if (text.empty()) text = one.status;
    if (!one.client.empty()) text += (text.empty() ? "by " : ", by ") + one.client;
    return text;
}

std::string place_of(const wire::event& one)
{
    if (one.local_port != 0) return fmt::format("{}:{}", one.service_key, one.local_port);
    return place_of({}, one.service_key, one.namespace_name, one.context);
}

bool wanted(const wire::event& one, const std::string& key)
{
    return key.empty() || one.service_key == key || one.service_key.starts_with(key + ".");
}

awaitable<int> follow_events(desk at, event_arguments what, std::string key, random_source& random)
{
    bridge::event_feed feed{at.rest, at.clock, random, what.types};
    bool was_up = false;
    for (;;) {
        const auto item = co_await feed.next();
        if (const auto* event = std::get_if<wire::event>(&item)) {
            if (!wanted(*event, key) || (what.types.empty() && event->type == "BandwidthUpdate")) continue;
            if (at.as == format::json)
                at.on.out(json::serialize(wire::to_json(*event)) + "\n");
            else
                at.on.out(event_line(event->timestamp, event->type, place_of(*event), says(*event), at.on));
        } else if (const auto* lost = std::get_if<bridge::feed_lost>(&item))
            at.on.err(lost->count == 0 ? "some events were lost\n" : fmt::format("{} events were lost\n", lost->count));
        else if (const auto* down = std::get_if<bridge::feed_down>(&item)) {
            if (!was_up) co_return tell(at.on, down->why);
            at.on.err("the daemon is gone; waiting for it\n");
        } else
            was_up = true;
    }
}

std::string log_text(const wire::log_entry& one, const screen& on)
{
    const auto how = one.level == "error"   ? tone::bad
                     : one.level == "warn"  ? tone::attention
                     : one.level == "debug" ? tone::faint
                                            : tone::plain;
    auto text = fmt::format("{} {} {}", one.timestamp ? rfc3339(*one.timestamp) : "-", on.painted(fmt::format("{:<5}", one.level), how),
                            printable(one.message));
    for (const auto& [name, value] : one.fields) text += fmt::format(" {}={}", name, printable(value));
    return text + "\n";
}

awaitable<int> follow_log(desk at, daemon_log_arguments what)
{
    const bridge::rest_client::parameters with{{"level", what.level}, {"search", what.search}};
    auto opened = co_await at.rest.stream("/logs/stream", with);
    if (!opened) co_return tell(at.on, opened.error());
    for (;;) {
        const auto next = co_await (*opened)->next(quiet_for);
        if (!next) co_return co_await tell_end(at, "the daemon's log has ended");
        boost::system::error_code broken;
        const auto data = json::parse(next->data, broken);
        if (broken) continue;
        if (next->type == "dropped") {
            const auto lost = wire::from_json<wire::dropped>(data);
            at.on.err(fmt::format("{} lines were lost\n", lost ? lost->count : 0));
        } else if (next->type == "log") {
            if (at.as == format::json)
                at.on.out(next->data + "\n");
            else if (const auto one = wire::from_json<wire::log_entry>(data))
                at.on.out(log_text(*one, at.on));
        }
    }
}

} // namespace

std::string explanation_text(const wire::explanation& of, const screen& on)
{
    std::string text = fmt::format("{}  {}\n", on.painted(of.code, of.ok ? tone::good : tone::bad), printable(of.verdict));
    // In a list each problem has its own.
    if (of.problems.empty()) {
        if (!of.suggestion.empty()) text += "-> " + printable(of.suggestion) + "\n";
        for (const auto& step : of.next) text += step_line(step, "");
    }
    return text + problems_text(of.problems, on) + entries_text(of.entries, on);
}

awaitable<int> explain(desk at, explain_arguments what)
{
    std::string name = what.words.empty() ? std::string{} : what.words.front();
    if (!name.empty() && (!what.name_space.empty() || !what.context.empty())) {
        const auto words = words_of(name, what);
        if (!words) co_return tell_usage(at.on, words.error().message());
        name = words->key();
    }
    const auto got = co_await at.rest.explain(name, what.since);
    if (!got) co_return tell(at.on, got.error());
    if (!show_document(at, wire::to_json(*got))) at.on.out(explanation_text(*got, at.on));
    co_return got->ok ? done : failed;
}

awaitable<int> events(desk at, event_arguments what, random_source& random)
{
    std::string key;
    if (!what.words.empty()) {
        const auto words = words_of(what.words.front(), what);
        if (!words) co_return tell_usage(at.on, words.error().message());
        const auto service = co_await at.rest.service(words->key());
        // What is gone still has a past, under its whole key.
        if (!service && !service.error().is(errc::not_found)) co_return tell(at.on, service.error());
        key = service ? service->key : words->key();
    }
    if (what.follow) co_return co_await follow_events(at, std::move(what), std::move(key), random);
    const bridge::rest_client::parameters with{
        {"count", std::to_string(what.count)}, {"type", what.types}, {"since", what.since}, {"service", key}};
    const auto got = co_await at.rest.read("/history/events", with);
    if (!got) co_return tell(at.on, got.error());
    if (show_document(at, got->data)) co_return done;
    const auto* list = got->data.if_array();
    if (!list || list->empty()) {
        at.on.err("Nothing of that kind has happened.\n");
        co_return done;
    }
    for (auto one = list->rbegin(); one != list->rend(); ++one) {
        const auto event = wire::from_json<wire::past_event>(*one);
        if (!event) continue;
        auto text = event->message;
        if (!event->client.empty()) text += (text.empty() ? "by " : ", by ") + event->client;
        at.on.out(event_line(event->timestamp, event->type,
                             place_of(event->forward_key, event->service_key, event->namespace_name, event->context), text, at.on));
    }
    co_return done;
}

awaitable<int> daemon_log(desk at, daemon_log_arguments what)
{
    const bridge::rest_client::parameters with{{"count", std::to_string(what.lines)}, {"level", what.level}, {"search", what.search}};
    const auto got = co_await at.rest.read("/logs/system", with);
    if (!got) co_return tell(at.on, got.error());
    if (!what.follow && show_document(at, got->data)) co_return done;
    const auto list = wire::from_json<wire::log_list>(got->data);
    if (list)
        for (const auto& one : list->logs)
            at.on.out(at.as == format::json ? json::serialize(wire::to_json(one)) + "\n" : log_text(one, at.on));
    if (!what.follow) co_return done;
    co_return co_await follow_log(at, std::move(what));
}

} // namespace fwd::cli
