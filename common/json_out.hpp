// JSON written at once as text, without a value tree between.
#pragma once

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fwd {

/// A text that grows ahead of what is written: a list of thousands is made of small pieces, which a string's own appending is slow at.
class json_out {
public:
    void put(char c)
    {
        if (at_ == text_.size()) grow(1);
        text_[at_++] = c;
    }
    void put(std::string_view text)
    {
        if (text_.size() - at_ < text.size()) grow(text.size());
        std::memcpy(text_.data() + at_, text.data(), text.size());
        at_ += text.size();
    }
    /// What was written; this object is empty afterwards.
    [[nodiscard]] std::string take();

private:
    void grow(std::size_t least) { text_.resize(2 * text_.size() + least + 512); }

    std::string text_; ///< longer than what was written
    std::size_t at_ = 0;
};

/// Writes one value. Numbers are the shortest that read back as the same.
void append_json(json_out& to, std::string_view text); ///< quoted and escaped
inline void append_json(json_out& to, const std::string& text)
{
    append_json(to, std::string_view{text});
}
void append_json(json_out& to, bool value);
void append_json(json_out& to, std::int64_t value);
void append_json(json_out& to, std::uint64_t value);
void append_json(json_out& to, double value);
void append_json(json_out& to, const boost::json::value& value);

/// How JSON writes a byte of a text: 0 as it is, else as this letter behind a backslash, 'u' with four digits (RFC 8259, 7).
[[nodiscard]] inline char json_escape(char c)
{
    if (static_cast<unsigned char>(c) >= 0x20) return c == '"' || c == '\\' ? c : '\0';
    switch (c) {
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 'u';
    }
}

} // namespace fwd
