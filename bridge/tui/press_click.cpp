// Clicks: on titles, on rows. A second one on the same row opens, as Enter does.
#include "bridge/tui/act.hpp"
#include "bridge/tui/layout.hpp"

namespace fwd::tui {

namespace {

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
        y += 1 + static_cast<int>(reason_lines(of, problems[at]).size());
        if (row < y) return static_cast<int>(at);
    }
    return -1;
}

/// The titles of pages, columns and tabs; whether it was on their rows.
bool click_title(model& of, const key& at, std::vector<effect>& then)
{
    if (at.y == 0) {
        for (const auto& each : page_titles(of))
            if (within(each.place, at.x)) open_page(of, each.to, then);
    } else if (at.y == 1 && of.at == page::services) {
        for (const auto& each : columns_of(of))
            if (each.sort && within({each.x, each.width}, at.x)) sort_by(of, *each.sort);
    } else if (at.y == 1 && of.at == page::detail) {
        for (const auto& each : tab_titles())
            if (within(each.place, at.x)) open_tab(of, each.to, then);
    }
    return at.y < body_top;
}

} // namespace

void press_click(model& of, const key& at, std::vector<effect>& then)
{
    if (click_title(of, at, then)) return;
    const int row = at.y - body_top;
    if (row >= body_rows(of) || of.at == page::help) return;
    auto& place = place_of(of);
    const int target = of.at == page::errors ? problem_at(of, row) : place.top + row;
    if (target < 0) return;
    if (auto* follow = follow_of(of)) *follow = false;
    const bool again = place.cursor == target;
    place.cursor = target;
    keep_places(of);
    if (again && place.cursor == target) press_page(of, {key_name::enter, {}}, then);
}

} // namespace fwd::tui
