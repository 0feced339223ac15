// The parts of `update` that are apart: keys, and going from page to page.
#pragma once

#include "bridge/tui/message.hpp"
#include "bridge/tui/problems.hpp"

namespace fwd::tui {

/// What a key does: an answer to a question, what it does everywhere, what it does on the page that is open.
void press(model& of, const key& what, std::vector<effect>& then);
void press_question(model& of, const key& what, std::vector<effect>& then);
void press_page(model& of, const key& what, std::vector<effect>& then);
void press_click(model& of, const key& at, std::vector<effect>& then);
/// The services that a key is for: those chosen, else the one under the cursor.
[[nodiscard]] std::vector<std::string> meant(const model& of);
void sort_by(model& of, order by);
/// Where Escape leads; ends a filter or a choice first.
void go_back(model& of, std::vector<effect>& then);

void open_page(model& of, page to, std::vector<effect>& then);
void open_detail(model& of, const std::string& service, std::vector<effect>& then);
void open_tab(model& of, tab to, std::vector<effect>& then);
/// Asks for what the open tab shows.
void load_detail(model& of, std::vector<effect>& then);
/// Keeps every cursor within its list and in sight.
void keep_places(model& of);
void say(model& of, std::string text, tone in = tone::plain);
/// The first problem that keeps the cursor's one whole in sight.
[[nodiscard]] int first_problem_shown(const model& of, const std::vector<problem_row>& problems);

} // namespace fwd::tui
