// One service: what it is and how to connect; its tabs, and its pod's log.
#include "bridge/tui/service_facts.hpp"
#include "bridge/tui/view/lines.hpp"
#include "bridge/tui/view/view.hpp"
#include "bridge/tui/words.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

// --- info -----------------------------------------------------------------------------------------------------------

void add_state(std::vector<line>& to, const model& of, const wire::service& is)
{
    auto state = is.status;
    if (const auto since = clock_text(is.since, of.now, of.utc_offset); !since.empty()) state += " since " + since;
    if (is.status == "active") state += is.verified ? ", proven by a connection" : ", allowed and ready, not used yet";
    to.push_back(labelled("Status", std::move(state), tone_of_status(is.status)));
    if (const auto why = why_of(is); !why.empty()) add_wrapped(to, of, "Why", why, tone_of_status(is.status));
    if (is.last_error && is.last_error->message != is.reason)
        add_wrapped(to, of, "Last error",
                    fmt::format("{} {}{}", clock_text(is.last_error->at, of.now, of.utc_offset), is.last_error->message,
                                is.last_error->count > 1 ? fmt::format(" ({} times)", is.last_error->count) : ""),
                    tone::plain);
    to.push_back(labelled("Pods", fmt::format("{} of {} ready", is.pods.ready, is.pods.total)));
    if (is.waiting_connections > 0)
        to.push_back(
            labelled("Waiting", fmt::format("{} connections are held until a pod is ready", is.waiting_connections), tone::attention));
    if (!is.owner.client.empty())
        to.push_back(labelled("Asked by",
                              fmt::format("{}{} {}", is.owner.client, is.owner.purpose.empty() ? "" : " for: " + is.owner.purpose,
                                          clock_text(is.owner.created_at, of.now, of.utc_offset)),
                              tone::accent));
}

void add_connect(std::vector<line>& to, const model& of)
{
    to.push_back(heading(""));
    to.push_back(heading("CONNECT (y copies the line)"));
    std::set<std::string> shown;
    if (const auto& how = of.detail.connect.data) {
        for (const auto& each : how->ports)
            if (!each.url.empty() && shown.insert(each.url).second)
                to.push_back(labelled(each.kind.empty() ? "URL" : each.kind, each.url, tone::accent, each.url));
        for (const auto& [name, value] : how->env)
            to.push_back(labelled("", fmt::format("{}={}", name, value), tone::plain, fmt::format("{}={}", name, value)));
        for (const auto& each : how->secrets) to.push_back(labelled("password", each.command, tone::plain, each.command));
    } else if (of.detail.connect.why) {
        to.push_back(labelled("", of.detail.connect.why->message, tone::faint));
    }
}

void add_names(std::vector<line>& to, const wire::service& is)
{
    to.push_back(heading(""));
    to.push_back(heading("NAMES"));
    for (const auto& each : is.hostnames) {
        const auto at = is.forwards.empty() ? each : fmt::format("{}:{}", each, is.forwards.front().local_port);
        to.push_back(labelled("", at, tone::plain, at));
    }
    for (const auto& each : is.conflicts)
        to.push_back(labelled("Not", fmt::format("{}: held by {}", each.name, each.held_by), tone::attention, each.name));
    if (!is.local_ip.empty()) to.push_back(labelled("Address", is.local_ip, tone::plain, is.local_ip));
}

void add_ports(std::vector<line>& to, const wire::service& is)
{
    to.push_back(heading(""));
    to.push_back(heading("PORTS"));
    for (const auto& each : is.forwards) {
        auto where = fmt::format("{}:{}", is.local_ip, each.local_port);
        auto text = fmt::format("{} \u2192 {}", where, each.pod_name.empty() ? "no pod" : each.pod_name);
        if (each.pod_port != 0) text += fmt::format(":{}", each.pod_port);
        if (!each.port_name.empty()) text += fmt::format(" ({})", each.port_name);
        line row;
        row.pieces = {{fmt::format("{:<12}", each.status), tone_of_status(each.status)}, {text, tone::plain}};
        row.pieces.push_back({fmt::format("  {} open, {} in all, in {}, out {}", each.connections, each.total_connections,
                                          short_size(static_cast<double>(each.bytes_in)), short_size(static_cast<double>(each.bytes_out))),
                              tone::faint});
        if (!each.error.empty()) row.pieces.push_back({"  " + each.error, tone::bad});
        row.copies = std::move(where);
        to.push_back(std::move(row));
    }
    for (const auto& each : is.unsupported_ports)
        to.push_back(labelled("unsupported", fmt::format("{}/{}: {}", each.port, each.protocol, each.reason), tone::faint));
}

