#include "bridge/tui/canvas.hpp"

#include "bridge/tui/glyphs.hpp"

#include <algorithm>

namespace fwd::tui {

int width_of(std::string_view text)
{
    int columns = 0;
    while (!text.empty()) columns += next_glyph(text).columns;
    return columns;
}

std::string fit(std::string_view text, int width, std::string_view more)
{
    if (width <= 0) return {};
    std::string out, shorter;
    int used = 0, shorter_used = 0;
    while (!text.empty()) {
        const auto next = next_glyph(text);
        if (used + next.columns > width) {
            // `shorter` is what leaves room for the sign that something is missing.
            return shorter + std::string(static_cast<std::size_t>(std::max(0, width - 1 - shorter_used)), ' ') + std::string{more};
        }
        out += next.text;
        used += next.columns;
        if (used <= width - 1) {
            shorter = out;
            shorter_used = used;
        }
    }
    return out;
}

std::string skip(std::string_view text, int columns)
{
    while (!text.empty() && columns > 0) columns -= next_glyph(text).columns;
    return std::string(static_cast<std::size_t>(std::max(-columns, 0)), ' ') + std::string{text};
}

std::vector<std::string> wrap(std::string_view text, int width, std::size_t most)
{
    std::vector<std::string> out;
    width = std::max(width, 1);
    while (!text.empty() && out.size() < most) {
        std::string line;
        int used = 0;
        std::size_t blank_in_line = 0;
        std::string_view rest = text, behind_blank;
        while (!rest.empty()) {
            auto ahead = rest;
            const auto next = next_glyph(ahead);
            if (used + next.columns > width) break;
            if (next.text == " ") {
                blank_in_line = line.size();
                behind_blank = ahead;
            }
            line += next.text;
            used += next.columns;
            rest = ahead;
        }
        if (!rest.empty() && blank_in_line > 0) {
            line.resize(blank_in_line);
            rest = behind_blank;
        } else if (rest.size() == text.size()) {
            (void)next_glyph(rest); // wider than the whole line
        }
        out.push_back(std::move(line));
        text = rest;
    }
    if (!text.empty() && !out.empty()) out.back() = fit(out.back() + "  ", width_of(out.back()) + 1);
    return out;
}

canvas::canvas(int width, int height)
    : width_{std::max(width, 1)}, height_{std::max(height, 1)}, cells_(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_))
{
}

void canvas::set(int x, int y, std::string glyph, int columns, tone in)
{
    // What is overwritten by half loses its other half too.
    if (cell_at(x, y).glyph.empty() && x > 0) cell_at(x - 1, y).glyph = " ";
    const int behind = x + columns;
    if (behind < width_ && cell_at(behind, y).glyph.empty()) cell_at(behind, y).glyph = " ";
    auto& first = cell_at(x, y);
    first.glyph = std::move(glyph);
    first.in = in;
    if (columns == 2) {
        auto& second = cell_at(x + 1, y);
        second.glyph.clear();
        second.in = in;
    }
}

int canvas::put(int x, int y, std::string_view text, tone in, int most)
{
    if (y < 0 || y >= height_ || x < 0) return 0;
    const int end = most >= width_ - x ? width_ : x + most;
    int at = x;
    while (!text.empty() && at < end) {
        auto next = next_glyph(text);
        if (next.columns == 0) continue;
        if (at + next.columns > end) next = {" ", 1};
        set(at, y, std::move(next.text), next.columns, in);
        at += next.columns;
    }
    return at - x;
}

void canvas::put_right(int x, int y, std::string_view text, int width, tone in)
{
    put(x + std::max(0, width - width_of(text)), y, text, in, width);
}

void canvas::fill(int x, int y, int width, tone in)
{
    for (int at = std::max(x, 0); at < std::min(x + width, width_) && y >= 0 && y < height_; ++at) set(at, y, " ", 1, in);
}

void canvas::mark(int x, int y, int width)
{
    for (int at = std::max(x, 0); at < std::min(x + width, width_) && y >= 0 && y < height_; ++at) cell_at(at, y).marked = true;
}

std::string canvas::row(int y) const
{
    std::string out;
    for (int x = 0; x < width_; ++x) out += at(x, y).glyph;
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

std::string canvas::text() const
{
    std::string out;
    for (int y = 0; y < height_; ++y) out += row(y) + "\n";
    return out;
}

} // namespace fwd::tui
