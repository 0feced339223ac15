#include "bridge/json_look.hpp"

#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

namespace fwd::bridge {

const json::value& look_at(const json::value& in, std::string_view name)
{
    static const json::value nothing;
    const auto* found = in.is_object() ? in.get_object().if_contains(name) : nullptr;
    return found ? *found : nothing;
}

std::string text_at(const json::value& in, std::string_view name)
{
    const auto& found = look_at(in, name);
    if (found.is_string()) return std::string{found.get_string()};
    if (found.is_double()) return fmt::format("{:g}", found.get_double());
    return found.is_number() || found.is_bool() ? json::serialize(found) : std::string{};
}

std::optional<double> number_at(const json::value& in, std::string_view name)
{
    const auto& found = look_at(in, name);
    if (found.is_string()) return to_number<double>(std::string_view{found.get_string()});
    if (!found.is_number()) return std::nullopt;
    return found.to_number<double>();
}

const json::array& list_at(const json::value& in, std::string_view name)
{
    static const json::array none;
    const auto& found = look_at(in, name);
    return found.is_array() ? found.get_array() : none;
}

} // namespace fwd::bridge
