// One service: what it is and how to connect, what happened to it, what flows through it, and its pod's log.
#include "bridge/json_look.hpp"
#include "bridge/tui/view/view.hpp"
#include "bridge/tui/words.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

using bridge::list_at;
using bridge::look_at;
using bridge::number_at;
using bridge::text_at;

constexpr int label_width = 12;

line labelled(std::string_view label, std::string text, tone in = tone::plain, std::string copies = {})
{
    line out;
    auto name = std::string{label};
    name.resize(label_width, ' ');
    out.pieces = {{std::move(name), tone::faint}, {std::move(text), in}};
    out.copies = std::move(copies);
    return out;
}

line heading(std::string text)
{
    line out;
    out.pieces = {{std::move(text), tone::heading}};
    return out;
}

line plain(std::string text, tone in = tone::plain)
{
    line out;
    out.copies = text;
    out.pieces = {{std::move(text), in}};
    return out;
}

/// A long text under a label, in as many lines as it takes.
void add_wrapped(std::vector<line>& to, const model& of, std::string_view label, std::string_view text, tone in)
{
    bool first = true;
    for (auto& each : wrap(text, of.width - label_width - 4)) {
        to.push_back(labelled(first ? label : "", std::move(each), in, std::string{text}));
        first = false;
    }
}

std::string time_at(const model& of, const json::value& in, std::string_view name)
{
    const auto text = text_at(in, name);
    const auto at = parse_rfc3339(text);
    return at ? clock_text(at, of.now, of.utc_offset) : text;
}

// --- info -----------------------------------------------------------------------------------------------------------

