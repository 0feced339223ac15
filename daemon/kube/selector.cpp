#include "daemon/kube/selector.hpp"

#include "common/text.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace fwd::kube {

bool requirement::matches(const labels& of) const
{
    const auto at = of.find(key);
    const bool there = at != of.end();
    switch (how) {
    case operation::exists: return there;
    case operation::absent: return !there;
    case operation::in: return there && std::find(values.begin(), values.end(), at->second) != values.end();
    case operation::not_in: return !there || std::find(values.begin(), values.end(), at->second) == values.end();
    }
    return false;
}

bool label_selector::matches(const labels& of) const
{
    return std::all_of(requirements.begin(), requirements.end(), [&](const requirement& r) { return r.matches(of); });
}

label_selector label_selector::of(const labels& pairs)
{
    label_selector all;
    for (const auto& [key, value] : pairs) all.requirements.push_back({key, requirement::operation::in, {value}});
    return all;
}

bool selects(const labels& wanted, const labels& present)
{
    if (wanted.empty()) return false;
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
        const auto at = present.find(pair.first);
        return at != present.end() && at->second == pair.second;
    });
}

std::string selector_text(const labels& pairs)
{
    std::string text;
    for (const auto& [key, value] : pairs) text += (text.empty() ? "" : ",") + key + "=" + value;
    return text;
}

namespace {

bool is_word(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == '/';
}

/// Reads a selector from left to right.
class scanner {
public:
    explicit scanner(std::string_view text) : text_{text} {}

    [[nodiscard]] bool at_end()
    {
        skip_blanks();
        return at_ == text_.size();
    }
    bool take(std::string_view token)
    {
        skip_blanks();
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }
    std::string word()
    {
        skip_blanks();
        const auto begin = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        return std::string(text_.substr(begin, at_ - begin));
    }
    /// A word that must stand alone: "in" is not the beginning of "inner".
    bool take_word(std::string_view wanted)
    {
        const auto before = at_;
        if (word() == wanted) return true;
        at_ = before;
        return false;
    }
    [[nodiscard]] error problem(std::string_view expected) const
    {
        return {errc::parse_error,
                "selector '" + std::string(text_) + "' at column " + std::to_string(at_ + 1) + ": expected " + std::string(expected)};
    }

private:
    void skip_blanks()
    {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }
    std::string_view text_;
    std::size_t at_ = 0;
};

result<std::vector<std::string>> value_set(scanner& in)
{
    if (!in.take("(")) return in.problem("'('");
    std::vector<std::string> values;
    do values.push_back(in.word());
    while (in.take(","));
    if (!in.take(")")) return in.problem("',' or ')'");
    return values;
}

result<requirement> one(scanner& in)
{
    using operation = requirement::operation;
    const bool negated = in.take("!");
    requirement made;
    made.key = in.word();
    if (made.key.empty()) return in.problem("a label key");
    if (negated) {
        made.how = operation::absent;
        return made;
    }
    if (in.take("!=")) {
        made.how = operation::not_in;
        made.values = {in.word()};
        return made;
    }
    if (in.take("==") || in.take("=")) {
        made.how = operation::in;
        made.values = {in.word()};
        return made;
    }
    std::optional<operation> how;
    if (in.take_word("in"))
        how = operation::in;
    else if (in.take_word("notin"))
        how = operation::not_in;
    if (!how) return made;
    auto values = value_set(in);
    if (!values) return values.error();
    made.how = *how;
    made.values = std::move(*values);
    return made;
}

} // namespace

result<label_selector> label_selector::parse(std::string_view text)
{
    label_selector made;
    scanner in{text};
    if (in.at_end()) return made;
    do {
        auto next = one(in);
        if (!next) return next.error();
        made.requirements.push_back(std::move(*next));
    } while (in.take(","));
    if (!in.at_end()) return in.problem("',' or the end");
    return made;
}

} // namespace fwd::kube
