// Errors, log and browser: lists with a cursor.
#include "bridge/tui/problems.hpp"
#include "bridge/tui/service_facts.hpp"
#include "bridge/tui/view/view.hpp"
#include "bridge/tui/words.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

std::string browse_heading(const browse_page& of)
{
    if (of.level == browse_level::contexts) return "CONTEXTS";
    if (of.level == browse_level::namespaces) return fmt::format("NAMESPACES of {}", of.context);
    return fmt::format("SERVICES of {} in {}", of.name_space, of.context);
}

} // namespace

void draw_errors(canvas& on, const model& of)
{
    const auto problems = problems_of(of);
    on.put(2, 1, "WHAT IS WRONG", tone::heading);
    if (problems.empty())
        return draw_empty(on, of, of.link == reach::gone ? "No daemon answers." : "Nothing is wrong.",
                          of.link == reach::gone ? "" : fmt::format("{} services are forwarded.", of.services.size()));
    int y = body_top;
    const int end = body_top + body_rows(of);
    for (auto at = static_cast<std::size_t>(of.errors.top); at < problems.size() && y < end; ++at) {
        const auto& each = problems[at];
        on.put(1, y, each.status == "error" ? "\u2717" : "\u25d0", tone_of_status(each.status), 1);
        const auto since = clock_text(each.since, of.now, of.utc_offset);
        const int room = of.width - 3 - width_of(each.status) - 2 - (since.empty() ? 0 : width_of(since) + 8);
        int x = 3 + on.put(3, y, fit(each.title, std::max(room, 8)), tone::plain);
        x += 2 + on.put(x + 2, y, each.status, tone_of_status(each.status));
        if (!since.empty()) on.put(x + 2, y, "since " + since, tone::faint);
        if (static_cast<int>(at) == of.errors.cursor) mark_row(on, of, y);
        ++y;
        for (const auto& line : reason_lines(of, each)) {
            if (y >= end) break;
            on.put(5, y++, line, tone::plain);
        }
    }
}

void draw_log(canvas& on, const model& of)
{
    const auto rows = rows_of(of.log);
    on.put(2, 1, "TIME", tone::heading);
    on.put(16, 1, of.log.follow ? "WHAT HAPPENED, as it happens" : "WHAT HAPPENED (stopped here; Space goes on)", tone::heading);
    if (rows.empty())
        return draw_empty(on, of, of.log.filter.empty() ? "Nothing has happened yet." : "No line matches.",
                          of.log.filter.empty() ? "What the daemon, agents and you do appears here." : "Esc shows all again.");
    std::vector<line> lines;
    const auto top = static_cast<std::size_t>(of.log.place.top);
    for (auto at = top; at < rows.size() && lines.size() < static_cast<std::size_t>(body_rows(of)); ++at) {
        const auto& each = *rows[at];
        line row;
        row.pieces = {{fmt::format("{:<14}", clock_text(each.at, of.now, of.utc_offset)), tone::faint}, {each.text, each.in}};
        if (!each.client.empty()) row.pieces.push_back({"  by " + each.client, tone::accent});
        lines.push_back(std::move(row));
    }
    draw_lines(on, of, lines, {of.log.follow ? -1 : of.log.place.cursor - of.log.place.top, of.log.shift});
}

void draw_browse(canvas& on, const model& of)
{
    const auto& page = of.browse;
    on.put(2, 1, fit(browse_heading(page), of.width - 2), tone::heading);
    if (page.items.why)
        return draw_empty(on, of, page.items.why->message + (page.items.why->cause.empty() ? "" : ": " + page.items.why->cause),
                          "r asks again, Esc goes back.");
    if (!page.items.data) return draw_empty(on, of, "Asking the cluster...", "");
    const auto items = items_of(page);
    if (items.empty()) return draw_empty(on, of, page.filter.empty() ? "Nothing is here." : "Nothing matches.", "Esc goes back.");
    int widest = 10;
    for (const auto* each : items) widest = std::max(widest, width_of(each->name));
    widest = std::min(widest, of.width / 2);
    for (int row = 0; row < body_rows(of); ++row) {
        const auto at = page.place.top + row;
        if (at >= static_cast<int>(items.size())) break;
        const auto& each = *items[static_cast<std::size_t>(at)];
        const int y = body_top + row;
        const bool chosen = page.chosen.contains(each.name);
        on.put(1, y,
               chosen           ? "\u2713"
               : each.forwarded ? "\u25cf"
                                : "\u25cb",
               chosen           ? tone::chosen
               : each.forwarded ? tone::good
                                : tone::faint,
               1);
        on.put(3, y, fit(each.name, widest), chosen ? tone::chosen : tone::plain);
        const int x = 3 + widest + 2;
        const auto more = (each.forwarded ? std::string{"forwarded  "} : std::string{}) + (each.why.empty() ? each.more : each.why);
        on.put(x, y, fit(more, of.width - x), each.why.empty() ? tone::faint : tone::bad);
        if (at == page.place.cursor) mark_row(on, of, y);
    }
}

} // namespace fwd::tui
