#include "common/json_reader.hpp"

#include <boost/json/parse_options.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include <fmt/core.h>

#include <cmath>

namespace fwd {

result<json::value> parse_json(std::string_view text, json_limits limits)
{
    json::parse_options options;
    options.max_depth = limits.depth;
    json::stream_parser parser{{}, options};
    error_code why;
    const auto used = parser.write_some(text.data(), text.size(), why);
    if (!why && used < text.size()) {
        if (text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) why = json::error::extra_data;
    }
    if (!why) parser.finish(why);
    if (why) return error{errc::parse_error, fmt::format("invalid JSON at byte {}: {}", used, why.message())};
    return parser.release();
}

namespace {

const json::object& nothing()
{
    static const json::object empty;
    return empty;
}

} // namespace

json_reader::json_reader(const json::value& from, std::string place) : object_{from.if_object()}, place_{std::move(place)}
{
    if (object_) return;
    object_ = &nothing();
    problem_ = fwd::error{errc::invalid_request, place_.empty() ? "expected a JSON object" : place_ + ": expected a JSON object"};
}

json_reader::json_reader(const json::object& from, std::string place) : object_{&from}, place_{std::move(place)} {}

const json::value* json_reader::find(std::string_view name) const
{
    const auto* found = object_->if_contains(name);
    return found && !found->is_null() ? found : nullptr;
}

bool json_reader::has(std::string_view name) const
{
    return find(name) != nullptr;
}

void json_reader::fail(std::string_view name, std::string_view problem)
{
    if (problem_) return;
    const auto path = place_.empty() ? std::string{name} : place_ + "." + std::string{name};
    problem_ = fwd::error{errc::invalid_request, fmt::format("member '{}': {}", path, problem)};
}

std::string json_reader::text(std::string_view name)
{
    if (auto value = maybe_text(name)) return *std::move(value);
    fail(name, "is missing");
    return {};
}

std::string json_reader::text_or(std::string_view name, std::string_view other)
{
    return maybe_text(name).value_or(std::string{other});
}

std::optional<std::string> json_reader::maybe_text(std::string_view name)
{
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (const auto* text = value->if_string()) return std::string{text->data(), text->size()};
    fail(name, "expected a string");
    return std::nullopt;
}

std::int64_t json_reader::whole(std::string_view name)
{
    if (!has(name)) fail(name, "is missing");
    return maybe_whole(name).value_or(0);
}

std::int64_t json_reader::whole_or(std::string_view name, std::int64_t other)
{
    return maybe_whole(name).value_or(other);
}

std::optional<std::int64_t> json_reader::maybe_whole(std::string_view name)
{
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (const auto* number = value->if_int64()) return *number;
    if (const auto* number = value->if_uint64(); number && *number <= INT64_MAX) return static_cast<std::int64_t>(*number);
    // 1e3 and 5.0 are whole numbers in JSON, which knows one kind of number only.
    if (const auto* number = value->if_double(); number && std::floor(*number) == *number && std::fabs(*number) < 9e15)
        return static_cast<std::int64_t>(*number);
    fail(name, "expected a whole number");
    return std::nullopt;
}

std::optional<double> json_reader::maybe_number(std::string_view name)
{
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (value->is_number()) return value->to_number<double>();
    fail(name, "expected a number");
    return std::nullopt;
}

bool json_reader::truth_or(std::string_view name, bool other)
{
    return maybe_truth(name).value_or(other);
}

std::optional<bool> json_reader::maybe_truth(std::string_view name)
{
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (const auto* truth = value->if_bool()) return *truth;
    fail(name, "expected true or false");
    return std::nullopt;
}

std::vector<std::string> json_reader::texts(std::string_view name)
{
    std::vector<std::string> found;
    const auto* list = maybe_array(name);
    if (!list) return found;
    for (const auto& value : *list) {
        if (const auto* text = value.if_string())
            found.emplace_back(text->data(), text->size());
        else
            fail(name, "expected a list of strings");
    }
    return found;
}

const json::value* json_reader::member(std::string_view name)
{
    return find(name);
}

const json::object* json_reader::maybe_object(std::string_view name)
{
    const auto* value = find(name);
    if (!value) return nullptr;
    if (!value->is_object()) fail(name, "expected an object");
    return value->if_object();
}

const json::array* json_reader::maybe_array(std::string_view name)
{
    const auto* value = find(name);
    if (!value) return nullptr;
    if (!value->is_array()) fail(name, "expected a list");
    return value->if_array();
}

} // namespace fwd
