// The HTTP requests that were seen on the way to a service: what there were, and the last of them, newest first.
#include "bridge/json_look.hpp"
#include "bridge/tui/view/lines.hpp"
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

std::string totals_text(const json::value& summary)
{
    auto text = fmt::format("{:.0f} requests", number_at(summary, "totalRequests").value_or(0));
    if (const auto flying = number_at(summary, "inFlight").value_or(0); flying > 0) text += fmt::format(", {:.0f} under way", flying);
    if (const auto lost = number_at(summary, "unanswered").value_or(0); lost > 0) text += fmt::format(", {:.0f} without answer", lost);
    if (const auto& by = look_at(summary, "statusCodes"); by.is_object())
        for (const auto& each : by.get_object())
            if (text_at(by, each.key()) != "0") text += fmt::format("  {} {}", std::string_view{each.key()}, text_at(by, each.key()));
    if (const auto rate = number_at(summary, "requestsPerSecond").value_or(0); rate > 0) text += fmt::format("  {:.1f}/s", rate);
    return text;
}

void add_summary(std::vector<line>& to, const model& of, const json::value& summary)
{
    if (number_at(summary, "totalRequests").value_or(0) > 0) {
        to.push_back(labelled("Seen", totals_text(summary)));
        const auto middle = number_at(summary, "p50Ms"), high = number_at(summary, "p95Ms");
        if (middle && high) to.push_back(labelled("Took", fmt::format("p50 {}  p95 {}", short_time(*middle), short_time(*high))));
        std::string paths;
        for (const auto& each : list_at(summary, "topPaths"))
            paths += fmt::format("{} {}  ", text_at(each, "count"), text_at(each, "path"));
        if (!paths.empty()) to.push_back(labelled("Most", fit(paths, of.width - 16)));
    }
    const auto hidden = number_at(summary, "tlsConnections").value_or(0);
    if (hidden <= 0) return;
    std::string names;
    for (const auto& each : list_at(summary, "tlsNames"))
        if (each.is_string()) names += (names.empty() ? " for " : ", ") + std::string{each.get_string()};
    to.push_back(
        labelled("TLS", fmt::format("{:.0f} connections{}: left alone, so what is inside is not seen", hidden, names), tone::faint));
}

tone tone_of_code(int code)
{
    return code >= 500 || code == 0 ? tone::bad : code >= 400 ? tone::attention : tone::good;
}

/// What is unusual about a request: who broke it off, another protocol, another host than the service.
std::string remarks(const json::value& of)
{
    std::string out;
    if (const auto who = text_at(of, "cutBy"); !who.empty()) out += fmt::format("  cut by the {}", who);
    if (const auto status = text_at(of, "grpcStatus"); !status.empty()) out += "  grpc-status " + status;
    if (const auto protocol = text_at(of, "protocol"); !protocol.empty() && protocol != "HTTP/1.1") out += "  " + protocol;
    if (const auto host = text_at(of, "host"); !host.empty()) out += "  " + host;
    return out;
}

line request_line(const model& of, const json::value& from)
{
    const auto code = static_cast<int>(number_at(from, "statusCode").value_or(0));
    const auto took = number_at(from, "durationMs");
    line row;
    row.pieces = {{fmt::format("{:<14}", clock_text(parse_rfc3339(text_at(from, "timestamp")), of.now, of.utc_offset)), tone::faint},
                  {code == 0 ? std::string{"  - "} : fmt::format("{:>3} ", code), tone_of_code(code)},
                  {fmt::format("{:>8} ", took ? short_time(*took) : "-"), tone::plain},
                  {fmt::format("{:>6} ", short_size(number_at(from, "size").value_or(0))), tone::faint},
                  {fmt::format("{:<6} ", text_at(from, "method")), tone::accent},
                  {text_at(from, "path"), tone::plain},
                  {remarks(from), text_at(from, "cutBy").empty() ? tone::faint : tone::attention}};
    row.copies = text_at(from, "path");
    return row;
}

/// The requests of an answer, which has them for each forward or for all.
std::vector<const json::value*> requests_in(const json::value& data)
{
    std::vector<const json::value*> out;
    for (const auto& each : list_at(data, "logs")) out.push_back(&each);
    for (const auto& forward : list_at(data, "forwards"))
        for (const auto& each : list_at(forward, "logs")) out.push_back(&each);
    std::stable_sort(out.begin(), out.end(),
                     [](const json::value* a, const json::value* b) { return text_at(*a, "timestamp") > text_at(*b, "timestamp"); });
    return out;
}

} // namespace

std::vector<line> http_lines(const model& of, const json::value& data)
{
    std::vector<line> out;
    add_summary(out, of, look_at(data, "summary"));
    const auto requests = requests_in(data);
    if (!requests.empty()) {
        if (!out.empty()) out.push_back(heading(""));
        out.push_back(heading("TIME          CODE    TOOK   SIZE METHOD PATH"));
        for (const auto* each : requests) out.push_back(request_line(of, *each));
    } else if (out.empty())
        out.push_back(plain("No HTTP request was seen yet.", tone::faint));
    return out;
}

} // namespace fwd::tui