std::vector<line> info_lines(const model& of)
{
    std::vector<line> out;
    const auto* row = of.find(of.detail.key);
    if (!row) {
        out.push_back(plain(fmt::format("{} is no longer forwarded.", of.detail.key), tone::attention));
        return out;
    }
    add_state(out, of, row->is);
    add_ports(out, row->is);
    add_connect(out, of);
    add_names(out, row->is);
    return out;
}

// --- the other tabs ---------------------------------------------------------------------------------------------------

std::vector<line> problem_lines(const model& of, const bridge::rest_problem& why)
{
    std::vector<line> out;
    if (why.status == 404)
        add_wrapped(out, of, "", "The daemon has no answer: it is older than this program, or what is asked is gone.", tone::attention);
    add_wrapped(out, of, "Why", why.message, tone::bad);
    if (!why.cause.empty()) add_wrapped(out, of, "Cause", why.cause, tone::plain);
    for (const auto& each : why.evidence) add_wrapped(out, of, "", each, tone::faint);
    return out;
}

std::vector<line> told_lines(const model& of)
{
    const auto& data = of.detail.data;
    if (data.why) return problem_lines(of, *data.why);
    if (!data.data) return {plain("Asking the daemon...", tone::faint)};
    if (const auto* timeline = std::get_if<wire::explanation>(&*data.data)) return timeline_lines(of, *timeline);
    if (const auto* connections = std::get_if<wire::connection_list>(&*data.data)) return connection_lines(of, *connections);
    return http_lines(of, std::get<json::value>(*data.data));
}

bool passes_line(const line& each, const std::string& filter)
{
    std::string text;
    for (const auto& piece : each.pieces) text += piece.text;
    return passes(filter, {text});
}

/// Of a tab that is no log: few lines.
std::vector<line> tab_lines(const model& of)
{
    if (of.detail.at == tab::info) return info_lines(of);
    auto out = told_lines(of);
    std::erase_if(out, [&](const line& each) { return !passes_line(each, of.detail.filter); });
    if (out.empty()) out.push_back(plain("No line matches.", tone::faint));
    return out;
}

std::string empty_log(const followed_log& of)
{
    if (!of.lines.empty()) return "No line matches.";
    return of.open ? "The pod has written nothing yet." : of.why;
}

} // namespace

int detail_count(const model& of)
{
    if (of.detail.at != tab::pod_log) return static_cast<int>(tab_lines(of).size());
    return std::max(1, static_cast<int>(of.detail.log.lines.count()));
}

std::vector<line> detail_lines(const model& of, int from, int most)
{
    std::vector<line> out;
    if (of.detail.at != tab::pod_log) {
        auto all = tab_lines(of);
        for (auto at = static_cast<std::size_t>(std::max(from, 0)); at < all.size() && most-- > 0; ++at) out.push_back(std::move(all[at]));
        return out;
    }
    const auto& lines = of.detail.log.lines;
    for (auto at = static_cast<std::size_t>(std::max(from, 0)); at < lines.count() && most-- > 0; ++at) out.push_back(plain(lines.at(at)));
    if (lines.count() == 0) out.push_back(plain(empty_log(of.detail.log), tone::faint));
    return out;
}

void draw_detail(canvas& on, const model& of)
{
    int end = 0;
    for (const auto& each : tab_titles()) {
        on.put(each.place.x, 1, each.text, each.to == of.detail.at ? tone::title : tone::heading);
        end = each.place.x + each.place.width;
    }
    const auto* row = of.find(of.detail.key);
    on.put_right(end + 1, 1, fit(of.detail.key, of.width - end - 2), of.width - end - 2,
                 row ? tone_of_status(row->is.status) : tone::faint);
    const auto& place = of.detail.place;
    const bool marked = of.detail.at != tab::pod_log || !of.detail.log.follow;
    draw_lines(on, of, detail_lines(of, place.top, body_rows(of)), {marked ? place.cursor - place.top : -1, of.detail.shift});
}

} // namespace fwd::tui
