// Lenient looks into a daemon's answer: what is not there is empty.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fwd::bridge {

namespace json = boost::json;

[[nodiscard]] const json::value& look_at(const json::value& in, std::string_view name);
/// Numbers and truths as they are written in JSON; else empty.
[[nodiscard]] std::string text_at(const json::value& in, std::string_view name);
[[nodiscard]] std::optional<double> number_at(const json::value& in, std::string_view name);
[[nodiscard]] const json::array& list_at(const json::value& in, std::string_view name);

} // namespace fwd::bridge
