#include "bridge/tui/frame.hpp"

#include <fmt/core.h>

#include <optional>

namespace fwd::tui {

namespace {

/// Single bytes and the drawing characters that every terminal shows in one column.
bool is_certain(std::string_view glyph)
{
    if (glyph.size() == 1) return true;
    return glyph.size() == 3 && glyph[0] == '\xe2' && (glyph[1] == '\x94' || glyph[1] == '\x95' || glyph[1] == '\x96'); // U+2500..U+25BF
}

class painter {
public:
    painter(const canvas& picture, const theme& looks) : picture_{picture}, looks_{looks} {}

    void paint(int x, int y)
    {
        const auto& what = picture_.at(x, y);
        const int columns = x + 1 < picture_.width() && picture_.at(x + 1, y).glyph.empty() ? 2 : 1;
        go(x, y);
        wear(looks_.of_cell(what));
        if (looks_.ascii) {
            out_ += ascii_for(what.glyph, columns);
        } else if (columns == 1 && is_certain(what.glyph)) {
            out_ += what.glyph;
        } else {
            // Blanks first: a terminal that draws it narrower shows nothing old beside it.
            out_.append(static_cast<std::size_t>(columns), ' ');
            x_ = -1;
            go(x, y);
            out_ += what.glyph;
            x_ = -1;
            return;
        }
        x_ = x + columns;
    }
    [[nodiscard]] std::string take()
    {
        if (out_.empty()) return {};
        // Terminals that know synchronised output show the frame at once; others ignore these.
        return "\x1b[?2026h" + out_ + "\x1b[0m\x1b[?2026l";
    }
    void clear() { out_ += "\x1b[0m\x1b[2J"; }

private:
    void go(int x, int y)
    {
        if (x_ == x && y_ == y) return;
        out_ += fmt::format("\x1b[{};{}H", y + 1, x + 1);
        x_ = x;
        y_ = y;
    }
    void wear(const look& what)
    {
        if (worn_ == what) return;
        out_ += sgr(what);
        worn_ = what;
    }

    const canvas& picture_;
    const theme& looks_;
    std::string out_;
    std::optional<look> worn_;
    int x_ = -1, y_ = -1;
};

} // namespace

std::string frame(const canvas* before, const canvas& now, const theme& looks)
{
    painter to{now, looks};
    const bool all = !before || before->width() != now.width() || before->height() != now.height();
    if (all) to.clear();
    for (int y = 0; y < now.height(); ++y)
        for (int x = 0; x < now.width(); ++x) {
            const auto& what = now.at(x, y);
            if (what.glyph.empty()) continue; // drawn with its left half
            const bool half_changed =
                x + 1 < now.width() && !all && now.at(x + 1, y).glyph.empty() && before->at(x + 1, y) != now.at(x + 1, y);
            if (all || half_changed || before->at(x, y) != what) to.paint(x, y);
        }
    return to.take();
}

} // namespace fwd::tui
