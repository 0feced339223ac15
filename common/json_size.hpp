// How long a value's text will be.
#pragma once

#include <boost/json/fwd.hpp>

#include <cstddef>

namespace fwd {

/// How many bytes Boost.JSON writes for a value, counted without writing it.
[[nodiscard]] std::size_t json_size(const boost::json::value& value);
[[nodiscard]] std::size_t json_size(const boost::json::object& value);
[[nodiscard]] std::size_t json_size(const boost::json::array& value);

} // namespace fwd
