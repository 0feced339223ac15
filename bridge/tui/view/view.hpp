// Pure pictures: each draws its part of a model.
#pragma once

#include "bridge/tui/layout.hpp"

namespace fwd::tui {

/// The whole screen.
[[nodiscard]] canvas draw(const model& of);

void draw_services(canvas& on, const model& of);
void draw_errors(canvas& on, const model& of);
void draw_log(canvas& on, const model& of);
void draw_browse(canvas& on, const model& of);
void draw_detail(canvas& on, const model& of);
void draw_help(canvas& on, const model& of);
void draw_title(canvas& on, const model& of);
/// The two rows at the bottom: about the row of the cursor, a question or notice; the keys.
void draw_status_bar(canvas& on, const model& of);

struct lines_look {
    int marked = -1; ///< the row of the body under the cursor; -1: none
    int shift = 0;   ///< columns left out on the left
};
/// Lines from the first row of the body on.
void draw_lines(canvas& on, const model& of, const std::vector<line>& lines, lines_look how);
/// Shows that the cursor is on this row.
void mark_row(canvas& on, const model& of, int y);
/// One sentence in the middle of an empty body, and what to do about it.
void draw_empty(canvas& on, const model& of, std::string_view says, std::string_view help);

} // namespace fwd::tui
