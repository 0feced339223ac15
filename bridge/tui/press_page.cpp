// Keys of the pages: services, errors, log, detail, browser.
#include "bridge/tui/act.hpp"
#include "bridge/tui/layout.hpp"
#include "bridge/tui/problems.hpp"
#include "bridge/tui/service_facts.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

using effects = std::vector<effect>;

const browse_item* browsed(const model& of)
{
    const auto items = items_of(of.browse);
    const auto at = static_cast<std::size_t>(of.browse.place.cursor);
    return at < items.size() ? items[at] : nullptr;
}

void copy(model& of, std::string text, effects& then)
{
    if (text.empty()) return say(of, "there is nothing to copy here", tone::attention);
    say(of, fmt::format("copied: {}", fit(text, of.width - 12)), tone::good);
    then.push_back({.what = wish::copy, .text = std::move(text)});
}

void copy_services(model& of, effects& then)
{
    std::string text;
    for (const auto& key : meant(of))
        if (const auto* row = of.find(key)) {
            const auto where = best_address(row->is);
            if (!where.empty()) text += (text.empty() ? "" : "\n") + where;
        }
    copy(of, std::move(text), then);
}

/// Keys of services: on their page, in their detail, among the errors.
bool press_service(model& of, const key& what, effects& then)
{
    auto keys = meant(of);
    if (is(what, "d") || is(what, key_name::remove)) {
        if (!keys.empty()) of.ask = {asking::removal, {}, std::move(keys)};
    } else if (is(what, "r")) {
        if (keys.empty()) return true;
        say(of,
            keys.size() == 1 ? fmt::format("reconnecting {}...", keys.front()) : fmt::format("reconnecting {} services...", keys.size()));
        then.push_back({.what = wish::reconnect, .keys = std::move(keys)});
    } else
        return false;
    return true;
}

/// By the column to the right of the one that it is sorted by, of those that are shown.
void sort_by_next(model& of)
{
    std::vector<column> sorted;
    for (auto& each : columns_of(of))
        if (each.sort) sorted.push_back(std::move(each));
    const auto at = std::find_if(sorted.begin(), sorted.end(), [&](const column& each) { return each.sort == of.table.by; });
    const auto& next = at == sorted.end() || std::next(at) == sorted.end() ? sorted.front() : *std::next(at);
    sort_by(of, *next.sort);
    say(of, fmt::format("sorted by {}; S turns it round", next.title));
}

void press_services(model& of, const key& what, effects& then)
{
    auto& table = of.table;
    const auto keys = meant(of);
    const auto at = static_cast<std::size_t>(table.place.cursor);
    if (is(what, key_name::enter) && at < table.keys.size()) return open_detail(of, std::string{table.keys[at]}, then);
    if (is(what, " ") && at < table.keys.size()) {
        const auto& key = table.keys[at];
        if (!table.chosen.erase(key)) table.chosen.insert(key);
        ++table.place.cursor;
    } else if (is(what, "s"))
        sort_by_next(of);
    else if (is(what, "S"))
        sort_by(of, table.by);
    else if (is(what, "b"))
        table.totals = !table.totals;
    else if (is(what, "c"))
        table.compact = !table.compact;
    else if (is(what, "y"))
        copy_services(of, then);
    else
        press_service(of, what, then);
    if (table.by == order::in || table.by == order::out) arrange(of);
}

void press_errors(model& of, const key& what, effects& then)
{
    const auto keys = meant(of);
    if (is(what, key_name::enter) && !keys.empty()) return open_detail(of, keys.front(), then);
    if (is(what, "y")) {
        const auto problems = problems_of(of);
        const auto at = static_cast<std::size_t>(of.errors.cursor);
        return copy(of, at < problems.size() ? fmt::format("{}: {}", problems[at].title, problems[at].why) : std::string{}, then);
    }
    press_service(of, what, then);
}

void press_log(model& of, const key& what, effects& then)
{
    const auto rows = rows_of(of.log);
    const auto at = static_cast<std::size_t>(of.log.place.cursor);
    const auto* row = at < rows.size() ? rows[at] : nullptr;
    if (is(what, "y")) return copy(of, row ? row->text : std::string{}, then);
    if (is(what, key_name::enter) && row && of.find(row->key)) open_detail(of, row->key, then);
}

void press_detail(model& of, const key& what, effects& then)
{
    if (!is(what, "y")) {
        press_service(of, what, then);
        return;
    }
    const auto at = detail_lines(of, of.detail.place.cursor, 1);
    copy(of, at.empty() ? std::string{} : at.front().copies, then);
}

void add_browsed(model& of, wish what, effects& then)
{
    auto& page = of.browse;
    effect add{.what = what};
    add.keys.assign(page.chosen.begin(), page.chosen.end());
    if (add.keys.empty())
        if (const auto* at = browsed(of)) add.keys = {at->name};
    if (add.keys.empty()) return;
    add.context = page.context;
    add.name_space = page.name_space;
    say(of, fmt::format("forwarding {}...", add.keys.size() == 1 ? add.keys.front() : fmt::format("{} of them", add.keys.size())));
    page.chosen.clear();
    then.push_back(std::move(add));
}

void press_browse(model& of, const key& what, effects& then)
{
    auto& page = of.browse;
    const auto* item = browsed(of);
    if (is(what, "r")) return open_page(of, page::browse, then);
    if (is(what, key_name::left) || is(what, "h")) return go_back(of, then);
    if (!item) return;
    const bool opens = is(what, key_name::enter) || is(what, key_name::right) || is(what, "l");
    if (is(what, " ") && page.level != browse_level::contexts) {
        if (!page.chosen.erase(item->name)) page.chosen.insert(item->name);
        ++page.place.cursor;
        return;
    }
    if (page.level == browse_level::contexts && opens) {
        page.context = item->name;
        page.level = browse_level::namespaces;
        return open_page(of, page::browse, then);
    }
    if (page.level == browse_level::namespaces) {
        if (is(what, "a") || (is(what, key_name::enter) && !page.chosen.empty())) return add_browsed(of, wish::add_namespaces, then);
        if (!opens) return;
        page.name_space = item->name;
        page.level = browse_level::services;
        return open_page(of, page::browse, then);
    }
    if (page.level == browse_level::services && (is(what, key_name::enter) || is(what, "a"))) add_browsed(of, wish::add_services, then);
}

} // namespace

std::vector<std::string> meant(const model& of)
{
    if (of.at == page::detail) return {of.detail.key};
    if (of.at == page::errors) {
        const auto problems = problems_of(of);
        const auto at = static_cast<std::size_t>(of.errors.cursor);
        if (at < problems.size() && !problems[at].key.empty()) return {problems[at].key};
        return {};
    }
    if (of.at != page::services) return {};
    if (!of.table.chosen.empty()) return {of.table.chosen.begin(), of.table.chosen.end()};
    const auto at = static_cast<std::size_t>(of.table.place.cursor);
    if (at < of.table.keys.size()) return {of.table.keys[at]};
    return {};
}

void sort_by(model& of, order by)
{
    if (of.table.by == by)
        of.table.reverse = !of.table.reverse;
    else
        of.table.reverse = false;
    of.table.by = by;
    arrange(of);
}

void press_page(model& of, const key& what, std::vector<effect>& then)
{
    switch (of.at) {
    case page::services: return press_services(of, what, then);
    case page::errors: return press_errors(of, what, then);
    case page::log: return press_log(of, what, then);
    case page::browse: return press_browse(of, what, then);
    case page::detail: return press_detail(of, what, then);
    case page::help: return;
    }
}

} // namespace fwd::tui
