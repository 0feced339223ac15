#include "bridge/tools/reading.hpp"

#include "bridge/service_words.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

namespace fwd::tools {

namespace {

constexpr std::size_t longest_text = 2000;

/// The longest list and the longest text of a value, wherever they stand.
struct longest {
    json::array* list = nullptr;
    std::size_t list_size = 0;
    json::string* text = nullptr;
};

void find_longest(json::value& in, longest& out)
{
    if (auto* text = in.if_string()) {
        if (!out.text || text->size() > out.text->size()) out.text = text;
    } else if (auto* list = in.if_array()) {
        if (list->size() > 1) {
            const auto size = json_size(*list);
            if (size > out.list_size) {
                out.list = list;
                out.list_size = size;
            }
        }
        for (auto& each : *list) find_longest(each, out);
    } else if (auto* object = in.if_object()) {
        for (auto& [name, value] : *object) find_longest(value, out);
    }
}

awaitable<mcp::tool_answer> run(const kit& with, const reading& what, mcp::tool_call& call)
{
    auto asked = what.ask(call.arguments());
    if (auto* wrong = std::get_if<mcp::tool_problem>(&asked)) co_return std::move(*wrong);
    auto where = std::get<rest_call>(std::move(asked));
    const auto rest = with.rest_for(call);
    std::optional<bridge::answer<bridge::raw_answer>> got;
    if (where.method == "GET")
        got.emplace(co_await rest.read(where.path, where.with));
    else
        got.emplace(co_await rest.change(where.method, where.path, where.body, where.longer));
    if (!*got) co_return problem_from(got->error());
    auto data = cleaned((**got).data);
    json::object object;
    if (data.is_object()) object = std::move(data.get_object());
    if (data.is_array()) object["items"] = std::move(data);
    if (!what.also.path.empty())
        if (auto beside = co_await rest.read(what.also.path, what.also.with)) object["beside"] = cleaned(beside->data);
    auto out = what.tell(std::move(object), call.arguments());
    fit(out);
    co_return out;
}

} // namespace

reading reading_of(std::string name, std::string title, std::string description)
{
    reading out;
    out.name = std::move(name);
    out.title = std::move(title);
    out.description = std::move(description);
    out.input = mcp::schema::object({});
    return out;
}

json::object anything()
{
    return mcp::schema::open_object({});
}

mcp::tool make_reading(const kit& with, reading what)
{
    namespace s = mcp::schema;
    mcp::tool out;
    out.name = what.name;
    out.title = what.title;
    out.description = what.description;
    out.input = what.input;
    out.hints = what.hints;
    out.output = s::open_object({s::must("summary", s::text("for a person"))});
    auto& properties = out.output["properties"].get_object();
    for (const auto& each : what.output) {
        properties[each.name] = each.what;
        if (each.needed) out.output["required"].get_array().push_back(json::value(each.name));
    }
    auto kept = std::make_shared<const reading>(std::move(what));
    out.run = [&with, kept](mcp::tool_call& call) { return run(with, *kept, call); };
    return out;
}

json::value cleaned(const json::value& from)
{
    if (from.is_string()) return json::value(printable(std::string_view{from.get_string()}));
    if (from.is_array()) {
        json::array out;
        for (const auto& each : from.get_array()) out.push_back(cleaned(each));
        return out;
    }
    if (from.is_object()) {
        json::object out;
        for (const auto& [name, value] : from.get_object())
            if (!value.is_null()) out[printable(name)] = cleaned(value);
        return out;
    }
    return from;
}

void fit(json::object& result, std::size_t most)
{
    json::value whole(std::move(result));
    bool was_cut = false;
    while (json_size(whole) > most) {
        longest found;
        find_longest(whole, found);
        was_cut = true;
        if (found.text && found.text->size() > longest_text) {
            *found.text = shortened(std::string_view{found.text->data(), found.text->size()}, longest_text);
        } else if (found.list) {
            found.list->resize(std::max<std::size_t>(1, found.list->size() * 3 / 4));
        } else if (found.text && found.text->size() > 64) {
            *found.text = shortened(std::string_view{found.text->data(), found.text->size()}, found.text->size() / 2);
        } else {
            break; // nothing long is left
        }
    }
    result = std::move(whole.get_object());
    if (was_cut) result["truncated"] = true;
}

void put_page(json::object& result, std::string_view name, json::object& data, std::string_view from, std::int64_t offset,
              std::int64_t limit)
{
    json::array shown;
    std::int64_t total = 0;
    if (auto* list = data.if_contains(from); list && list->is_array()) {
        auto& all = list->get_array();
        total = static_cast<std::int64_t>(all.size());
        const auto first = std::min(offset, total), count = std::min(limit, total - first);
        const std::span page{all.data() + first, static_cast<std::size_t>(count)};
        shown = as_many_as_fit(
            page, [](json::value& one) { return std::move(one); }, most_characters - 1000);
    }
    const auto end = offset + static_cast<std::int64_t>(shown.size());
    result["count"] = shown.size();
    result["total"] = total;
    if (end < total) result["nextCursor"] = cursor_at(end);
    result[name] = std::move(shown);
}

void put_list(json::object& result, std::string_view name, json::object& data, std::string_view from)
{
    json::array all;
    if (auto* list = data.if_contains(from); list && list->is_array()) all = std::move(list->get_array());
    result[name] = std::move(all);
}

std::variant<std::string, mcp::tool_problem> service_key(const json::object& given, std::string_view name)
{
    const auto words = bridge::parse_service_words(text_argument(given, name));
    if (!words) return invalid_arguments(words.error().message());
    if (words->service.empty()) return invalid_arguments(fmt::format("argument '{}' names a namespace, not a service", name));
    return words->key();
}

std::string segment(std::string_view text)
{
    return percent_encode(text);
}

std::string text_of(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_string() ? std::string{member->get_string()} : std::string{};
}

std::int64_t number_of(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_number() ? member->to_number<std::int64_t>() : 0;
}

} // namespace fwd::tools
