#include "daemon/host/hosts_text.hpp"

#include "common/text.hpp"

#include <fmt/format.h>

namespace fwd::host {
namespace {

constexpr std::string_view begin_mark = "# BEGIN fwd uid=", end_mark = "# END fwd uid=", note = " (newline added)";

/// The owner when this line is such a marker.
std::optional<uid_t> owner_in(std::string_view line, std::string_view mark)
{
    if (!line.starts_with(mark)) return {};
    line = trim(line.substr(mark.size()));
    if (line.ends_with(note)) line.remove_suffix(note.size());
    return to_number<uid_t>(line);
}

/// Takes one block out, and the newline that came with it unless lines of others follow; a block that follows inherits it.
std::string without(std::string_view text, const block& gone)
{
    std::string before{text.substr(0, gone.begin)}, after{text.substr(gone.end)};
    if (!gone.added) return before + after;
    if (after.empty() && before.ends_with('\n')) before.pop_back();
    const auto next = std::string_view{line_at(after, 0)};
    if (owner_in(next, begin_mark) && !trim(next).ends_with(note)) after.insert(trim(next).size(), note);
    return before + after;
}

} // namespace

std::string_view line_at(std::string_view text, std::size_t at)
{
    return text.substr(at, std::min(text.find('\n', at), text.size() - 1) + 1 - at);
}

std::optional<block> find_block(std::string_view text, uid_t uid)
{
    for (std::size_t at = 0; at < text.size(); at += line_at(text, at).size()) {
        const auto first = line_at(text, at);
        if (owner_in(first, begin_mark) != uid) continue;
        block found{at, at + first.size(), first.ends_with("\r\n") ? "\r\n" : "\n", trim(first).ends_with(note)};
        for (auto next = found.end; next < text.size();) {
            const auto line = line_at(text, next);
            next += line.size();
            if (owner_in(line, end_mark) == uid) return found.end = next, found;
            if (owner_in(line, begin_mark)) break;
        }
        while (line_at(text, found.end).starts_with("127.") && !line_at(text, found.end).starts_with("127.0."))
            found.end += line_at(text, found.end).size();
        return found;
    }
    return {};
}

std::string with_block(std::string_view text, uid_t uid, const name_table& names)
{
    std::string rest{text};
    std::optional<block> place;
    while (const auto found = find_block(rest, uid)) {
        if (place || names.empty()) {
            rest = without(rest, *found);
        } else {
            place = found;
            rest.erase(found->begin, found->end - found->begin);
        }
    }
    if (names.empty()) return rest;
    if (!place) {
        place = block{0, 0, rest.find("\r\n") == rest.npos ? "\n" : "\r\n", !rest.empty() && rest.back() != '\n'};
        if (place->added) rest += '\n'; // even where lines end in CRLF, so that taking it out is certain
        place->begin = rest.size();
    }
    auto ours = fmt::format("{}{}{}{}", begin_mark, uid, place->added ? note : "", place->newline);
    for (const auto& [address, all] : names) ours += fmt::format("{}\t{}{}", address.text(), join(all, " "), place->newline);
    return rest.insert(place->begin, ours + fmt::format("{}{}{}", end_mark, uid, place->newline));
}

std::vector<uid_t> block_owners(std::string_view text)
{
    std::vector<uid_t> owners;
    for (std::size_t at = 0; at < text.size(); at += line_at(text, at).size())
        if (const auto owner = owner_in(line_at(text, at), begin_mark)) owners.push_back(*owner);
    return owners;
}

} // namespace fwd::host
