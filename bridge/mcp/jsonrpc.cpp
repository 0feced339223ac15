#include "bridge/mcp/jsonrpc.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace fwd::mcp {

namespace {

bool is_id(const json::value& value)
{
    return value.is_string() || value.is_int64() || value.is_uint64();
}

rpc_garbage garbage(std::optional<json::value> id, std::string why)
{
    return {std::move(id), {rpc_code::invalid_request, std::move(why), nullptr}};
}

rpc_response read_response(json::value id, const json::object& from)
{
    rpc_response out{.id = std::move(id), .result = {}, .error = {}};
    if (const auto* result = from.if_contains("result"); result && result->is_object()) {
        out.result = result->get_object();
        return out;
    }
    out.error = "no result";
    if (const auto* error = from.if_contains("error"); error && error->is_object())
        if (const auto* text = error->get_object().if_contains("message"); text && text->is_string())
            out.error = std::string{text->get_string()};
    return out;
}

} // namespace

rpc_message read_message(const json::value& from)
{
    if (!from.is_object()) return garbage({}, from.is_array() ? "batches are not part of this protocol version" : "a message is an object");
    const auto& object = from.get_object();

    const auto* id = object.if_contains("id");
    std::optional<json::value> known;
    if (id && is_id(*id)) known = *id;
    const auto* version = object.if_contains("jsonrpc");
    if (!version || !version->is_string() || version->get_string() != "2.0") return garbage(known, "member 'jsonrpc' must be \"2.0\"");
    if (id && !known) return garbage({}, "member 'id' must be a string or a whole number");

    const auto* method = object.if_contains("method");
    if (!method) {
        if (!known || (!object.contains("result") && !object.contains("error"))) return garbage(known, "member 'method' is missing");
        return read_response(*known, object);
    }
    if (!method->is_string()) return garbage(known, "member 'method' must be a string");
    json::object params;
    if (const auto* given = object.if_contains("params")) {
        if (!given->is_object()) return rpc_garbage{known, {rpc_code::invalid_params, "member 'params' must be an object", nullptr}};
        params = given->get_object();
    }
    std::string name{method->get_string()};
    if (!known) return rpc_notification{std::move(name), std::move(params)};
    return rpc_request{std::move(*known), std::move(name), std::move(params)};
}

json::object reply(const json::value& id, json::object result)
{
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

json::object reply_error(const std::optional<json::value>& id, const rpc_error& why)
{
    json::object error{{"code", static_cast<int>(why.code)}, {"message", why.message}};
    if (!why.data.is_null()) error["data"] = why.data;
    json::object out{{"jsonrpc", "2.0"}};
    if (id) out["id"] = *id;
    out["error"] = std::move(error);
    return out;
}

json::object notification(std::string_view method, json::object params)
{
    return {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
}

std::string id_key(const json::value& id)
{
    return json::serialize(id);
}

void line_reader::feed(std::string_view bytes)
{
    if (start_ > 0) {
        buffer_.erase(0, start_);
        scanned_ -= start_;
        start_ = 0;
    }
    buffer_.append(bytes);
}

std::optional<result<std::string>> line_reader::next()
{
    for (;;) {
        const auto end = buffer_.find('\n', scanned_);
        if (end == std::string::npos) {
            scanned_ = buffer_.size();
            if (skipping_ || scanned_ - start_ > limit_) {
                const bool told = std::exchange(skipping_, true);
                buffer_.clear();
                start_ = scanned_ = 0;
                if (!told) return error{errc::too_large, "a message may have " + std::to_string(limit_) + " bytes"};
            }
            return std::nullopt;
        }
        std::string line = buffer_.substr(start_, end - start_);
        start_ = scanned_ = end + 1;
        if (std::exchange(skipping_, false)) continue;
        if (line.size() > limit_) return error{errc::too_large, "a message may have " + std::to_string(limit_) + " bytes"};
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.find_first_not_of(" \t") == std::string::npos) continue;
        return line;
    }
}

} // namespace fwd::mcp
