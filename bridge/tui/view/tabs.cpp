// What the daemon tells of one service: its timeline and its connections.
#include "bridge/tui/view/lines.hpp"
#include "bridge/tui/words.hpp"

#include <fmt/core.h>

namespace fwd::tui {

namespace {

std::string clock_of(const model& of, const std::optional<wall_time>& at)
{
    return fmt::format("{:<14}", clock_text(at, of.now, of.utc_offset));
}

void add_entry(std::vector<line>& to, const model& of, const wire::timeline_entry& each)
{
    constexpr int margin = 14 + 11;
    const bool bad = each.kind.find("rror") != std::string::npos || each.kind.find("ail") != std::string::npos;
    line row;
    row.pieces = {{clock_of(of, each.at), tone::faint},
                  {fmt::format("{:<10} ", each.source), tone::accent},
                  {each.message, bad ? tone::bad : tone::plain}};
    row.copies = each.message;
    // What it is known from: beside it where there is room, and only where it says more.
    const bool more = !each.evidence.empty() && each.message.find(each.evidence) == std::string::npos;
    const bool fits = margin + width_of(each.message) + width_of(each.evidence) + 6 <= of.width;
    if (more && fits) row.pieces.push_back({"  (" + each.evidence + ")", tone::faint});
    to.push_back(std::move(row));
    if (!more || fits) return;
    line below;
    below.pieces = {{std::string(margin, ' '), tone::faint}, {each.evidence, tone::faint}};
    below.copies = each.evidence;
    to.push_back(std::move(below));
}

std::string client_of(const wire::connection_client& from)
{
    auto out = from.process;
    if (from.pid) out += fmt::format("{}pid {}", out.empty() ? "" : " ", *from.pid);
    if (out.empty()) out = from.address;
    return out.empty() ? "not visible" : out;
}

} // namespace

std::vector<line> timeline_lines(const model& of, const wire::explanation& data)
{
    std::vector<line> out;
    if (!data.verdict.empty()) add_wrapped(out, of, "Verdict", data.verdict, data.ok ? tone::good : tone::bad);
    if (!data.suggestion.empty()) add_wrapped(out, of, "Do", data.suggestion, tone::accent);
    if (!out.empty()) out.push_back(heading(""));
    for (const auto& each : data.entries) add_entry(out, of, each);
    if (out.empty()) out.push_back(plain("Nothing is recorded yet.", tone::faint));
    return out;
}

std::vector<line> connection_lines(const model& of, const wire::connection_list& data)
{
    std::vector<line> out;
    for (const auto& each : data.connections) {
        const bool waits = each.state == "waiting";
        line row;
        row.pieces = {
            {clock_of(of, each.since), tone::faint},
            {fmt::format("{:<8} ", each.state), waits || each.stalled ? tone::attention : tone::good},
            {fmt::format("{:<22} ", client_of(each.client)), tone::plain},
            {fmt::format(":{:<6}\u2192 {} ", each.local_port, each.pod_name.empty() ? "no pod yet" : each.pod_name), tone::accent},
            {fmt::format(" in {} out {}", short_size(static_cast<double>(each.bytes_in)), short_size(static_cast<double>(each.bytes_out))),
             tone::faint}};
        if (waits && !each.waiting_for.empty()) row.pieces.push_back({fmt::format("  waits for a {}", each.waiting_for), tone::attention});
        if (each.stalled) row.pieces.push_back({"  somebody on its tunnel does not read", tone::attention});
        row.copies = each.pod_name;
        out.push_back(std::move(row));
    }
    if (out.empty()) out.push_back(plain("No connection is open or waiting.", tone::faint));
    return out;
}

} // namespace fwd::tui
