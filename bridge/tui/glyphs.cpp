#include "bridge/tui/glyphs.hpp"

#include <clocale>
#include <cwchar>

namespace fwd::tui {

namespace {

constexpr char32_t replacement = 0xfffd;
/// More marks than any writing needs on one letter; a cell stays small however many a hostile name has.
constexpr std::size_t most_bytes = 12;

struct code_point {
    char32_t value = replacement;
    std::size_t bytes = 1;
};

/// Source: RFC 3629, the table of well-formed sequences.
code_point decode(std::string_view text)
{
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (length == 0 || first > 0xf4 || text.size() < length) return {};
    char32_t value = first & (0xff >> (length + 1));
    for (std::size_t at = 1; at < length; ++at) {
        if ((byte(at) & 0xc0) != 0x80) return {};
        value = (value << 6) | (byte(at) & 0x3f);
    }
    const bool too_long = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    if (too_long || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) return {};
    return {value, length};
}

/// Characters that show nothing and change how others show: joiners, directions, variation selectors, tags, fillers.
bool is_invisible(char32_t c)
{
    return c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 ||
           (c >= 0x180b && c <= 0x180f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           c == 0x3164 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c == 0xffa0 || (c >= 0xfff0 && c <= 0xfffb) ||
           (c >= 0x1d173 && c <= 0x1d17a) || (c >= 0xe0000 && c <= 0xe0fff);
}

/// By the C library's tables, whatever locale the program runs in.
int columns_of(char32_t c)
{
    if (c < 0x7f) return c < 0x20 ? -1 : 1;
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 == nullptr) return c < 0xa0 ? -1 : 1;
    const auto before = ::uselocale(utf8);
    const int columns = ::wcwidth(static_cast<wchar_t>(c));
    ::uselocale(before);
    return columns;
}

glyph shown(std::string_view bytes, char32_t c)
{
    if (c == '\n' || c == '\t' || c == '\r') return {" ", 1};
    if (is_invisible(c)) return {};
    const int columns = columns_of(c);
    if (columns < 0 || c == replacement) return {"\ufffd", 1};
    return {std::string{bytes}, columns};
}

} // namespace

glyph next_glyph(std::string_view& text)
{
    const auto first = decode(text);
    auto out = shown(text.substr(0, first.bytes), first.value);
    text.remove_prefix(first.bytes);
    if (out.columns == 0) return {}; // a mark without a letter
    while (!text.empty() && static_cast<unsigned char>(text.front()) >= 0x80) {
        const auto mark = decode(text);
        if (is_invisible(mark.value)) {
            text.remove_prefix(mark.bytes);
            continue;
        }
        if (columns_of(mark.value) != 0) break;
        if (out.text.size() + mark.bytes <= most_bytes) out.text += text.substr(0, mark.bytes);
        text.remove_prefix(mark.bytes);
    }
    return out;
}

} // namespace fwd::tui
