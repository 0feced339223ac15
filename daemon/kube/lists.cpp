#include "daemon/kube/lists.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::kube {

namespace {

std::string text_of(const json::object& from, std::string_view name)
{
    const auto* value = from.if_contains(name);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::string(text->data(), text->size()) : std::string{};
}

const json::object* object_of(const json::object& from, std::string_view name)
{
    const auto* value = from.if_contains(name);
    return value ? value->if_object() : nullptr;
}

/// Parsed into one arena that goes away at once: most of a pod's JSON is never looked at.
result<json::value> parse_into(std::string_view text, json::monotonic_resource& arena)
{
    json::parse_options options;
    options.max_depth = 64;
    error_code failed;
    auto value = json::parse(text, failed, &arena, options);
    if (failed) return error{errc::parse_error, "JSON of the API server: " + failed.message()};
    return value;
}

watched_object read_object(const json::value& from, object_reader read)
{
    watched_object made;
    const auto* object = from.if_object();
    const auto* meta = object ? object_of(*object, "metadata") : nullptr;
    if (!meta) return made;
    const auto space = text_of(*meta, "namespace");
    const auto name = text_of(*meta, "name");
    made.key = space.empty() ? name : space + "/" + name;
    made.uid = text_of(*meta, "uid");
    made.resource_version = text_of(*meta, "resourceVersion");
    if (!name.empty() && read) made.value = read(from);
    return made;
}

watch_event::kind kind_of(std::string_view type)
{
    using kind = watch_event::kind;
    if (type == "ADDED") return kind::added;
    if (type == "MODIFIED") return kind::modified;
    if (type == "DELETED") return kind::deleted;
    if (type == "BOOKMARK") return kind::bookmark;
    return type == "ERROR" ? kind::error : kind::other;
}

} // namespace

result<object_list> read_list(std::string_view body, object_reader read)
{
    json::monotonic_resource arena;
    const auto parsed = parse_into(body, arena);
    if (!parsed) return parsed.error();
    const auto* root = parsed->if_object();
    const auto* items = root ? root->if_contains("items") : nullptr;
    if (!items || !(items->is_array() || items->is_null())) return error{errc::protocol_error, "the answer is no Kubernetes list"};
    object_list made;
    if (const auto* meta = object_of(*root, "metadata")) {
        made.resource_version = text_of(*meta, "resourceVersion");
        made.more = text_of(*meta, "continue");
    }
    if (items->is_null()) return made; // an empty list of old servers
    made.items.reserve(items->get_array().size());
    for (const auto& item : items->get_array()) {
        auto object = read_object(item, read);
        if (object.key.empty()) continue;
        if (read && !object.value)
            made.left_out.push_back(std::move(object.key));
        else
            made.items.push_back(std::move(object));
    }
    return made;
}

std::string shown_key(std::string_view key)
{
    constexpr std::size_t most = 80;
    // Marks and directions are no part of a lawful name either: what is beyond ASCII is shown as its bytes.
    std::string shown;
    for (const char c : key.substr(0, most)) {
        if (c >= ' ' && c < 0x7f)
            shown += c;
        else
            shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        if (shown.size() > most) break;
    }
    return key.size() > most || shown.size() > most ? shown.substr(0, most) + "..." : shown;
}

result<watch_event> read_watch_event(std::string_view text, object_reader read, std::string_view what)
{
    json::monotonic_resource arena;
    const auto parsed = parse_into(text, arena);
    if (!parsed) return parsed.error();
    const auto* root = parsed->if_object();
    const auto* object = root ? root->if_contains("object") : nullptr;
    if (!object) return error{errc::protocol_error, "the answer is no watch event"};
    watch_event made;
    made.what = kind_of(text_of(*root, "type"));
    if (made.what == watch_event::kind::error) {
        made.failure = failure_of(500, json::serialize(*object), {}, what);
        return made;
    }
    const bool with_value = made.what != watch_event::kind::bookmark && made.what != watch_event::kind::other;
    made.object = read_object(*object, with_value ? read : nullptr);
    return made;
}

result<std::optional<std::string>> json_splitter::next()
{
    for (; at_ < held_.size(); ++at_) {
        const char c = held_[at_];
        if (in_text_) {
            if (escaped_)
                escaped_ = false;
            else if (c == '\\')
                escaped_ = true;
            else if (c == '"')
                in_text_ = false;
            continue;
        }
        if (depth_ == 0) {
            if (c == '{') {
                begin_ = at_;
                depth_ = 1;
            } else if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
                return error{errc::protocol_error, "the watch sends something that is no JSON object"};
            } else {
                begin_ = at_ + 1;
            }
            continue;
        }
        if (c == '"')
            in_text_ = true;
        else if (c == '{')
            ++depth_;
        else if (c == '}' && --depth_ == 0) {
            auto whole = held_.substr(begin_, at_ + 1 - begin_);
            begin_ = ++at_;
            if (begin_ == held_.size() || begin_ > 256 * 1024) {
                held_.erase(0, begin_);
                begin_ = at_ = 0;
            }
            return std::optional{std::move(whole)};
        }
    }
    if (held() > most_) return error{errc::too_large, fmt::format("an event is larger than {} bytes", most_)};
    if (begin_ > 0) {
        held_.erase(0, begin_);
        at_ -= begin_;
        begin_ = 0;
    }
    return std::optional<std::string>{};
}

} // namespace fwd::kube
