#include "bridge/tui/act.hpp"

#include "bridge/tui/layout.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

constexpr auto notice_time = 4s;

std::string pod_of(const wire::service& of)
{
    for (const auto& each : of.forwards)
        if (!each.pod_name.empty()) return each.pod_name;
    return {};
}

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
    of.detail.place = {};
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
    effect load{.what = wish::load_tab, .keys = {detail.key}};
    load.of = detail.at;
    if (row) {
        load.name_space = row->is.namespace_name;
        load.context = row->is.context;
        load.text = pod_of(row->is);
    }
    if (detail.at == tab::pod_log && load.text.empty()) {
        bridge::rest_problem none;
        none.message = "the service has no pod now, so there is no log to read";
        detail.data.why = std::move(none);
        return;
    }
    detail.data.asked = true;
    then.push_back(std::move(load));
}

int first_problem_shown(const model& of, const std::vector<problem_row>& problems)
{
    const auto rows = body_rows(of);
    int top = std::clamp(of.errors.top, 0, of.errors.cursor);
    const auto height = [&](int at) {
        const auto& each = problems[static_cast<std::size_t>(at)];
        return 1 +
               static_cast<int>(wrap(each.retry.empty() ? each.why : fmt::format("{} ({})", each.why, each.retry), of.width - 6, 3).size());
    };
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
    if (of.at == page::detail) of.detail.place.keep_in(static_cast<int>(detail_lines(of).size()), rows);
    if (of.at == page::help) of.help.keep_in(static_cast<int>(help_lines().size()), rows);
}

} // namespace fwd::tui
