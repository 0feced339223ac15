#include "daemon/host/hosts_text.hpp"

#include "common/text.hpp"

#include <fmt/format.h>

namespace fwd::host {
namespace {

constexpr std::string_view begin_mark = "# BEGIN fwd uid=", end_mark = "# END fwd uid=", note = " (newline added)";

struct block {
    std::size_t begin = 0, end = 0;
    std::string_view newline; // "\r\n" or "\n"
    bool added = false;       // the newline before it is ours
};

/// The line that begins at `at`, with its newline.
std::string_view line_at(std::string_view text, std::size_t at)
{
    const auto end = text.find('\n', at);
    return text.substr(at, end == text.npos ? text.npos : end + 1 - at);
}

/// The owner when this line is such a marker.
std::optional<uid_t> owner_in(std::string_view line, std::string_view mark)
{
    line = trim(line);
    if (!line.starts_with(mark)) return {};
    line.remove_prefix(mark.size());
    if (line.ends_with(note)) line.remove_suffix(note.size());
    return to_number<uid_t>(line);
}

std::optional<block> find_block(std::string_view text, uid_t uid)
{
    for (std::size_t at = 0; at < text.size(); at += line_at(text, at).size()) {
        const auto first = line_at(text, at);
        if (owner_in(first, begin_mark) != uid) continue;
        block found{at, at + first.size(), first.ends_with("\r\n") ? "\r\n" : "\n", trim(first).ends_with(note)};
        // A block that lost its end reaches as far as its own addresses do.
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

/// Takes one block out, and the newline that came with it unless lines of others follow; a block that follows inherits it.
std::string without(std::string_view text, const block& gone)
{
    std::string before{text.substr(0, gone.begin)}, after{text.substr(gone.end)};
    if (!gone.added) return before + after;
    if (after.empty() && before.ends_with(gone.newline)) before.resize(before.size() - gone.newline.size());
    const auto next = std::string_view{line_at(after, 0)};
    if (owner_in(next, begin_mark) && !trim(next).ends_with(note)) after.insert(trim(next).size(), note);
    return before + after;
}

} // namespace

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
        if (place->added) rest += place->newline;
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

std::map<std::string, unsigned, std::less<>> other_names(std::string_view text, uid_t uid)
{
    std::map<std::string, unsigned, std::less<>> found;
    const auto ours = find_block(text, uid).value_or(block{text.size(), text.size()});
    unsigned number = 0;
    for (std::size_t at = 0; at < text.size(); at += line_at(text, at).size()) {
        ++number;
        if (at >= ours.begin && at < ours.end) continue;
        auto words = line_at(text, at);
        words = words.substr(0, words.find('#'));
        for (bool name = false; !(words = trim(words)).empty(); name = true) {
            const auto word = words.substr(0, words.find_first_of(" \t\r\n\v\f"));
            if (name) found.emplace(lower(word), number);
            words.remove_prefix(word.size());
        }
    }
    return found;
}

} // namespace fwd::host
