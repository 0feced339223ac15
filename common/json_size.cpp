#include "common/json_size.hpp"

#include "common/json_out.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

namespace fwd {

namespace {

/// Of a text with its quotes.
std::size_t quoted_size(std::string_view text)
{
    std::size_t size = text.size() + 2;
    for (const char c : text)
        if (const auto letter = json_escape(c)) size += letter == 'u' ? 5 : 1;
    return size;
}

/// Brackets, and commas between entries.
std::size_t frame_size(std::size_t entries)
{
    return entries == 0 ? 2 : 1 + entries;
}

} // namespace

std::size_t json_size(const boost::json::object& value)
{
    auto size = frame_size(value.size());
    for (const auto& [name, member] : value) size += quoted_size(name) + 1 + json_size(member);
    return size;
}

std::size_t json_size(const boost::json::array& value)
{
    auto size = frame_size(value.size());
    for (const auto& entry : value) size += json_size(entry);
    return size;
}

std::size_t json_size(const boost::json::value& value)
{
    if (const auto* text = value.if_string()) return quoted_size({text->data(), text->size()});
    if (const auto* object = value.if_object()) return json_size(*object);
    if (const auto* array = value.if_array()) return json_size(*array);
    if (const auto* number = value.if_int64()) return fmt::format_int{*number}.size();
    return boost::json::serialize(value).size(); // null, a truth, or a number that is rare
}

} // namespace fwd
