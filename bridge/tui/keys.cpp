#include "bridge/tui/keys.hpp"

#include "common/text.hpp"

#include <map>
#include <optional>

namespace fwd::tui {

namespace {

constexpr std::string_view paste_end = "\x1b[201~";
constexpr std::size_t most_pasted = 4096;
constexpr std::size_t longest_sequence = 64;

std::optional<key_name> named(std::string_view sequence)
{
    // Behind ESC, both as the cursor keys send in normal and in application mode. Source: XTerm Control Sequences, "PC-Style Function
    // Keys".
    static const std::map<std::string_view, key_name> known{
        {"[A", key_name::up},      {"[B", key_name::down},     {"[C", key_name::right},      {"[D", key_name::left},
        {"OA", key_name::up},      {"OB", key_name::down},     {"OC", key_name::right},      {"OD", key_name::left},
        {"[H", key_name::home},    {"[F", key_name::end},      {"OH", key_name::home},       {"OF", key_name::end},
        {"[1~", key_name::home},   {"[4~", key_name::end},     {"[7~", key_name::home},      {"[8~", key_name::end},
        {"[3~", key_name::remove}, {"[5~", key_name::page_up}, {"[6~", key_name::page_down}, {"[Z", key_name::back_tab},
        {"OM", key_name::enter}};
    const auto found = known.find(sequence);
    return found == known.end() ? std::nullopt : std::optional{found->second};
}

/// "[<0;12;5M". Source: XTerm Control Sequences, "Extended coordinates" (SGR).
std::optional<key> mouse(std::string_view sequence)
{
    if (!sequence.starts_with("[<")) return std::nullopt;
    const auto numbers = split(sequence.substr(2, sequence.size() - 3), ';');
    if (numbers.size() != 3) return std::nullopt;
    const auto button = to_number<int>(numbers[0]), x = to_number<int>(numbers[1]), y = to_number<int>(numbers[2]);
    if (!button || !x || !y || *x < 1 || *y < 1 || *x > 10000 || *y > 10000) return std::nullopt;
    key out;
    out.x = *x - 1;
    out.y = *y - 1;
    if (*button == 64)
        out.name = key_name::wheel_up;
    else if (*button == 65)
        out.name = key_name::wheel_down;
    else if (*button == 0 && sequence.back() == 'M')
        out.name = key_name::click;
    else
        return std::nullopt;
    return out;
}

key control_key(char c)
{
    if (c == '\r' || c == '\n') return {key_name::enter, {}};
    if (c == '\t') return {key_name::tab, {}};
    if (c == 0x7f || c == 0x08) return {key_name::backspace, {}};
    return {key_name::control, std::string(1, static_cast<char>(c + 0x60))};
}

/// Bytes that a character takes by its first one; 0: none begins so. Source: RFC 3629.
std::size_t length_of_character(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

} // namespace

bool is(const key& what, std::string_view text)
{
    return what.name == key_name::character && what.text == text;
}

bool is(const key& what, key_name name)
{
    return what.name == name;
}

bool is_control(const key& what, std::string_view letter)
{
    return what.name == key_name::control && what.text == letter;
}

std::vector<key> key_reader::feed(std::string_view bytes)
{
    pending_ += bytes;
    std::vector<key> out;
    while (!pending_.empty() && take_one(out)) {}
    return out;
}

std::vector<key> key_reader::flush()
{
    std::vector<key> out;
    if (pasting_ || pending_.empty()) return out;
    // An escape sequence that never ends is an Escape and what was typed after it; half a character is nothing.
    const bool escape = pending_.front() == '\x1b';
    const auto rest = pending_.substr(1);
    pending_.clear();
    if (!escape) return out;
    out.push_back({key_name::escape, {}});
    for (auto& each : feed(rest)) out.push_back(std::move(each));
    return out;
}

bool key_reader::take_one(std::vector<key>& into)
{
    if (pasting_) {
        const auto end = pending_.find(paste_end);
        const auto keep = end == std::string::npos ? pending_.size() - std::min(pending_.size(), paste_end.size() - 1) : end;
        if (pasted_.size() < most_pasted) pasted_ += pending_.substr(0, std::min(keep, most_pasted - pasted_.size()));
        pending_.erase(0, keep);
        if (end == std::string::npos) return false;
        pending_.erase(0, paste_end.size());
        pasting_ = false;
        into.push_back({key_name::paste, std::move(pasted_)});
        pasted_.clear();
        return true;
    }
    const char first = pending_.front();
    if (first == '\x1b') return take_sequence(into);
    if (static_cast<unsigned char>(first) < 0x20 || first == 0x7f) {
        if (first != 0) into.push_back(control_key(first));
        pending_.erase(0, 1);
        return true;
    }
    const auto length = length_of_character(static_cast<unsigned char>(first));
    std::size_t there = 1;
    while (there < length && there < pending_.size() && (pending_[there] & 0xc0) == 0x80) ++there;
    if (there < length && there == pending_.size()) return false;
    auto text = pending_.substr(0, there);
    pending_.erase(0, there);
    if (is_utf8(text)) into.push_back({key_name::character, std::move(text)});
    return true;
}

bool key_reader::take_sequence(std::vector<key>& into)
{
    if (pending_.size() < 2) return false;
    const char kind = pending_[1];
    if (kind != '[' && kind != 'O') {
        // Alt with a key arrives as Escape and the key.
        into.push_back({key_name::escape, {}});
        pending_.erase(0, 1);
        return true;
    }
    // Parameters, then one byte from '@' to '~' ends it. Source: ECMA-48 5.4.
    std::size_t end = 2;
    while (end < pending_.size() && !(pending_[end] >= '@' && pending_[end] <= '~')) ++end;
    if (end == pending_.size()) {
        if (end <= longest_sequence) return false;
        pending_.erase(0, 1);
        return true;
    }
    const auto sequence = pending_.substr(1, end);
    pending_.erase(0, end + 1);
    if (sequence == "[200~")
        pasting_ = true;
    else if (const auto known = named(sequence))
        into.push_back({*known, {}});
    else if (auto at = mouse(sequence))
        into.push_back(std::move(*at));
    return true;
}

} // namespace fwd::tui
