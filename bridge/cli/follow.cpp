// fwd wait, reconnect, logs and traffic: verbs that watch something for a while.
#include "bridge/cli/ask.hpp"

#include "bridge/event_feed.hpp"
#include "bridge/json_look.hpp"
#include "common/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <fmt/core.h>

namespace fwd::cli {

using bridge::list_at;
using bridge::text_at;

namespace {

constexpr auto look_again = 200ms;
constexpr auto grace = 3s;
constexpr auto quiet_for = 240h; ///< a pod may write nothing for days

/// One that is waited for, and how it was when last looked at.
struct awaited {
    std::string key;
    std::string state; ///< empty: there
    std::optional<bridge::rest_problem> why;
};

awaitable<void> look_at_service(desk at, const wait_arguments& what, awaited& one)
{
    const auto got = co_await at.rest.service(one.key);
    if (!got) {
        one.state = got.error().message;
        one.why = got.error();
        co_return;
    }
    one.why.reset();
    one.state = got->status == "active" ? "" : got->status + (got->reason.empty() ? "" : ": " + got->reason);
    if (!one.state.empty() || what.until == "ready" || got->verified) co_return;
    // Reachable is what a connection proves.
    const json::object ask{{"timeoutMs", 5000}};
    const auto tried = co_await at.rest.change("POST", fmt::format("/services/{}/check", percent_encode(one.key)), ask, 5s);
    if (!tried) {
        one.state = tried.error().message;
        one.why = tried.error();
        co_return;
    }
    for (const auto& each : list_at(tried->data, "stages"))
        if (text_at(each, "ok") == "false") one.state = fmt::format("{}: {}", text_at(each, "stage"), text_at(each, "detail"));
}

/// What will not pass by waiting. A service that nobody asked for may be about to be, but not for long.
bool is_final(const bridge::rest_problem& why, duration waited)
{
    if (why.is(errc::not_found)) return waited >= grace;
    return why.is(errc::daemon_not_running) || why.is(errc::ambiguous) || why.is(errc::invalid_request) || why.status == 401 ||
           why.status == 403 || why.code.starts_with("daemon_too_");
}

/// The services of a namespace, as keys.
awaitable<bridge::answer<std::vector<std::string>>> keys_in(desk at, bridge::service_words words)
{
    bridge::service_query which;
    which.name_space = words.name_space;
    which.context = words.context;
    const auto page = co_await at.rest.services(which);
    if (!page) co_return page.error();
    std::vector<std::string> out;
    for (const auto& each : page->services)
        if (each.status != "unsupported") out.push_back(each.key);
    if (!page->services.empty()) co_return out;
    // None at all: of a namespace that has none, or that nobody forwards.
    const auto there = co_await at.rest.read("/namespaces/" + percent_encode(words.key()));
    if (!there) co_return there.error();
    co_return out;
}

std::string still_text(const std::vector<awaited>& all)
{
    std::size_t ready = 0;
    const awaited* first = nullptr;
    for (const auto& each : all) {
        if (each.state.empty())
            ++ready;
        else if (!first)
            first = &each;
    }
    auto out = fmt::format("{}/{} services ready", ready, all.size());
    if (first) out += printable(first->why ? "; " + first->state : fmt::format("; {} is {}", first->key, first->state));
    return out;
}

} // namespace

awaitable<int> wait_for(desk at, wait_arguments what)
{
    std::vector<awaited> all;
    for (const auto& text : what.words) {
        const auto words = words_of(text, what);
        if (!words) co_return tell_usage(at.on, words.error().message());
        if (!words->service.empty()) {
            all.push_back({words->key(), "not looked at yet", {}});
            continue;
        }
        const auto keys = co_await keys_in(at, *words);
        if (!keys) co_return tell(at.on, keys.error());
        for (const auto& each : *keys) all.push_back({each, "not looked at yet", {}});
    }
    const auto begun = at.clock.now(), until = begun + what.timeout;
    std::string shown;
    for (;;) {
        bool waiting = false;
        for (auto& each : all) {
            if (each.state.empty()) continue;
            co_await look_at_service(at, what, each);
            if (each.why && is_final(*each.why, at.clock.now() - begun)) {
                if (at.on.err_is_terminal && !shown.empty()) at.on.err("\r\x1b[K");
                co_return tell(at.on, *each.why);
            }
            waiting = waiting || !each.state.empty();
        }
        if (!waiting) break;
        if (const auto text = still_text(all); text != shown) {
            at.on.err(at.on.err_is_terminal ? fmt::format("\r\x1b[K{}", text) : text + "\n");
            shown = text;
        }
        if (at.clock.now() >= until) {
            if (at.on.err_is_terminal) at.on.err("\r\x1b[K");
            at.on.err(fmt::format("fwd: not {} within {} s\n", what.until,
                                  std::chrono::duration_cast<std::chrono::seconds>(what.timeout).count()));
            for (const auto& each : all)
                if (!each.state.empty()) at.on.err(fmt::format("  {}: {}\n", each.key, printable(each.state)));
            co_return failed;
        }
        co_await at.clock.sleep_for(look_again);
    }
    if (at.on.err_is_terminal && !shown.empty()) at.on.err("\r\x1b[K");
    json::array services;
    for (const auto& each : all) services.push_back(json::object{{"key", each.key}, {"state", what.until}});
    if (show_document(at, json::object{{"services", std::move(services)}})) co_return done;
    for (const auto& each : all) at.on.out(at.as == format::name ? each.key + "\n" : fmt::format("{} is {}\n", each.key, what.until));
    co_return done;
}

awaitable<int> reconnect(desk at, reconnect_arguments what)
{
    if (what.words.empty()) {
        const json::object body{{"scope", what.all ? "all" : "errors"}};
        const auto got = co_await at.rest.change("POST", "/services/reconnect", body);
        if (!got) co_return tell(at.on, got.error());
        if (show_document(at, got->data)) co_return done;
        const auto& services = list_at(got->data, "services");
        for (const auto& each : services)
            at.on.out(fmt::format("{}{}\n", printable(each.is_string() ? std::string{each.get_string()} : text_at(each, "key")),
                                  at.as == format::name ? "" : " reconnects"));
        if (services.empty()) at.on.err("No service is in error.\n");
        co_return done;
    }
    documents told;
    int worst = done;
    for (const auto& text : what.words) {
        const auto words = words_of(text, what);
        if (!words || words->service.empty())
            co_return tell_usage(at.on, words ? "reconnect takes services, not namespaces" : words.error().message());
        const auto got = co_await at.rest.change("POST", fmt::format("/services/{}/reconnect", percent_encode(words->key())));
        if (!got) {
            worst = std::max(worst, tell(at.on, got.error()));
            if (worst == not_running) break;
        } else if (is_document(at.as)) {
            told.add(got->data);
        } else {
            at.on.out(words->key() + (at.as == format::name ? "\n" : " reconnects\n"));
        }
    }
    at.on.out(told.text(at.as));
    co_return worst;
}

namespace {

struct log_source {
    std::string path;
    bridge::rest_client::parameters with;
};

awaitable<bridge::answer<log_source>> find_log(desk at, const log_arguments& what, bridge::service_words words)
{
    const auto service = co_await at.rest.service(words.key());
    if (!service) co_return service.error();
    std::string pod;
    for (const auto& each : service->forwards)
        if (pod.empty()) pod = each.pod_name;
    if (pod.empty()) {
        bridge::rest_problem none;
        none.code = "no_pod";
        none.message = fmt::format("{} has no pod whose log could be read", service->key);
        none.cause = service->reason;
        co_return none;
    }
    log_source out;
    out.path = fmt::format("/kubernetes/pods/{}/{}/logs", percent_encode(service->namespace_name), percent_encode(pod));
    out.with = {{"context", service->context},
                {"tail_lines", std::to_string(what.lines)},
                {"container", what.container},
                {"previous", what.previous ? "true" : ""}};
    co_return out;
}

/// A line comes as text, or as an object that has it.
std::string line_in(const bridge::sse_event& from)
{
    boost::system::error_code failure;
    const auto value = json::parse(from.data, failure);
    if (failure) return from.data;
    if (value.is_string()) return std::string{value.get_string()};
    for (const auto* each : {"line", "text", "message"})
        if (auto text = text_at(value, each); !text.empty()) return text;
    return value.is_object() && from.type != "dropped" ? std::string{} : from.data;
}

awaitable<int> follow_log(desk at, log_source from)
{
    from.with.emplace_back("follow", "true");
    auto stream = co_await at.rest.stream(from.path, from.with);
    if (!stream) co_return tell(at.on, stream.error());
    for (;;) {
        auto next = co_await (*stream)->next(quiet_for);
        if (!next) co_return co_await tell_end(at, "the log has ended");
        at.on.out(printable(line_in(*next)) + "\n");
    }
}

} // namespace

awaitable<int> pod_logs(desk at, log_arguments what)
{
    documents told;
    for (const auto& text : what.words) {
        const auto words = words_of(text, what);
        if (!words || words->service.empty())
            co_return tell_usage(at.on, words ? "logs takes a service, not a namespace" : words.error().message());
        auto from = co_await find_log(at, what, *words);
        if (!from) co_return tell(at.on, from.error());
        if (what.follow) co_return co_await follow_log(at, std::move(*from));
        const auto got = co_await at.rest.read(from->path, from->with);
        if (!got) co_return tell(at.on, got.error());
        if (is_document(at.as))
            told.add(got->data);
        else
            for (const auto& each : list_at(got->data, "logs"))
                if (each.is_string()) at.on.out(printable(std::string_view{each.get_string()}) + "\n");
    }
    at.on.out(told.text(at.as));
    co_return done;
}

namespace {

std::string rate_text(double bytes)
{
    return size_text(static_cast<std::uint64_t>(bytes)) + "/s";
}

awaitable<int> follow_traffic(desk at, std::string key, random_source& random)
{
    struct seen {
        std::uint64_t in = 0, out = 0;
    };
    std::map<std::string, seen> before;
    const bridge::service_query all;
    const auto page = co_await at.rest.services(all);
    if (!page) co_return tell(at.on, page.error());
    for (const auto& each : page->services) before[each.key] = {each.total_bytes_in, each.total_bytes_out};
    bridge::event_feed feed{at.rest, at.clock, random, "BandwidthUpdate"};
    bool was_up = false;
    for (;;) {
        const auto next = co_await feed.next();
        if (const auto* down = std::get_if<bridge::feed_down>(&next)) {
            if (!was_up) co_return tell(at.on, down->why);
            co_return co_await tell_end(at, "no traffic is told any more");
        }
        was_up = was_up || std::holds_alternative<bridge::feed_up>(next);
        const auto* event = std::get_if<wire::event>(&next);
        if (!event || (!key.empty() && event->service_key != key)) continue;
        auto& last = before[event->service_key];
        const auto in = event->bytes_in - std::min(last.in, event->bytes_in), out = event->bytes_out - std::min(last.out, event->bytes_out);
        last = {event->bytes_in, event->bytes_out};
        if (in == 0 && out == 0) continue;
        at.on.out(fmt::format("{}  {}  in {}  out {}\n", event->timestamp ? rfc3339(*event->timestamp) : "", event->service_key,
                              size_text(in), size_text(out)));
    }
}

} // namespace

awaitable<int> traffic(desk at, traffic_arguments what, random_source& random)
{
    std::vector<wire::service> shown;
    if (what.words.empty()) {
        const bridge::service_query all;
        auto page = co_await at.rest.services(all);
        if (!page) co_return tell(at.on, page.error());
        shown = std::move(page->services);
    }
    for (const auto& text : what.words) {
        const auto words = words_of(text, what);
        if (!words || words->service.empty())
            co_return tell_usage(at.on, words ? "traffic takes services, not namespaces" : words.error().message());
        auto got = co_await at.rest.service(words->key());
        if (!got) co_return tell(at.on, got.error());
        shown.push_back(std::move(*got));
    }
    if (what.follow) {
        // Named first: g++ 12 destroys the operands of a conditional in an expression that awaits twice.
        std::string key;
        if (!what.words.empty()) key = shown.front().key;
        co_return co_await follow_traffic(at, std::move(key), random);
    }
    if (is_document(at.as)) {
        json::array all;
        for (const auto& each : shown)
            all.push_back(json::object{{"key", each.key},
                                       {"totalBytesIn", each.total_bytes_in},
                                       {"totalBytesOut", each.total_bytes_out},
                                       {"rateIn", each.rate_in},
                                       {"rateOut", each.rate_out}});
        at.on.out(document(json::object{{"services", std::move(all)}}, at.as));
        co_return done;
    }
    table out{{"SERVICE", "IN", "OUT", "IN NOW", "OUT NOW", "OPEN"}};
    for (const auto& each : shown) {
        std::uint64_t open = 0;
        for (const auto& port : each.forwards) open += port.connections;
        if (at.as == format::name)
            at.on.out(each.key + "\n");
        else
            out.add({{each.key},
                     {size_text(each.total_bytes_in)},
                     {size_text(each.total_bytes_out)},
                     {rate_text(each.rate_in)},
                     {rate_text(each.rate_out)},
                     {std::to_string(open)}});
    }
    if (at.as != format::name) at.on.out(out.text(at.on));
    co_return done;
}

} // namespace fwd::cli
