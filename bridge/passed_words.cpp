#include "bridge/passed_words.hpp"

#include "common/text.hpp"

#include <algorithm>

namespace fwd::bridge {

namespace {

constexpr std::string_view daemon_section = "Start the daemon", mcp_line = "  fwd mcp";

/// Lines from the one that begins with `first`, up to one that `ends`.
std::string lines_from(std::string_view page, std::string_view first, bool (*ends)(std::string_view))
{
    std::string out;
    bool inside = false;
    for (const auto& line : split(page, '\n')) {
        if (line.starts_with(first))
            inside = true;
        else if (inside && ends(line))
            inside = false;
        if (inside) out += line + "\n";
    }
    return out;
}

/// "[--confirm" without what only the page needs.
std::string bare(std::string word)
{
    constexpr std::string_view around = "[](),;";
    while (!word.empty() && around.find(word.back()) != std::string_view::npos) word.pop_back();
    while (!word.empty() && around.find(word.front()) != std::string_view::npos) word.erase(0, 1);
    return word;
}

bool is_flag(const std::string& word)
{
    const auto first = word.find_first_not_of('-');
    return (first == 1 || first == 2) && ((word[first] >= 'a' && word[first] <= 'z') || (word[first] >= 'A' && word[first] <= 'Z'));
}

bool is_value(const std::string& word)
{
    return !word.empty() && ((word.front() >= 'A' && word.front() <= 'Z') || word.find('|') != std::string::npos);
}

/// The flags that a piece of the page shows: "-n, --namespace NS,..." or "--transport auto|spdy".
std::vector<cli::flag_words> flags_in(std::string_view text)
{
    std::vector<std::string> words;
    for (const auto& line : split(text, '\n'))
        for (const auto& word : split(line, ' '))
            if (!word.empty()) words.push_back(word);
    std::vector<cli::flag_words> out;
    bool goes_on = false;
    for (std::size_t at = 0; at < words.size(); ++at) {
        const auto name = bare(words[at]);
        if (!is_flag(name)) continue;
        if (!goes_on) out.emplace_back();
        out.back().names.push_back(name);
        goes_on = words[at].ends_with(',');
        const bool alone = words[at].ends_with(']') || words[at].ends_with(';');
        const auto value = goes_on || alone || at + 1 == words.size() ? std::string{} : bare(words[at + 1]);
        if (!is_value(value)) continue;
        out.back().takes_value = true;
        if (value.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos) out.back().values = split(value, '|');
    }
    // A flag that a sentence names again is the same one.
    std::vector<cli::flag_words> once;
    for (auto& each : out)
        if (std::none_of(once.begin(), once.end(), [&](const auto& other) {
                return std::find(other.names.begin(), other.names.end(), each.names.back()) != other.names.end();
            }))
            once.push_back(std::move(each));
    return once;
}

} // namespace

cli::grammar passed_words(std::string_view help_page)
{
    const auto daemon = flags_in(lines_from(help_page, daemon_section, [](std::string_view line) { return line.empty(); }));
    const auto mcp = flags_in(lines_from(help_page, mcp_line, [](std::string_view line) { return line.size() < 3 || line[2] != ' '; }));
    return {{"svc", daemon, {}}, {"start", daemon, {"svc"}}, {"mcp", mcp, {"install"}},
            {"cleanup", {}, {}}, {"help", {}, {}},           {"version", {}, {}}};
}

} // namespace fwd::bridge
