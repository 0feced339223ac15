#include "bridge/tui/act.hpp"

#include "bridge/tui/layout.hpp"
#include "bridge/tui/service_facts.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

constexpr auto notice_time = 4s;

void ask_browse(model& of, std::vector<effect>& then)
{
    auto& browse = of.browse;
    browse.items = {};
    browse.items.asked = true;
    browse.place = {};
    browse.filter.clear();
    browse.chosen.clear();
    effect ask{.what = wish::browse};
    ask.level = browse.level;
    ask.context = browse.context;
    ask.name_space = browse.name_space;
    then.push_back(std::move(ask));
}

/// Follows the log of the service's pod, unless one is followed: which of several pods comes first may change at any time.
void follow_pod_log(model& of, std::vector<effect>& then)
{
    auto& log = of.detail.log;
    const auto* row = of.find(of.detail.key);
    const auto pod = row ? pod_of(row->is) : std::string{};
    if (log.open) return;
    if (pod.empty()) {
        if (log.why.empty()) log.why = "the service has no pod now, so there is no log to read";
        return;
    }
    effect follow{.what = wish::follow_log, .keys = {of.detail.key}};
    follow.name_space = row->is.namespace_name;
    follow.context = row->is.context;
    follow.text = pod;
    // The same pod again: a container that began anew, or a daemon that came back.
    if (pod == log.pod)
        follow.since = log.ended;
    else if (!log.lines.empty())
        log.lines.add(fmt::format("--- from here on pod {} ---", pod));
    follow.number = log.number = ++of.followed;
    of.following = log.open = true;
    log.pod = pod;
    log.why.clear();
    then.push_back(std::move(follow));
}

} // namespace

void say(model& of, std::string text, tone in)
{
    of.say = {std::move(text), in, of.now + notice_time};
}

void open_page(model& of, page to, std::vector<effect>& then)
{
    if (to == page::help && of.at != page::help) of.before_help = of.at;
    of.at = to;
    if (to == page::browse) ask_browse(of, then);
}

void open_detail(model& of, const std::string& service, std::vector<effect>& then)
{
    const auto from = of.at == page::detail ? of.detail.from : of.at;
    of.detail = {};
    of.detail.key = service;
    of.detail.from = from;
    of.at = page::detail;
    open_tab(of, tab::info, then);
}

void open_tab(model& of, tab to, std::vector<effect>& then)
{
    of.detail.at = to;
    of.detail.data = {};
    of.detail.log = {};
    of.detail.place = {};
    of.detail.filter.clear();
    of.detail.shift = 0;
    load_detail(of, then);
}

void load_detail(model& of, std::vector<effect>& then)
{
    auto& detail = of.detail;
    detail.stale = false;
    detail.next_load = of.now + 1s;
    const auto* row = of.find(detail.key);
    if (detail.at == tab::info) {
        if (detail.connect.asked || !row) return;
        detail.connect.asked = true;
        then.push_back({.what = wish::load_connect, .keys = {detail.key}});
        return;
    }
    if (detail.at == tab::pod_log) return follow_pod_log(of, then);
    effect load{.what = wish::load_tab, .keys = {detail.key}};
    load.of = detail.at;
    detail.data.asked = true;
    then.push_back(std::move(load));
}

int first_problem_shown(const model& of, const std::vector<problem_row>& problems)
{
    const auto rows = body_rows(of);
    int top = std::clamp(of.errors.top, 0, of.errors.cursor);
    const auto height = [&](int at) { return 1 + static_cast<int>(reason_lines(of, problems[static_cast<std::size_t>(at)]).size()); };
    int used = 0;
    for (int at = of.errors.cursor; at >= top; --at) {
        used += height(at);
        if (used > rows && at < of.errors.cursor) return at + 1;
    }
    return top;
}

void keep_places(model& of)
{
    const int rows = body_rows(of);
    of.table.place.keep_in(static_cast<int>(of.table.keys.size()), rows);
    if (of.at == page::errors) {
        const auto problems = problems_of(of);
        of.errors.cursor = std::clamp(of.errors.cursor, 0, std::max(0, static_cast<int>(problems.size()) - 1));
        of.errors.top = problems.empty() ? 0 : first_problem_shown(of, problems);
    }
    if (of.at == page::log) {
        const auto count = static_cast<int>(rows_of(of.log).size());
        if (of.log.follow) of.log.place.cursor = count - 1;
        of.log.place.keep_in(count, rows);
    }
    if (of.at == page::browse) of.browse.place.keep_in(static_cast<int>(items_of(of.browse).size()), rows);
    if (of.at == page::detail) {
        const auto count = detail_count(of);
        if (const auto* follow = follow_of(of); follow && *follow) of.detail.place.cursor = count - 1;
        of.detail.place.keep_in(count, rows);
    }
    if (of.at == page::help) of.help.keep_in(static_cast<int>(help_lines().size()), rows);
}

} // namespace fwd::tui
