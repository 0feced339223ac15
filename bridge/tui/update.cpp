#include "bridge/tui/update.hpp"

#include "bridge/tui/act.hpp"
#include "bridge/tui/happenings.hpp"
#include "bridge/tui/layout.hpp"
#include "bridge/tui/service_facts.hpp"
#include "bridge/tui/words.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

constexpr std::size_t few = 8;          ///< services asked for one by one; more are asked for at once
constexpr auto pause_after_all = 500ms; ///< between two readings of everything
constexpr auto pause_after_some = 100ms;
constexpr auto pause_of_detail = 1s;

/// Totals come in events, about once a second for each service that moves: the rate is between two of them.
void take_traffic(model& of, const wire::event& what)
{
    const auto found = of.services.find(what.service_key);
    if (found == of.services.end() || !what.timestamp) return;
    auto& row = found->second;
    auto& is = row.is;
    const auto grown = [](std::uint64_t now, std::uint64_t before) { return now > before ? static_cast<double>(now - before) : 0.0; };
    const auto in = grown(what.bytes_in, row.counted_in), out = grown(what.bytes_out, row.counted_out);
    // Silence before it was not traffic: the daemon samples each second.
    auto seconds = 1.0;
    if (row.sampled) seconds = std::chrono::duration<double>(*what.timestamp - *row.sampled).count();
    if (seconds <= 0.2 || seconds > 1.8) seconds = 1.0;
    is.rate_in = in / seconds;
    is.rate_out = out / seconds;
    is.total_bytes_in = row.counted_in = what.bytes_in;
    is.total_bytes_out = row.counted_out = what.bytes_out;
    row.sampled = what.timestamp;
    row.history.add(second_of(*what.timestamp), is.rate_in + is.rate_out);
}

/// The browser's marks follow what happens, whoever does it.
void mark_browsed(browse_page& of, const wire::event& what)
{
    if (!of.items.data || what.context != of.context) return;
    const bool whole = what.type == "NamespaceAdded" || what.type == "NamespaceRemoved";
    const bool one = (what.type == "ServiceAdded" || what.type == "ServiceRemoved") && what.namespace_name == of.name_space;
    if (of.level != (whole ? browse_level::namespaces : browse_level::services) || (!whole && !one)) return;
    for (auto& each : *of.items.data)
        if (each.name == (whole ? what.namespace_name : what.service)) each.forwarded = what.type.ends_with("Added");
}

void take_event(model& of, const wire::event& what)
{
    of.last_word = of.now;
    mark_browsed(of.browse, what);
    if (auto row = row_of(what, of.own_client)) of.log.add(std::move(*row));
    if (what.service_key == of.detail.key && !what.service_key.empty()) of.detail.stale = true;
    if (what.type == "BandwidthUpdate") return take_traffic(of, what);
    if (what.type == "ServiceRemoved") {
        of.services.erase(what.service_key);
        of.stale_keys.erase(what.service_key);
        of.stale_status = true;
        return arrange(of);
    }
    if (what.type == "ErrorRaised" || what.type == "ErrorResolved" || what.type == "NamespaceAdded" || what.type == "NamespaceRemoved")
        of.stale_status = true;
    if (what.service_key.empty()) return;
    // A connection changes what is shown of a service only where it is the first proof, or its counts are open before us.
    const auto* row = of.find(what.service_key);
    const bool shown = of.at == page::detail && of.detail.key == what.service_key;
    if (what.type.starts_with("Connection") && row && row->is.verified && !shown) return;
    of.stale_keys.insert(what.service_key);
}

void count_from(service_row& row, const wire::service& answer)
{
    row.counted_in = std::max(row.counted_in, answer.total_bytes_in);
    row.counted_out = std::max(row.counted_out, answer.total_bytes_out);
}

/// Counters in an answer may be older than those of events.
service_row& put_service(model& of, wire::service next)
{
    auto& row = of.services[next.key];
    if (row.sampled && row.is.total_bytes_in >= next.total_bytes_in && row.is.total_bytes_out >= next.total_bytes_out) {
        next.total_bytes_in = row.is.total_bytes_in;
        next.total_bytes_out = row.is.total_bytes_out;
        next.rate_in = row.is.rate_in;
        next.rate_out = row.is.rate_out;
    }
    row.is = std::move(next);
    return row;
}

/// What a new service had counted before is no rate.
void put_one(model& of, const wire::service& answer)
{
    const bool fresh = !of.services.contains(answer.key);
    auto& row = put_service(of, answer);
    if (fresh) count_from(row, answer);
}

void take_all(model& of, const wire::service_list& list)
{
    std::set<std::string_view> there;
    for (const auto& each : list.services) {
        there.insert(each.key);
        count_from(put_service(of, each), each);
    }
    std::erase_if(of.services, [&](const auto& each) { return !there.contains(each.first); });
    arrange(of);
}

void plan_loads(model& of, std::vector<effect>& then)
{
    if (of.link != reach::there) return;
    if (!of.loading && of.now >= of.next_load && (of.stale_all || of.stale_status || !of.stale_keys.empty())) {
        effect load{.what = wish::load};
        load.all = of.stale_all || of.stale_keys.size() > few;
        load.status = of.stale_all || of.stale_status;
        if (!load.all) load.keys.assign(of.stale_keys.begin(), of.stale_keys.end());
        of.next_load = of.now + (load.all ? pause_after_all : pause_after_some);
        of.stale_all = of.stale_status = false;
        of.stale_keys.clear();
        of.loading = true;
        then.push_back(std::move(load));
    }
    if (of.at == page::detail && of.detail.stale && !of.detail.data.asked && of.now >= of.detail.next_load) load_detail(of, then);
}

