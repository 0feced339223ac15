// Keys while the bottom row asks something: what to filter by, whether to remove, whether to stop the daemon.
#include "bridge/tui/act.hpp"

namespace fwd::tui {

namespace {

void remove_character(std::string& text)
{
    while (!text.empty() && (text.back() & 0xc0) == 0x80) text.pop_back();
    if (!text.empty()) text.pop_back();
}

void press_filter(model& of, const key& what)
{
    auto& text = of.ask.text;
    if (is(what, key_name::enter)) {
        of.ask = {};
        return;
    }
    if (is(what, key_name::escape)) {
        of.ask = {};
        return set_filter(of, "");
    }
    if (is(what, key_name::backspace)) {
        if (text.empty()) of.ask = {};
        remove_character(text);
    } else if (is_control(what, "u")) {
        text.clear();
    } else if (what.name == key_name::character || what.name == key_name::paste) {
        constexpr std::size_t longest = 200;
        for (const char c : what.text)
            if (static_cast<unsigned char>(c) >= 0x20 && text.size() < longest) text += c;
    } else {
        return;
    }
    if (of.ask.what == asking::filter) set_filter(of, text);
}

void press_answer(model& of, const key& what, std::vector<effect>& then)
{
    const auto asked = of.ask;
    const bool yes = is(what, "y") || is(what, "Y") || (is(what, key_name::enter) && asked.what == asking::removal);
    if (asked.what == asking::quitting && is(what, "D")) {
        of.ask = {};
        then.push_back({.what = wish::detach});
        return;
    }
    if (yes) {
        of.ask = {};
        if (asked.what == asking::quitting) return then.push_back({.what = wish::quit});
        of.table.chosen.clear();
        say(of, "removing...");
        return then.push_back({.what = wish::remove, .keys = asked.keys});
    }
    if (is(what, "n") || is(what, "N") || is(what, key_name::escape) || is_control(what, "c") || is(what, "q")) of.ask = {};
}

} // namespace

void press_question(model& of, const key& what, std::vector<effect>& then)
{
    if (of.ask.what == asking::filter) return press_filter(of, what);
    press_answer(of, what, then);
}

} // namespace fwd::tui
