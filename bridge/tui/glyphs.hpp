// Text as a terminal shows it: one character after the other, each with the columns that it takes.
#pragma once

#include <string>
#include <string_view>

namespace fwd::tui {

/// One character with its combining marks, safe to write to a terminal.
struct glyph {
    std::string text; ///< empty: nothing is shown
    int columns = 0;  ///< 0, 1, 2
};

/// Takes the next character off `text`, which is not empty. What would steer a terminal is replaced (see canvas::put).
[[nodiscard]] glyph next_glyph(std::string_view& text);

} // namespace fwd::tui
