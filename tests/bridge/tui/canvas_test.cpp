#include "bridge/tui/canvas.hpp"

#include "bridge/tui/frame.hpp"
#include "bridge/tui/glyphs.hpp"

#include <catch2/catch.hpp>

using namespace fwd::tui;

namespace {

/// A picture whose neighbours of the hostile text are known.
std::string beside(std::string_view text, int width = 6)
{
    canvas on{12, 1};
    on.put(0, 0, "<");
    on.put(1, 0, fit(text, width), tone::plain, width);
    on.put(1 + width, 0, ">");
    return on.row(0);
}

} // namespace

TEST_CASE("text is as wide as a terminal shows it", "[tui]")
{
    CHECK(width_of("web") == 3);
    CHECK(width_of("\u00e9") == 1);
    CHECK(width_of("e\u0301") == 1);
    CHECK(width_of("\u65e5\u672c") == 4);
    CHECK(width_of("\U0001f600") == 2);
    CHECK(width_of("\x1b[2J") == 4);
    CHECK(width_of("\u200d\u202e\ufeff") == 0);
    CHECK(width_of("\xff\xc0") == 2);
    CHECK(width_of("\xed\xa0\x80") == 3);
}

TEST_CASE("cut text ends in a sign that something is missing, and is never wider than asked", "[tui]")
{
    CHECK(fit("payments", 8) == "payments");
    CHECK(fit("payments", 5) == "paym\u2026");
    CHECK(fit("\u65e5\u672c\u8a9e", 4) == "\u65e5 \u2026");
    CHECK(fit("\u65e5\u672c", 4) == "\u65e5\u672c");
    CHECK(fit("abc", 0).empty());
    const std::string marks = "a" + std::string(0, ' ') + "\u0301\u0302\u0303";
    CHECK(width_of(fit(marks + "bcd", 2)) == 2);
}

TEST_CASE("whatever a cluster writes stays in its own cell", "[tui]")
{
    const auto hostile = GENERATE(values<std::string>(
        {"\x1b[2J\x1b[H", "a\rb\nc\td", "\x9b\x32J", "\u202egnp.exe", "\u200b\u200d", "\u65e5\u672c\u8a9e\u6587", std::string(10000, 'x'),
         "\u0301\u0301", "\xf0\x9f", "\u0007\u0008\u007f", "\U0001f468\u200d\U0001f469", "\U000e0041", "\ufe0f", "\u1160\u3164"}));
    const auto row = beside(hostile);
    CAPTURE(row);
    CHECK(row.front() == '<');
    CHECK(row.back() == '>');
    CHECK(width_of(row) == 8);
    for (const char c : row) CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
    CHECK(row.find("\u202e") == std::string::npos);
}

TEST_CASE("ten thousand combining marks on one letter take one cell and few bytes", "[tui]")
{
    std::string text = "a";
    for (int i = 0; i < 10000; ++i) text += "\u0301";
    text += "b";
    canvas on{4, 1};
    CHECK(on.put(0, 0, text) == 2);
    CHECK(on.at(1, 0).glyph == "b");
    CHECK(on.at(0, 0).glyph.size() < 16);
}

TEST_CASE("half of a wide character that is overwritten leaves no other half", "[tui]")
{
    canvas on{6, 1};
    on.put(0, 0, "\u65e5\u672c");
    SECTION("the right half")
    {
        on.put(1, 0, "x");
        CHECK(on.row(0) == " x\u672c");
    }
    SECTION("the left half")
    {
        on.put(2, 0, "x");
        CHECK(on.row(0) == "\u65e5x");
        CHECK(on.at(3, 0).glyph == " ");
    }
    SECTION("no room for the second half")
    {
        canvas narrow{3, 1};
        CHECK(narrow.put(0, 0, "\u65e5\u672c") == 3);
        CHECK(narrow.row(0) == "\u65e5");
    }
}

