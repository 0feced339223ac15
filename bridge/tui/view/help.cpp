// Every key, by where it works.
#include "bridge/tui/view/view.hpp"

#include <algorithm>

namespace fwd::tui {

namespace {

struct entry {
    std::string_view keys, what;
};

constexpr entry entries[] = {
    {"", "EVERYWHERE"},
    {"j k \u2193 \u2191", "one row; PgDn PgUp one screen; g G first, last; mouse wheel"},
    {"Tab Shift-Tab", "next and last page, or tab of a service; also by click"},
    {"Enter", "open what is under the cursor; a second click does it too"},
    {"Esc", "back; ends a filter or a choice first"},
    {"/", "filter: part of a name, a state, an address, a client, a line"},
    {"f", "browse contexts, namespaces, services and forward them"},
    {"L e ?", "what happened; what is wrong; this page"},
    {"R", "reconnect all that are in error"},
    {"Ctrl-L Ctrl-Z", "draw anew; put this aside (fg comes back)"},
    {"q D", "quit (asks if the daemon would end too); leave it running"},
    {"", "SERVICES"},
    {"Space", "choose; d r y then take all that are chosen"},
    {"d r y", "remove (asks); reconnect; copy name and port"},
    {"s S", "sort by the next column; the other way round"},
    {"b c", "bytes per second or in all; fewer columns"},
    {"", "LOGS"},
    {"Space \u2190 \u2192", "stop and go on; see the rest of long lines"},
    {"", "SIGNS"},
    {"\u25cf \u25cb", "active, proven by a connection; active, not used yet"},
    {"\u25d0 \u2717 \u25cc", "pending or partial; error; cannot be forwarded"},
};

} // namespace

std::vector<line> help_lines()
{
    std::vector<line> out;
    for (const auto& each : entries) {
        line row;
        if (each.keys.empty())
            row.pieces = {{std::string{each.what}, tone::heading}};
        else
            row.pieces = {
                {"  " + std::string{each.keys} + std::string(static_cast<std::size_t>(std::max(0, 15 - width_of(each.keys))), ' '),
                 tone::accent},
                {std::string{each.what}, tone::plain}};
        out.push_back(std::move(row));
    }
    return out;
}

void draw_help(canvas& on, const model& of)
{
    on.put(2, 1, "WHAT EACH KEY DOES", tone::heading);
    auto lines = help_lines();
    lines.erase(lines.begin(), lines.begin() + std::min(of.help.top, static_cast<int>(lines.size())));
    draw_lines(on, of, lines, {});
}

} // namespace fwd::tui
