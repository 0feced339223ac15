// What surrounds every page: the title with the pages, the line about the cursor's row, the keys; and the page itself.
#include "bridge/tui/service_facts.hpp"
#include "bridge/tui/view/view.hpp"
#include "bridge/tui/words.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

std::string counts_of(const model& of)
{
    if (of.link == reach::connecting) return "connecting ";
    if (of.link == reach::gone) return "NO DAEMON ";
    std::size_t active = 0;
    double in = 0, out = 0;
    for (const auto& [key, row] : of.services) {
        active += row.is.status == "active";
        in += row.is.rate_in;
        out += row.is.rate_out;
    }
    auto text = fmt::format("{}/{} active ", active, of.services.size());
    if (in > 0 || out > 0) text += fmt::format("\u2193{}/s \u2191{}/s ", short_size(in), short_size(out));
    return text;
}

/// What the row of the cursor has to say that its row has no room for.
piece about_service(const model& of)
{
    const auto at = static_cast<std::size_t>(of.table.place.cursor);
    const auto* row = at < of.table.keys.size() ? of.find(of.table.keys[at]) : nullptr;
    if (!row) return {};
    const auto& is = row->is;
    if (const auto why = why_of(is); !why.empty()) return {fmt::format("{}: {}", is.service_name, why), tone_of_status(is.status)};
    const auto client = client_of(is, of.own_client);
    return {(client.empty() ? "" : fmt::format("by {}  ", client)) + names_of(is), tone::faint};
}

/// Whether lines still come, and whose.
piece about_log(const model& of)
{
    const auto& log = of.detail.log;
    if (log.pod.empty()) return {};
    if (!log.open) return {fmt::format("pod {}: {}", log.pod, log.why), tone::attention};
    if (log.follow) return {fmt::format("pod {}, as it writes", log.pod), tone::good};
    return {fmt::format("pod {}: stopped at line {} of {}, Space goes on", log.pod, of.detail.place.cursor + 1, log.lines.count()),
            tone::attention};
}

piece about_cursor(const model& of)
{
    if (of.at == page::services) return about_service(of);
    if (of.at == page::detail && of.detail.at == tab::pod_log) return about_log(of);
    return {};
}

piece trouble(const model& of)
{
    if (of.link == reach::gone) {
        const auto at = clock_text(of.last_word, of.now, of.utc_offset);
        const auto how = at.empty()            ? std::string{"No daemon is running."}
                         : of.services.empty() ? std::string{"The daemon is gone."}
                                               : fmt::format("The daemon is gone; this was so at {}.", at);
        return {fmt::format("{} Waiting for {}: fwd start{}", how, at.empty() ? "one" : "a new one",
                            of.link_why.empty() ? "" : fmt::format("  ({})", of.link_why)),
                tone::bad};
    }
    for (const auto& each : of.health.contexts) {
        if (!each.error.empty()) return {fmt::format("context {}: {}", each.name, each.error), tone::bad};
        if (!each.waiting_for.empty()) return {fmt::format("context {}: waiting for {}", each.name, each.waiting_for), tone::attention};
    }
    return {};
}

piece message_line(const model& of)
{
    if (!of.say.text.empty()) return {of.say.text, of.say.in};
    if (auto wrong = trouble(of); !wrong.text.empty()) return wrong;
    return about_cursor(of);
}

std::vector<std::pair<std::string, std::string>> keys_of(const model& of)
{
    switch (of.at) {
    case page::services:
        if (!of.table.chosen.empty())
            return {{"Space", "choose"}, {"d", "remove"}, {"r", "reconnect"}, {"y", "copy"}, {"Esc", "choose none"}, {"?", "help"}};
        return {{"Enter", "open"}, {"/", "filter"}, {"f", "browse"}, {"d", "remove"}, {"r", "reconnect"},
                {"y", "copy"},     {"s", "sort"},   {"?", "help"},   {"q", "quit"}};
    case page::errors: return {{"Enter", "open"}, {"r", "reconnect"}, {"R", "all in error"}, {"Esc", "back"}, {"?", "help"}, {"q", "quit"}};
    case page::log:
        return {{"Space", of.log.follow ? "stop" : "go on"},
                {"/", "filter"},
                {"g", "oldest"},
                {"Enter", "open"},
                {"y", "copy"},
                {"Esc", "back"},
                {"?", "help"},
                {"q", "quit"}};
    case page::browse:
        if (of.browse.level == browse_level::services)
            return {{"Enter", "forward"}, {"Space", "choose"}, {"/", "filter"}, {"Esc", "back"}, {"?", "help"}, {"q", "quit"}};
        if (of.browse.level == browse_level::namespaces)
            return {{"Enter", "open"}, {"a", "forward all of it"}, {"Space", "choose"}, {"/", "filter"}, {"Esc", "back"}, {"?", "help"}};
        return {{"Enter", "open"}, {"/", "filter"}, {"Esc", "back"}, {"?", "help"}, {"q", "quit"}};
    case page::detail:
        if (of.detail.at == tab::pod_log)
            return {{"Space", of.detail.log.follow ? "stop" : "go on"},
                    {"/", "filter"},
                    {"\u2190 \u2192", "sideways"},
                    {"y", "copy"},
                    {"Tab", "next"},
                    {"Esc", "back"},
                    {"?", "help"}};
        return {{"Tab", "next"}, {"y", "copy"}, {"r", "reconnect"}, {"d", "remove"}, {"Esc", "back"}, {"?", "help"}};
    default: return {{"Esc", "back"}, {"q", "quit"}};
    }
}

