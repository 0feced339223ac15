#include "common/json_out.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <utility>

namespace fwd {

namespace {

template <class N>
void append_number(json_out& to, N value)
{
    const fmt::format_int text{value};
    to.put({text.data(), text.size()});
}

} // namespace

std::string json_out::take()
{
    text_.resize(std::exchange(at_, 0));
    return std::exchange(text_, {});
}

void append_json(json_out& to, std::string_view text)
{
    to.put('"');
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto letter = json_escape(text[at]);
        if (letter == '\0') continue;
        to.put(text.substr(begin, at - begin));
        begin = at + 1;
        to.put('\\');
        if (letter == 'u')
            to.put(fmt::format("u{:04x}", static_cast<unsigned char>(text[at])));
        else
            to.put(letter);
    }
    to.put(text.substr(begin));
    to.put('"');
}

void append_json(json_out& to, bool value)
{
    to.put(value ? "true" : "false");
}

void append_json(json_out& to, std::int64_t value)
{
    append_number(to, value);
}

void append_json(json_out& to, std::uint64_t value)
{
    append_number(to, value);
}

void append_json(json_out& to, double value)
{
    to.put(fmt::format("{}", value));
}

void append_json(json_out& to, const boost::json::value& value)
{
    to.put(boost::json::serialize(value));
}

} // namespace fwd
