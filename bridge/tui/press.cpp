// Keys: those of a question first, then those that work everywhere, then those of the page.
#include "bridge/tui/act.hpp"
#include "bridge/tui/layout.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

using effects = std::vector<effect>;

bool is(const key& what, std::string_view text)
{
    return what.name == key_name::character && what.text == text;
}
bool is(const key& what, key_name name)
{
    return what.name == name;
}
bool is_control(const key& what, std::string_view letter)
{
    return what.name == key_name::control && what.text == letter;
}

list_place& place_of(model& of)
{
    switch (of.at) {
    case page::errors: return of.errors;
    case page::log: return of.log.place;
    case page::browse: return of.browse.place;
    case page::detail: return of.detail.place;
    case page::help: return of.help;
    default: return of.table.place;
    }
}

std::string* filter_of(model& of)
{
    if (of.at == page::services) return &of.table.filter;
    if (of.at == page::log) return &of.log.filter;
    if (of.at == page::browse) return &of.browse.filter;
    return nullptr;
}

/// The services that a key is for: those chosen, else the one under the cursor.
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

const browse_item* browsed(const model& of)
{
    const auto items = items_of(of.browse);
    const auto at = static_cast<std::size_t>(of.browse.place.cursor);
    return at < items.size() ? items[at] : nullptr;
}

// --- questions ----------------------------------------------------------------------------------------------------

void set_filter(model& of, const std::string& text)
{
    auto* filter = filter_of(of);
    if (!filter) return;
    *filter = text;
    if (of.at == page::services) arrange(of);
    if (of.at == page::log) of.log.follow = true;
    place_of(of).cursor = of.at == page::log ? 0 : place_of(of).cursor;
}

void remove_character(std::string& text)
{
    while (!text.empty() && (text.back() & 0xc0) == 0x80) text.pop_back();
    if (!text.empty()) text.pop_back();
}

void press_filter(model& of, const key& what)
{
    auto& text = of.ask.text;
    if (is(what, key_name::enter)) {
        of.ask = {};
        return;
    }
    if (is(what, key_name::escape)) {
        of.ask = {};
        return set_filter(of, "");
    }
    if (is(what, key_name::backspace)) {
        if (text.empty()) of.ask = {};
        remove_character(text);
    } else if (is_control(what, "u")) {
        text.clear();
    } else if (what.name == key_name::character || what.name == key_name::paste) {
        constexpr std::size_t longest = 200;
        for (const char c : what.text)
            if (static_cast<unsigned char>(c) >= 0x20 && text.size() < longest) text += c;
    } else {
        return;
    }
    if (of.ask.what == asking::filter) set_filter(of, text);
}

void press_answer(model& of, const key& what, effects& then)
{
    const auto asked = of.ask;
    const bool yes = is(what, "y") || is(what, "Y") || (is(what, key_name::enter) && asked.what == asking::removal);
    if (asked.what == asking::quitting && is(what, "D")) {
        of.ask = {};
        then.push_back({.what = wish::detach});
        return;
    }
    if (yes) {
        of.ask = {};
        if (asked.what == asking::quitting) return then.push_back({.what = wish::quit});
        of.table.chosen.clear();
        say(of, "removing...");
        return then.push_back({.what = wish::remove, .keys = asked.keys});
    }
    if (is(what, "n") || is(what, "N") || is(what, key_name::escape) || is_control(what, "c") || is(what, "q")) of.ask = {};
}

// --- everywhere ---------------------------------------------------------------------------------------------------

void quit(model& of, effects& then)
{
    if (of.owns_daemon && of.link == reach::there)
        of.ask = {asking::quitting, {}, {}};
    else
        then.push_back({.what = wish::quit});
}

void move(model& of, int rows)
{
    auto& place = place_of(of);
    if (of.at == page::help) { // nothing to choose there: the text moves
        place.cursor = rows > 0 ? std::max(place.cursor, place.top + body_rows(of) - 1) : std::min(place.cursor, place.top);
    }
    place.cursor += rows;
    if (of.at == page::log) of.log.follow = false;
}

bool press_move(model& of, const key& what)
{
    const int screen = std::max(body_rows(of) - 1, 1);
    if (is(what, "j") || is(what, key_name::down))
        move(of, 1);
    else if (is(what, "k") || is(what, key_name::up))
        move(of, -1);
    else if (is(what, key_name::page_down) || is_control(what, "f") || is_control(what, "d"))
        move(of, screen);
    else if (is(what, key_name::page_up) || is_control(what, "b"))
        move(of, -screen);
    else if (is(what, key_name::wheel_down))
        move(of, 3);
    else if (is(what, key_name::wheel_up))
        move(of, -3);
    else if (is(what, "g") || is(what, key_name::home))
        move(of, -1000000);
    else if (is(what, "G") || is(what, key_name::end)) {
        move(of, 1000000);
        of.log.follow = of.log.follow || of.at == page::log;
    } else
        return false;
    // Bounds at once, so that the next key starts from what is seen.
    keep_places(of);
    return true;
}

void next_page(model& of, int step, effects& then)
{
    if (of.at == page::detail) return open_tab(of, static_cast<tab>((static_cast<int>(of.detail.at) + step + tabs) % tabs), then);
    constexpr page pages[] = {page::services, page::errors, page::log, page::browse};
    const auto* at = std::find(std::begin(pages), std::end(pages), of.at);
    const int count = static_cast<int>(std::size(pages));
    const int now = at == std::end(pages) ? 0 : static_cast<int>(at - std::begin(pages));
    open_page(of, pages[(now + step + count) % count], then);
}