TEST_CASE("nothing is drawn outside the grid", "[tui]")
{
    canvas on{4, 2};
    CHECK(on.put(0, 2, "x") == 0);
    CHECK(on.put(-1, 0, "x") == 0);
    CHECK(on.put(4, 0, "x") == 0);
    on.fill(-3, 0, 100, tone::bar);
    on.mark(2, 5, 3);
    on.put_right(0, 1, "ab", 4);
    CHECK(on.text() == "\n  ab\n");
}

TEST_CASE("long text is broken at blanks, and words wider than the line wherever they must", "[tui]")
{
    CHECK(wrap("no pod is ready yet", 10) == std::vector<std::string>{"no pod is", "ready yet"});
    CHECK(wrap("abcdefghij", 4) == std::vector<std::string>{"abcd", "efgh", "ij"});
    CHECK(wrap("", 4).empty());
    const auto cut = wrap("one two three four", 5, 2);
    REQUIRE(cut.size() == 2);
    CHECK(cut[1].find("\u2026") != std::string::npos);
    CHECK(wrap("\u65e5", 1).size() == 1);
}

TEST_CASE("an unchanged picture writes nothing, a changed cell only itself", "[tui]")
{
    const auto looks = make_theme(theme_name::mono, false);
    canvas a{10, 2}, b{10, 2};
    a.put(0, 0, "hello");
    b.put(0, 0, "hello");
    CHECK(frame(&a, b, looks).empty());
    b.put(3, 0, "p");
    const auto bytes = frame(&a, b, looks);
    CHECK(bytes == "\x1b[?2026h\x1b[1;4H\x1b[0mp\x1b[0m\x1b[?2026l");
}

TEST_CASE("what follows a character of uncertain width is placed anew", "[tui]")
{
    const auto looks = make_theme(theme_name::mono, false);
    canvas blank{6, 1}, b{6, 1};
    b.put(0, 0, "\u65e5x");
    CHECK(frame(&blank, b, looks) == "\x1b[?2026h\x1b[1;1H\x1b[0m  \x1b[1;1H\u65e5\x1b[1;3Hx\x1b[0m\x1b[?2026l");
}

TEST_CASE("a picture of another size is drawn whole", "[tui]")
{
    const auto looks = make_theme(theme_name::mono, false);
    const canvas a{10, 2}, b{11, 2};
    CHECK(frame(&a, b, looks).find("\x1b[2J") != std::string::npos);
    CHECK(frame(nullptr, a, looks).find("\x1b[2J") != std::string::npos);
}

TEST_CASE("an ASCII terminal gets ASCII alone, as wide as before", "[tui]")
{
    const auto looks = make_theme(theme_name::mono, true);
    canvas blank{8, 1}, b{8, 1};
    b.put(0, 0, "\u203a\u2026\u65e5\u00e9\u2588");
    const auto bytes = frame(&blank, b, looks);
    for (const char c : bytes) CHECK(static_cast<unsigned char>(c) < 0x80);
    CHECK(bytes.find(">~???#") != std::string::npos);
}

TEST_CASE("themes fit the terminal: colours where it has them, none where they are not wanted", "[tui]")
{
    CHECK(choose_theme({.colours = 256}) == theme_name::dark);
    CHECK(choose_theme({.colours = 256, .colorfgbg = "0;15"}) == theme_name::light);
    CHECK(choose_theme({.colours = 8}) == theme_name::sixteen);
    CHECK(choose_theme({.colours = -1}) == theme_name::mono);
    CHECK(choose_theme({.colours = 256, .no_colour = true}) == theme_name::mono);
    CHECK(sgr({.ink = 210, .bold = true}) == "\x1b[0;1;38;5;210m");
    CHECK(sgr({.ink = 2, .paper = 12}) == "\x1b[0;32;104m");
    const auto dark = make_theme(theme_name::dark, false);
    cell plain, marked;
    marked.marked = true;
    CHECK(dark.of_cell(plain) != dark.of_cell(marked));
    const auto mono = make_theme(theme_name::mono, false);
    cell bar;
    bar.in = tone::bar;
    bar.marked = true;
    CHECK_FALSE(mono.of_cell(bar).reverse);
}