std::string question(const model& of)
{
    if (of.ask.what == asking::removal) {
        std::uint64_t open = 0;
        for (const auto& key : of.ask.keys)
            if (const auto* row = of.find(key))
                for (const auto& each : row->is.forwards) open += each.connections;
        const auto what = of.ask.keys.size() == 1 ? of.ask.keys.front() : fmt::format("{} services", of.ask.keys.size());
        return fmt::format("Remove {}?{} y/n", what,
                           open == 0 ? "" : fmt::format(" {} open connection{} will break.", open, open == 1 ? "" : "s"));
    }
    if (of.ask.what == asking::quitting) return "Quit and stop the daemon with all forwards? y: stop   D: leave it running   n: stay";
    return "/" + of.ask.text;
}

} // namespace

void draw_title(canvas& on, const model& of)
{
    on.fill(0, 0, of.width, tone::title);
    on.put(1, 0, "fwd", tone::title);
    const auto titles = page_titles(of);
    const auto shown = of.at == page::detail ? of.detail.from : of.at;
    int end = 0;
    for (const auto& each : titles) {
        on.put(each.place.x, 0, each.text, each.to == shown ? tone::open : tone::title);
        end = each.place.x + each.place.width;
    }
    auto right = counts_of(of);
    if (!of.about.primary.namespace_name.empty()) {
        const auto primary = fmt::format("{} in {}  ", of.about.primary.namespace_name, of.about.primary.context);
        if (end + 2 + width_of(primary) + width_of(right) <= of.width) right = primary + right;
    }
    on.put_right(end + 1, 0, fit(right, of.width - end - 1), of.width - end - 1, tone::title);
}

void draw_status_bar(canvas& on, const model& of)
{
    const int line = of.height - 2, bar = of.height - 1;
    const auto says = message_line(of);
    on.put(1, line, fit(says.text, of.width - 2), says.in);
    on.fill(0, bar, of.width, tone::bar);
    if (of.ask.what != asking::nothing) {
        const auto text = question(of);
        // The end of a long filter is where one types.
        const int over = width_of(text) - (of.width - 3);
        const int x = 1 + on.put(1, bar, over > 0 ? fit(text, of.width - 3) : text, tone::key);
        if (of.ask.what == asking::filter) on.put(x, bar, "_", tone::key);
        return;
    }
    int end = of.width - 1;
    if (const auto* filter = filter_of(of); filter && !filter->empty()) {
        const auto text = fit(fmt::format(" /{} ", *filter), of.width / 2);
        end -= width_of(text);
        on.put(end + 1, bar, text, tone::key);
    }
    int x = 1;
    for (const auto& [key, what] : keys_of(of)) {
        if (x + width_of(key) + 1 + width_of(what) > end) break;
        x += on.put(x, bar, key, tone::key) + 1;
        x += on.put(x, bar, what, tone::bar) + 2;
    }
}

void mark_row(canvas& on, const model& of, int y)
{
    on.put(0, y, "\u203a", tone::accent);
    on.mark(0, y, of.width);
}

void draw_lines(canvas& on, const model& of, const std::vector<line>& lines, lines_look how)
{
    for (int row = 0; row < body_rows(of) && row < static_cast<int>(lines.size()); ++row) {
        const int y = body_top + row;
        int x = 2, left_out = how.shift;
        for (const auto& each : lines[static_cast<std::size_t>(row)].pieces) {
            const auto text = left_out > 0 ? skip(each.text, left_out) : each.text;
            left_out -= std::min(left_out, width_of(each.text));
            x += on.put(x, y, fit(text, of.width - x), each.in);
        }
        if (row == how.marked) mark_row(on, of, y);
    }
}

void draw_empty(canvas& on, const model& of, std::string_view says, std::string_view help)
{
    const auto lines = wrap(says, of.width - 8, 6);
    int y = body_top + std::max((body_rows(of) - static_cast<int>(lines.size()) - 2) / 2, 0);
    for (const auto& each : lines) on.put((of.width - width_of(each)) / 2, y++, each, tone::plain);
    on.put(std::max((of.width - width_of(help)) / 2, 0), y + 1, help, tone::faint);
}

canvas draw(const model& of)
{
    canvas on{of.width, of.height};
    if (of.width < 40 || of.height < 8) {
        on.put(0, 0, "fwd needs 40x8", tone::bad);
        return on;
    }
    draw_title(on, of);
    switch (of.at) {
    case page::services: draw_services(on, of); break;
    case page::errors: draw_errors(on, of); break;
    case page::log: draw_log(on, of); break;
    case page::browse: draw_browse(on, of); break;
    case page::detail: draw_detail(on, of); break;
    case page::help: draw_help(on, of); break;
    }
    draw_status_bar(on, of);
    return on;
}

} // namespace fwd::tui
