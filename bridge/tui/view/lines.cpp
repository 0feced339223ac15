#include "bridge/tui/view/lines.hpp"

namespace fwd::tui {

constexpr int label_width = 12;

line labelled(std::string_view label, std::string text, tone in, std::string copies)
{
    line out;
    auto name = std::string{label};
    name.resize(label_width, ' ');
    out.pieces = {{std::move(name), tone::faint}, {std::move(text), in}};
    out.copies = std::move(copies);
    return out;
}

line heading(std::string text)
{
    line out;
    out.pieces = {{std::move(text), tone::heading}};
    return out;
}

line plain(std::string text, tone in)
{
    line out;
    out.copies = text;
    out.pieces = {{std::move(text), in}};
    return out;
}

void add_wrapped(std::vector<line>& to, const model& of, std::string_view label, std::string_view text, tone in)
{
    bool first = true;
    for (auto& each : wrap(text, of.width - label_width - 4)) {
        to.push_back(labelled(first ? label : "", std::move(each), in, std::string{text}));
        first = false;
    }
}

} // namespace fwd::tui
