// A picture of a terminal as a value: a grid of cells, each one character of one or two columns with its marks, in a tone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fwd::tui {

/// What a cell means; a theme says how that looks.
enum class tone { plain, faint, title, open, heading, accent, good, attention, bad, bar, key, graph, chosen };
inline constexpr int tones = 13;

/// Columns that `text` takes once it is drawn. Control characters count as the one column of their replacement.
[[nodiscard]] int width_of(std::string_view text);
/// The beginning of `text` in at most `width` columns, the last of which is `more` where something is left out.
[[nodiscard]] std::string fit(std::string_view text, int width, std::string_view more = "\u2026");
/// `text` without its first `columns`; half of a wide character becomes a blank.
[[nodiscard]] std::string skip(std::string_view text, int columns);
/// `text` in lines of at most `width` columns, broken at blanks where there are some; never more than `most` lines.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, int width, std::size_t most = 100);

struct cell {
    std::string glyph = " "; ///< one character and its combining marks; empty: the right half of a wide one
    tone in = tone::plain;
    bool marked = false; ///< on the row of the cursor
    bool operator==(const cell&) const = default;
};

class canvas {
public:
    canvas(int width, int height);
    [[nodiscard]] int width() const { return width_; }
    [[nodiscard]] int height() const { return height_; }
    [[nodiscard]] const cell& at(int x, int y) const { return cells_[static_cast<std::size_t>(y * width_ + x)]; }

    /// Draws what fits in `most` columns and in the grid, and returns the columns used. Whatever `text` is, nothing else changes:
    /// control characters and broken UTF-8 become U+FFFD, newlines and tabs blanks, invisible and bidirectional controls nothing.
    int put(int x, int y, std::string_view text, tone in = tone::plain, int most = 1 << 20);
    /// As put, ending in the last of `width` columns; what does not fit is cut on the right.
    void put_right(int x, int y, std::string_view text, int width, tone in = tone::plain);
    void fill(int x, int y, int width, tone in);
    /// Marks a part of a row as under the cursor.
    void mark(int x, int y, int width);
    /// The characters of one row, without blanks at its end. For tests and people.
    [[nodiscard]] std::string row(int y) const;
    [[nodiscard]] std::string text() const;

private:
    void set(int x, int y, std::string glyph, int columns, tone in);
    cell& cell_at(int x, int y) { return cells_[static_cast<std::size_t>(y * width_ + x)]; }

    int width_, height_;
    std::vector<cell> cells_;
};

} // namespace fwd::tui
