// JSON written at once as text, without a value tree between; and how long a value's text will be.
#pragma once

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fwd {

/// Appends one value. Numbers are the shortest that read back as the same.
void append_json(std::string& to, std::string_view text); ///< quoted and escaped
inline void append_json(std::string& to, const std::string& text)
{
    append_json(to, std::string_view{text});
}
void append_json(std::string& to, bool value);
void append_json(std::string& to, std::int64_t value);
void append_json(std::string& to, std::uint64_t value);
void append_json(std::string& to, double value);
void append_json(std::string& to, const boost::json::value& value);

/// How many bytes Boost.JSON writes for a value, counted without writing it.
[[nodiscard]] std::size_t json_size(const boost::json::value& value);
[[nodiscard]] std::size_t json_size(const boost::json::object& value);
[[nodiscard]] std::size_t json_size(const boost::json::array& value);

} // namespace fwd