/// A log is followed as long as its tab is open, also under the page of keys.
void end_following(model& of, std::vector<effect>& then)
{
    const auto at = of.at == page::help ? of.before_help : of.at;
    if (!of.following || (at == page::detail && of.detail.at == tab::pod_log && of.detail.log.open)) return;
    of.following = false;
    then.push_back({.what = wish::unfollow_log});
}

class receiver {
public:
    receiver(model& of, std::vector<effect>& then) : of_{of}, then_{then} {}

    void operator()(const key& what) { press(of_, what, then_); }
    void operator()(const resized& what)
    {
        of_.width = std::max(what.width, 1);
        of_.height = std::max(what.height, 1);
    }
    void operator()(const passed&) {}
    void operator()(const connected& what)
    {
        if (of_.link == reach::gone) {
            of_.log.add({of_.now, tone::good, fmt::format("daemon {} answers, pid {}", what.about.version, what.about.pid), {}, {}});
            if (what.about.pid != of_.about.pid) of_.owns_daemon = false;
        }
        of_.link = reach::there;
        of_.about = what.about;
        of_.last_word = of_.now;
        of_.stale_all = true;
        of_.loading = false;
        of_.next_load = of_.now;
        of_.detail.stale = true;
        then_.push_back({.what = wish::load_history});
        if (of_.at == page::browse && !of_.browse.items.data) open_page(of_, page::browse, then_);
    }
    void operator()(const lost& what)
    {
        if (of_.link == reach::there) of_.log.add({of_.now, tone::bad, "the daemon is gone", {}, {}});
        of_.link = reach::gone;
        of_.link_why = what.why;
        of_.loading = false;
        of_.health = {};
    }
    void operator()(const happened& what) { take_event(of_, what.what); }
    void operator()(const missed& what)
    {
        of_.stale_all = true;
        of_.log.add({of_.now,
                     tone::attention,
                     what.count == 0 ? "some events were missed"
                                     : fmt::format("{} events were missed: more happened than could be told", what.count),
                     {},
                     {}});
        then_.push_back({.what = wish::load_history});
    }
    void operator()(const services_answer& what)
    {
        if (!what.got) return failed(what.got.error());
        of_.last_word = of_.now;
        take_all(of_, *what.got);
    }
    void operator()(const service_answer& what)
    {
        if (!what.got && what.got.error().status == 404)
            of_.services.erase(what.key);
        else if (!what.got)
            return failed(what.got.error());
        else
            put_one(of_, *what.got);
        of_.last_word = of_.now;
        arrange(of_);
    }
    void operator()(const status_answer& what)
    {
        if (!what.got) return failed(what.got.error());
        of_.health = *what.got;
    }
    void operator()(const load_ended&) { of_.loading = false; }
    void operator()(const connect_answer& what)
    {
        if (what.key != of_.detail.key) return;
        auto& connect = of_.detail.connect;
        connect.asked = false;
        if (what.got)
            connect.data = *what.got, connect.why.reset();
        else
            connect.why = what.got.error();
    }
    void operator()(const tab_answer& what)
    {
        auto& detail = of_.detail;
        if (what.key != detail.key || what.of != detail.at) return;
        detail.data.asked = false;
        if (what.got)
            detail.data.why.reset();
        else
            detail.data.why = what.got.error();
        if (what.got) detail.data.data = *what.got;
    }
    void operator()(const log_came& what)
    {
        auto& log = of_.detail.log;
        if (what.number != log.number) return;
        const auto before = log.lines.forgotten();
        for (const auto& each : what.lines) log.lines.add(each);
        // What one reads stays where it is.
        const auto gone = static_cast<int>(log.lines.forgotten() - before);
        of_.detail.place.cursor -= gone;
        of_.detail.place.top -= gone;
        log.brought = true;
    }
    void operator()(const log_ended& what)
    {
        if (what.number == of_.followed) of_.following = false;
        auto& log = of_.detail.log;
        if (what.number != log.number) return;
        log.open = false;
        log.ended = of_.now;
        log.why = what.why;
        // A container that began anew is followed, and another pod; what ends as soon as it begins waits for news of the service.
        const auto* row = of_.find(of_.detail.key);
        if (log.brought || (row && pod_of(row->is) != log.pod)) of_.detail.stale = true;
        log.brought = false;
    }
    void operator()(const history_answer& what)
    {
        if (!what.got) return; // an older daemon keeps none; what happens from now on is shown
        for (const auto& each : *what.got)
            if (auto row = row_of(as_event(each), of_.own_client)) of_.log.add(std::move(*row));
    }
    void operator()(const browse_answer& what)
    {
        auto& browse = of_.browse;
        if (what.level != browse.level || what.context != browse.context || what.name_space != browse.name_space) return;
        browse.items.asked = false;
        if (what.got)
            browse.items.data = *what.got, browse.items.why.reset();
        else
            browse.items.why = what.got.error();
    }
    void operator()(const told& what) { say(of_, what.text, what.good ? tone::good : tone::bad); }

private:
    void failed(const bridge::rest_problem& why)
    {
        if (of_.link == reach::there) say(of_, why.message, tone::bad);
    }

    model& of_;
    std::vector<effect>& then_;
};

} // namespace

std::vector<effect> update(model& of, const message& what, wall_time now)
{
    std::vector<effect> then;
    of.now = std::max(of.now, now);
    if (!of.say.text.empty() && of.now >= of.say.until) of.say = {};
    std::visit(receiver{of, then}, what);
    plan_loads(of, then);
    end_following(of, then);
    keep_places(of);
    return then;
}

} // namespace fwd::tui
