#include "bridge/tui/theme.hpp"

#include <fmt/core.h>

#include <map>

namespace fwd::tui {

namespace {

look& of(theme& in, tone which)
{
    return in.of[static_cast<std::size_t>(which)];
}

theme dark()
{
    theme out;
    of(out, tone::faint).ink = 245;
    of(out, tone::title) = {.ink = 231, .paper = 24, .bold = true};
    of(out, tone::open) = {.ink = 231, .paper = 234, .bold = true};
    of(out, tone::heading) = {.ink = 110, .bold = true};
    of(out, tone::accent).ink = 117;
    of(out, tone::good).ink = 114;
    of(out, tone::attention).ink = 221;
    of(out, tone::bad) = {.ink = 210, .bold = true};
    of(out, tone::bar) = {.ink = 252, .paper = 236};
    of(out, tone::key) = {.ink = 117, .paper = 236, .bold = true};
    of(out, tone::graph).ink = 74;
    of(out, tone::chosen) = {.ink = 215, .bold = true};
    out.mark.paper = 238;
    return out;
}

theme light()
{
    theme out;
    of(out, tone::faint).ink = 243;
    of(out, tone::title) = {.ink = 231, .paper = 25, .bold = true};
    of(out, tone::open) = {.ink = 25, .paper = 255, .bold = true};
    of(out, tone::heading) = {.ink = 25, .bold = true};
    of(out, tone::accent).ink = 25;
    of(out, tone::good).ink = 28;
    of(out, tone::attention).ink = 130;
    of(out, tone::bad) = {.ink = 160, .bold = true};
    of(out, tone::bar) = {.ink = 236, .paper = 254};
    of(out, tone::key) = {.ink = 25, .paper = 254, .bold = true};
    of(out, tone::graph).ink = 31;
    of(out, tone::chosen) = {.ink = 90, .bold = true};
    out.mark.paper = 153;
    return out;
}

theme sixteen()
{
    theme out;
    of(out, tone::faint).ink = 6;
    of(out, tone::title) = {.ink = 7, .paper = 4, .bold = true};
    of(out, tone::open) = {.bold = true, .reverse = true};
    of(out, tone::heading) = {.ink = 6, .bold = true};
    of(out, tone::accent).ink = 6;
    of(out, tone::good).ink = 2;
    of(out, tone::attention).ink = 3;
    of(out, tone::bad) = {.ink = 1, .bold = true};
    of(out, tone::bar).reverse = true;
    of(out, tone::key) = {.bold = true, .reverse = true};
    of(out, tone::graph).ink = 6;
    of(out, tone::chosen) = {.ink = 5, .bold = true};
    out.mark.reverse = true;
    return out;
}

theme mono()
{
    theme out;
    of(out, tone::faint).dim = true;
    of(out, tone::title) = {.bold = true, .reverse = true};
    of(out, tone::open) = {.bold = true, .underline = true};
    of(out, tone::heading).underline = true;
    of(out, tone::attention).bold = true;
    of(out, tone::bad) = {.bold = true, .underline = true};
    of(out, tone::bar).reverse = true;
    of(out, tone::key) = {.bold = true, .reverse = true};
    of(out, tone::chosen).bold = true;
    out.mark.reverse = true;
    return out;
}

} // namespace

look theme::of_cell(const cell& what) const
{
    auto out = of[static_cast<std::size_t>(what.in)];
    if (!what.marked) return out;
    if (mark.paper >= 0) out.paper = mark.paper;
    out.reverse = out.reverse != mark.reverse;
    return out;
}

std::optional<theme_name> parse_theme(std::string_view name)
{
    if (name == "dark") return theme_name::dark;
    if (name == "light") return theme_name::light;
    if (name == "16") return theme_name::sixteen;
    if (name == "mono") return theme_name::mono;
    return std::nullopt;
}

theme_name choose_theme(const terminal_facts& about)
{
    if (about.no_colour || about.colours < 8) return theme_name::mono;
    if (about.colours < 256) return theme_name::sixteen;
    // The last number of COLORFGBG is the paper: 7 and 15 are the light ones.
    const auto paper = about.colorfgbg.substr(about.colorfgbg.rfind(';') + 1);
    return paper == "7" || paper == "15" ? theme_name::light : theme_name::dark;
}

theme make_theme(theme_name which, bool ascii)
{
    auto out = which == theme_name::dark ? dark() : which == theme_name::light ? light() : which == theme_name::mono ? mono() : sixteen();
    out.ascii = ascii;
    return out;
}

std::string sgr(const look& of)
{
    std::string out = "\x1b[0";
    if (of.bold) out += ";1";
    if (of.dim) out += ";2";
    if (of.underline) out += ";4";
    if (of.reverse) out += ";7";
    if (of.ink >= 16)
        out += fmt::format(";38;5;{}", of.ink);
    else if (of.ink >= 0)
        out += fmt::format(";{}", of.ink < 8 ? 30 + of.ink : 82 + of.ink);
    if (of.paper >= 16)
        out += fmt::format(";48;5;{}", of.paper);
    else if (of.paper >= 0)
        out += fmt::format(";{}", of.paper < 8 ? 40 + of.paper : 92 + of.paper);
    return out + "m";
}

std::string ascii_for(std::string_view glyph, int columns)
{
    if (glyph.size() == 1) return std::string{glyph};
    static const std::map<std::string_view, char> near{{"\u2026", '~'}, {"\u2500", '-'}, {"\u2502", '|'}, {"\u256d", '+'}, {"\u256e", '+'},
                                                       {"\u2570", '+'}, {"\u256f", '+'}, {"\u25cf", '*'}, {"\u25cb", 'o'}, {"\u2713", 'v'},
                                                       {"\u2717", 'x'}, {"\u25b2", '^'}, {"\u25bc", 'v'}, {"\u203a", '>'}, {"\u00b7", '-'},
                                                       {"\u2193", 'v'}, {"\u2191", '^'}, {"\u2190", '<'}, {"\u2192", '>'}, {"\u2581", '_'},
                                                       {"\u2582", '.'}, {"\u2583", '.'}, {"\u2584", ':'}, {"\u2585", ':'}, {"\u2586", '|'},
                                                       {"\u2587", '|'}, {"\u2588", '#'}, {"\u25d0", '*'}, {"\u25cc", 'o'}};
    const auto found = near.find(glyph);
    return std::string(static_cast<std::size_t>(columns), found == near.end() ? '?' : found->second);
}

} // namespace fwd::tui