void add_state(std::vector<line>& to, const model& of, const wire::service& is)
{
    auto state = is.status;
    if (const auto since = clock_text(is.since, of.now, of.utc_offset); !since.empty()) state += " since " + since;
    if (is.status == "active") state += is.verified ? ", proven by a connection" : ", allowed and ready; no connection was made yet";
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

void add_connect(std::vector<line>& to, const model& of, const wire::service& is)
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
    for (const auto& each : is.hostnames) {
        const auto at = is.forwards.empty() ? each : fmt::format("{}:{}", each, is.forwards.front().local_port);
        to.push_back(labelled(&each == &is.hostnames.front() ? "Names" : "", at, tone::plain, at));
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
    add_connect(out, of, row->is);
    add_ports(out, row->is);
    return out;
}

// --- what the daemon tells by itself ----------------------------------------------------------------------------------

std::vector<line> timeline_lines(const model& of, const json::value& data)
{
    std::vector<line> out;
    if (const auto verdict = text_at(data, "verdict"); !verdict.empty()) add_wrapped(out, of, "Verdict", verdict, tone::title);
    if (const auto suggestion = text_at(data, "suggestion"); !suggestion.empty()) add_wrapped(out, of, "Do", suggestion, tone::accent);
    if (!out.empty()) out.push_back(heading(""));
    for (const auto& each : list_at(data, "entries")) {
        line row;
        const auto kind = text_at(each, "kind");
        const bool bad = kind.find("rror") != std::string::npos || kind.find("ail") != std::string::npos;
        row.pieces = {{fmt::format("{:<13}", time_at(of, each, "time")), tone::faint},
                      {fmt::format("{:<8} ", text_at(each, "source")), tone::accent},
                      {text_at(each, "message"), bad ? tone::bad : tone::plain}};
        row.copies = text_at(each, "message");
        out.push_back(std::move(row));
        if (const auto evidence = text_at(each, "evidence"); !evidence.empty()) {
            line more;
            more.pieces = {{std::string(22, ' '), tone::faint}, {evidence, tone::faint}};
            more.copies = evidence;
            out.push_back(std::move(more));
        }
    }
    if (out.empty()) out.push_back(plain("Nothing is recorded yet.", tone::faint));
    return out;
}

std::string milliseconds_at(const json::value& of)
{
    for (const auto* name : {"durationMs", "duration"})
        if (const auto text = text_at(of, name); !text.empty()) return number_at(of, name) ? text + " ms" : text;
    return "-";
}

/// What stands in an answer for a service, or for each of its forwards.
std::vector<const json::value*> http_parts(const json::value& data)
{
    std::vector<const json::value*> out;
    for (const auto& each : list_at(data, "forwards")) out.push_back(&each);
    if (out.empty()) out.push_back(&data);
    return out;
}

std::vector<line> http_lines(const model& of, const json::value& data)
{
    std::vector<line> out;
    const auto& summary = look_at(data, "summary");
    if (const auto total = number_at(summary, "totalRequests"); total && *total > 0) {
        std::string codes;
        if (const auto& by = look_at(summary, "statusCodes"); by.is_object())
            for (const auto& each : by.get_object()) codes += fmt::format("  {} {}", std::string_view{each.key()}, text_at(by, each.key()));
        auto text = fmt::format("{:.0f} requests{}", *total, codes);
        for (const auto* each : {"p50Ms", "p95Ms"})
            if (const auto number = text_at(summary, each); !number.empty())
                text += fmt::format("  {} {} ms", std::string_view{each, 3}, number);
        out.push_back(labelled("Seen", text));
        out.push_back(heading(""));
    }
    struct request {
        std::string at;
        line shown;
    };
    std::vector<request> requests;
    for (const auto* part : http_parts(data))
        for (const auto& each : list_at(*part, "logs")) {
            const auto code = static_cast<int>(number_at(each, "statusCode").value_or(0));
            line row;
            row.pieces = {{fmt::format("{:<10}", time_at(of, each, "timestamp")), tone::faint},
                          {code == 0 ? "  - " : fmt::format("{:>3} ", code), code >= 500   ? tone::bad
                                                                             : code >= 400 ? tone::attention
                                                                                           : tone::good},
                          {fmt::format("{:>9} ", milliseconds_at(each)), tone::plain},
                          {fmt::format("{:>6} ", short_size(number_at(each, "size").value_or(0))), tone::faint},
                          {fmt::format("{:<6} ", text_at(each, "method")), tone::accent},
                          {text_at(each, "path"), tone::plain}};
            row.copies = text_at(each, "path");
            requests.push_back({text_at(each, "timestamp"), std::move(row)});
        }
    std::stable_sort(requests.begin(), requests.end(), [](const request& a, const request& b) { return a.at > b.at; });
    if (requests.empty())
        out.push_back(plain("No HTTP request was seen. TLS is left alone, so what is inside it is not seen.", tone::faint));
    for (auto& each : requests) out.push_back(std::move(each.shown));
    return out;
}

std::string client_of(const json::value& of)
{
    const auto& client = look_at(of, "client");
    if (client.is_string()) return std::string{client.get_string()};
    const auto& from = client.is_object() ? client : of;
    const auto name = text_at(from, "name"), process = text_at(from, "pid"), program = text_at(from, "process");
    auto out = !name.empty() ? name : program;
    if (!process.empty()) out += fmt::format("{}pid {}", out.empty() ? "" : " ", process);
    if (out.empty()) out = text_at(from, "address");
    return out.empty() ? "not visible" : out;
}

std::vector<line> connection_lines(const model& of, const json::value& data)
{
    std::vector<line> out;
    for (const auto& each : list_at(data, "connections")) {
        const auto state = text_at(each, "state").empty() ? text_at(each, "status") : text_at(each, "state");
        const auto pod = text_at(each, "pod").empty() ? text_at(each, "podName") : text_at(each, "pod");
        const auto port = text_at(each, "port").empty() ? text_at(each, "localPort") : text_at(each, "port");
        line row;
        row.pieces = {{fmt::format("{:<10}", time_at(of, each, "since")), tone::faint},
                      {fmt::format("{:<8} ", state.empty() ? "open" : state), state == "waiting" ? tone::attention : tone::good},
                      {fmt::format("{:<22} ", client_of(each)), tone::plain},
                      {fmt::format(":{:<6}\u2192 {} ", port, pod.empty() ? "no pod yet" : pod), tone::accent},
                      {fmt::format(" in {} out {}", short_size(number_at(each, "bytesIn").value_or(0)),
                                   short_size(number_at(each, "bytesOut").value_or(0))),
                       tone::faint}};
        row.copies = pod;
        out.push_back(std::move(row));
    }
    if (out.empty()) out.push_back(plain("No connection is open or waiting.", tone::faint));
    return out;
}

std::vector<line> pod_log_lines(const json::value& data)
{
    std::vector<line> out;
    for (const auto& each : list_at(data, "logs"))
        if (each.is_string()) out.push_back(plain(std::string{each.get_string()}));
    if (out.empty()) out.push_back(plain("The pod has written nothing.", tone::faint));
    return out;
}

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

} // namespace

std::vector<line> detail_lines(const model& of)
{
    if (of.detail.at == tab::info) return info_lines(of);
    const auto& data = of.detail.data;
    if (data.why) return problem_lines(of, *data.why);
    if (!data.data) return {plain("Asking the daemon...", tone::faint)};
    switch (of.detail.at) {
    case tab::timeline: return timeline_lines(of, *data.data);
    case tab::http: return http_lines(of, *data.data);
    case tab::connections: return connection_lines(of, *data.data);
    default: return pod_log_lines(*data.data);
    }
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
    draw_lines(on, of, detail_lines(of), of.detail.place);
}

} // namespace fwd::tui
