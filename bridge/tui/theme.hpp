// How tones look, as data: for terminals of 256 and of 16 colours, dark and light, and for those without any.
#pragma once

#include "bridge/tui/canvas.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace fwd::tui {

/// -1: the terminal's own colour.
struct look {
    int ink = -1, paper = -1;
    bool bold = false, dim = false, reverse = false, underline = false;
    bool operator==(const look&) const = default;
};

struct theme {
    std::array<look, tones> of;
    look mark;          ///< laid over the row of the cursor: its paper, and what it sets
    bool ascii = false; ///< characters beyond ASCII are shown as near ones or '?'
    [[nodiscard]] look of_cell(const cell& what) const;
};

enum class theme_name { dark, light, sixteen, mono };

/// What is known about a terminal and its user's wishes.
struct terminal_facts {
    int colours = 8; ///< terminfo's max_colors
    bool utf8 = true;
    bool no_colour = false;     ///< NO_COLOR is set
    std::string_view colorfgbg; ///< COLORFGBG, "15;0": light on dark
};

[[nodiscard]] std::optional<theme_name> parse_theme(std::string_view name);
/// What suits the terminal best.
[[nodiscard]] theme_name choose_theme(const terminal_facts& of);
[[nodiscard]] theme make_theme(theme_name which, bool ascii);

/// "\x1b[0;1;38;5;2m": everything a look says, and nothing that was before.
[[nodiscard]] std::string sgr(const look& of);
/// A character that ASCII has for `glyph`, as wide as that.
[[nodiscard]] std::string ascii_for(std::string_view glyph, int columns);

} // namespace fwd::tui