void go_back(model& of, effects& then)
{
    if (auto* filter = filter_of(of); filter && !filter->empty()) return set_filter(of, "");
    switch (of.at) {
    case page::services: of.table.chosen.clear(); return;
    case page::help: of.at = of.before_help; return;
    case page::detail: of.at = of.detail.from; return;
    case page::browse:
        if (!of.browse.chosen.empty()) return of.browse.chosen.clear();
        if (of.browse.level == browse_level::services) {
            of.browse.level = browse_level::namespaces;
            of.browse.name_space.clear();
            return open_page(of, page::browse, then);
        }
        if (of.browse.level == browse_level::namespaces) {
            of.browse.level = browse_level::contexts;
            of.browse.context.clear();
            return open_page(of, page::browse, then);
        }
        of.at = page::services;
        return;
    default: of.at = page::services; return;
    }
}

bool press_anywhere(model& of, const key& what, effects& then)
{
    if (is(what, "q") || is_control(what, "c"))
        quit(of, then);
    else if (is(what, "?"))
        open_page(of, page::help, then);
    else if (is(what, "f"))
        open_page(of, page::browse, then);
    else if (is(what, "L"))
        open_page(of, page::log, then);
    else if (is(what, "e"))
        open_page(of, page::errors, then);
    else if (is(what, "R")) {
        say(of, "reconnecting all that are in error...");
        then.push_back({.what = wish::reconnect_errors});
    } else if (is(what, "D"))
        then.push_back({.what = wish::detach});
    else if (is_control(what, "l"))
        then.push_back({.what = wish::repaint});
    else if (is_control(what, "z"))
        then.push_back({.what = wish::suspend});
    else if (is(what, key_name::tab))
        next_page(of, 1, then);
    else if (is(what, key_name::back_tab))
        next_page(of, -1, then);
    else if (is(what, key_name::escape))
        go_back(of, then);
    else if (is(what, "/") && filter_of(of))
        of.ask = {asking::filter, *filter_of(of), {}};
    else
        return false;
    return true;
}

// --- services ------------------------------------------------------------------------------------------------------

void sort_by(model& of, order by)
{
    if (of.table.by == by)
        of.table.reverse = !of.table.reverse;
    else
        of.table.reverse = false;
    of.table.by = by;
    arrange(of);
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
    } else if (is(what, "s")) {
        sort_by(of, static_cast<order>((static_cast<int>(table.by) + 1) % orders));
        say(of, "sorted by the column that is marked");
    } else if (is(what, "S"))
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

// --- the other pages -----------------------------------------------------------------------------------------------

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
    if (!is(what, "y")) return;
    const auto rows = rows_of(of.log);
    const auto at = static_cast<std::size_t>(of.log.place.cursor);
    copy(of, at < rows.size() ? rows[at]->text : std::string{}, then);
}

void press_detail(model& of, const key& what, effects& then)
{
    if (!is(what, "y")) {
        press_service(of, what, then);
        return;
    }
    const auto lines = detail_lines(of);
    const auto at = static_cast<std::size_t>(of.detail.place.cursor);
    copy(of, at < lines.size() ? lines[at].copies : std::string{}, then);
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
    if (!item) return;
    const bool opens = is(what, key_name::enter) || is(what, key_name::right) || is(what, "l");
    if (is(what, key_name::left) || is(what, "h")) return go_back(of, then);
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

// --- the mouse ----------------------------------------------------------------------------------------------------

bool within(const span_of& place, int x)
{
    return x >= place.x && x < place.x + place.width;
}

/// The index of the problem drawn at `row` of the body, or -1.
int problem_at(const model& of, int row)
{
    const auto problems = problems_of(of);
    int y = 0;
    for (auto at = static_cast<std::size_t>(of.errors.top); at < problems.size(); ++at) {
        const auto& each = problems[at];
        y += 1 +
             static_cast<int>(wrap(each.retry.empty() ? each.why : fmt::format("{} ({})", each.why, each.retry), of.width - 6, 3).size());
        if (row < y) return static_cast<int>(at);
    }
    return -1;
}

void press_page(model& of, const key& what, effects& then);

void click(model& of, const key& at, effects& then)
{
    if (at.y == 0) {
        for (const auto& each : page_titles(of))
            if (within(each.place, at.x)) return open_page(of, each.to, then);
        return;
    }
    if (at.y == 1 && of.at == page::services) {
        for (const auto& each : columns_of(of))
            if (each.sort && within({each.x, each.width}, at.x)) return sort_by(of, *each.sort);
        return;
    }
    if (at.y == 1 && of.at == page::detail) {
        for (const auto& each : tab_titles())
            if (within(each.place, at.x)) return open_tab(of, each.to, then);
        return;
    }
    const int row = at.y - body_top;
    if (row < 0 || row >= body_rows(of) || of.at == page::help) return;
    auto& place = place_of(of);
    const int target = of.at == page::errors ? problem_at(of, row) : place.top + row;
    if (target < 0) return;
    if (of.at == page::log) of.log.follow = false;
    const bool again = place.cursor == target;
    place.cursor = target;
    keep_places(of);
    // A second click opens, as Enter does.
    if (again && place.cursor == target) press_page(of, {key_name::enter, {}}, then);
}

void press_page(model& of, const key& what, effects& then)
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

} // namespace

void press(model& of, const key& what, std::vector<effect>& then)
{
    if (of.ask.what == asking::filter) {
        // Moving is possible while one types.
        if (what.name != key_name::character && what.name != key_name::home && what.name != key_name::end && press_move(of, what)) return;
        return press_filter(of, what);
    }
    if (of.ask.what != asking::nothing) return press_answer(of, what, then);
    if (is(what, key_name::click)) return click(of, what, then);
    if (press_move(of, what)) return;
    if (press_anywhere(of, what, then)) return;
    press_page(of, what, then);
}

} // namespace fwd::tui
