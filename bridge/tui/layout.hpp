// Where things stand on the screen: what drawing and the mouse must agree about.
#pragma once

#include "bridge/tui/model.hpp"
#include "bridge/tui/problems.hpp"

namespace fwd::tui {

struct column {
    std::string title;
    int x = 0, width = 0;
    std::optional<order> sort; ///< a click on its title sorts by it
    enum class what { name, address, pod, name_space, context, status, in, out, graph, names, client } is = what::name;
};

struct span_of {
    int x = 0, width = 0;
};

/// Rows: 0 title and pages, 1 headings, then the body, a line about the row of the cursor, and the keys.
inline constexpr int body_top = 2;
[[nodiscard]] int body_rows(const model& of);
[[nodiscard]] std::vector<column> columns_of(const model& of);

struct page_title {
    page to;
    std::string text;
    span_of place;
};
[[nodiscard]] std::vector<page_title> page_titles(const model& of);

struct tab_title {
    tab to;
    std::string text;
    span_of place;
};
[[nodiscard]] std::vector<tab_title> tab_titles();

/// What one line of text is made of; a click or `y` on it copies `copies`.
struct piece {
    std::string text;
    tone in = tone::plain;
};
struct line {
    std::vector<piece> pieces;
    std::string copies;
};

/// Rows of the open tab of the detail page, for a screen of that width, and some of them.
[[nodiscard]] int detail_count(const model& of);
[[nodiscard]] std::vector<line> detail_lines(const model& of, int from = 0, int most = 1 << 20);
[[nodiscard]] std::vector<line> help_lines();
/// The reason of a problem, whole, under its title.
[[nodiscard]] std::vector<std::string> reason_lines(const model& of, const problem_row& row);

} // namespace fwd::tui
