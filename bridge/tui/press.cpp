// Keys: those of a question first, then those that work everywhere, then those of the page.
#include "bridge/tui/act.hpp"
#include "bridge/tui/layout.hpp"

#include <algorithm>

namespace fwd::tui {

namespace {

using effects = std::vector<effect>;

constexpr int most_shift = 100000; ///< columns

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
    if (auto* follow = follow_of(of)) *follow = false;
}

/// Long lines are read by moving them half a screen to the left.
bool press_sideways(model& of, const key& what)
{
    auto* shift = shift_of(of);
    if (!shift) return false;
    if (is(what, key_name::right) || is(what, "l"))
        *shift = std::min(*shift + of.width / 2, most_shift);
    else if (is(what, key_name::left) || is(what, "h"))
        *shift = std::max(*shift - of.width / 2, 0);
    else
        return false;
    return true;
}

/// Space stops the page that follows something, and lets it go on.
bool press_follow(model& of, const key& what)
{
    auto* follow = follow_of(of);
    if (!follow || !is(what, " ")) return false;
    *follow = !*follow;
    return true;
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
        if (auto* follow = follow_of(of)) *follow = true;
    } else
        return press_sideways(of, what) || press_follow(of, what);
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

} // namespace

void go_back(model& of, std::vector<effect>& then)
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

void press(model& of, const key& what, std::vector<effect>& then)
{
    // Moving is possible while one types a filter.
    const bool types = what.name == key_name::character || what.name == key_name::home || what.name == key_name::end ||
                       what.name == key_name::left || what.name == key_name::right;
    if (of.ask.what == asking::filter && !types && press_move(of, what)) return;
    if (of.ask.what != asking::nothing) return press_question(of, what, then);
    if (is(what, key_name::click)) return press_click(of, what, then);
    if (press_move(of, what)) return;
    if (press_anywhere(of, what, then)) return;
    press_page(of, what, then);
}

} // namespace fwd::tui
