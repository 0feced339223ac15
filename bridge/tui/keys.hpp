// Bytes from a terminal to named keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fwd::tui {

enum class key_name {
    character, ///< `text` is it
    enter,
    escape,
    tab,
    back_tab,
    backspace,
    remove,
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
    control, ///< `text` is the letter in lower case
    paste,   ///< `text` as it came, from a bracketed paste
    click,   ///< at x, y from 0
    wheel_up,
    wheel_down,
};

struct key {
    key_name name = key_name::character;
    std::string text;
    int x = 0, y = 0;
    bool operator==(const key&) const = default;
};

[[nodiscard]] bool is(const key& what, std::string_view text);
[[nodiscard]] bool is(const key& what, key_name name);
[[nodiscard]] bool is_control(const key& what, std::string_view letter);

/// Takes bytes however they were cut. Sequences that nobody knows are dropped whole.
class key_reader {
public:
    [[nodiscard]] std::vector<key> feed(std::string_view bytes);
    /// Whether what came may still become something longer: after a short silence, ask `flush`.
    [[nodiscard]] bool waiting() const { return !pending_.empty() && !pasting_; }
    /// What waits is all there is: an escape by itself is the Escape key.
    [[nodiscard]] std::vector<key> flush();

private:
    bool take_one(std::vector<key>& into);
    bool take_sequence(std::vector<key>& into);

    std::string pending_, pasted_;
    bool pasting_ = false;
};

} // namespace fwd::tui
