// MCP's reader of lines and messages, its gate for HTTP, and the reader of event streams: any bytes, cut anywhere, give messages,
// answers that are valid themselves, or refusals.
#include "bridge/mcp/http_rules.hpp"
#include "bridge/mcp/protocol.hpp"
#include "bridge/sse_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace fwd::mcp;

/// Few random bytes are a message, so some inputs choose among the beginnings of such.
std::string dressed(std::string_view bytes)
{
    static constexpr std::array<std::string_view, 6> heads{"",
                                                           R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":)",
                                                           R"({"jsonrpc":"2.0","method":")",
                                                           R"({"jsonrpc":"2.0","id":)",
                                                           R"([{"jsonrpc":"2.0","id":"a","result":{}},)",
                                                           R"({"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":)"};
    if (bytes.empty()) return {};
    const auto head = heads[static_cast<unsigned char>(bytes[0]) % heads.size()];
    std::string out{head};
    out += bytes.substr(1);
    if (!head.empty()) out += "}}";
    return out;
}

void read_one(std::string_view line)
{
    const auto value = fwd::parse_json(line, {.depth = 32});
    if (!value) return;
    const auto message = read_message(*value);
    if (const auto* garbage = std::get_if<rpc_garbage>(&message)) {
        const auto back = fwd::json::parse(fwd::json::serialize(reply_error(garbage->id, garbage->why)));
        if (!back.is_object()) std::abort();
    }
    const auto* request = std::get_if<rpc_request>(&message);
    if (!request) return;
    if (fwd::json::parse(id_key(request->id)) != request->id) std::abort(); // goes back as it came
    protocol talk{{.name = "fuzz", .title = {}, .version = "1", .description = {}, .instructions = {}}};
    (void)talk.initialize(request->params);
    (void)talk.admit(*request);
    fwd::http_request http;
    http.fields.add("MCP-Protocol-Version", "2026-07-28");
    http.fields.add("Mcp-Method", request->method);
    (void)is_modern(http, message);
    (void)check_modern(http, request->method, request->params, &request->params);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    line_reader lines{256};
    fwd::bridge::sse_reader events{256};
    const std::size_t step = size > 0 ? 1 + data[0] % 40 : 1;
    for (std::size_t at = 0; at < size; at += step) {
        lines.feed(bytes.substr(at, step));
        while (const auto line = lines.next()) {
            if (!*line) continue;
            if ((*line)->size() > 256 || (*line)->find('\n') != std::string::npos) std::abort();
            read_one(**line);
        }
        events.feed(bytes.substr(at, step));
        while (const auto event = events.next())
            if (event->data.size() > 2 * 256) std::abort();
    }
    read_one(bytes);
    read_one(dressed(bytes));
    if (const auto text = header_text(bytes); text && text->size() > size) std::abort();
    return 0;
}
