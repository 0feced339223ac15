#include "bridge/mcp/http_rules.hpp"

#include "bridge/mcp/protocol.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::mcp;

namespace {

http_request post()
{
    http_request out;
    out.method = "POST";
    out.target = "/mcp";
    out.fields.add("Host", "127.0.0.1:3000");
    out.fields.add("Authorization", "Bearer fwd_secret");
    out.fields.add("Content-Type", "application/json; charset=utf-8");
    out.fields.add("Accept", "application/json, text/event-stream");
    return out;
}

http_guard guard()
{
    http_guard out;
    out.port = 3000;
    out.token = [] { return std::string{"fwd_secret"}; };
    return out;
}

unsigned refused(const http_request& request)
{
    const auto out = refuse(request, guard());
    return out ? out->status : 0;
}

json::object meta(std::string_view version = "2026-07-28")
{
    return json::object{
        {"_meta", {{"io.modelcontextprotocol/protocolVersion", version}, {"io.modelcontextprotocol/clientCapabilities", json::object{}}}}};
}

http_request modern(std::string_view method, std::string_view version = "2026-07-28")
{
    auto out = post();
    out.fields.add("MCP-Protocol-Version", std::string{version});
    out.fields.add("mcp-method", std::string{method});
    return out;
}

/// 0 where nothing is wrong.
int wrong_code(const http_request& request, std::string_view method, const json::object& params, const json::object* input = nullptr)
{
    const auto out = check_modern(request, method, params, input);
    if (!out) return 0;
    CHECK(out->status == 400);
    return static_cast<int>(out->why.code);
}

} // namespace

TEST_CASE("a good request passes the gate, whatever good Host and Origin it has", "[http]")
{
    auto request = post();
    CHECK(refused(request) == 0);
    request.fields.set("Host", GENERATE("localhost:3000", "LOCALHOST:3000", "[::1]:3000", "127.0.0.1:3000"));
    request.fields.set("Origin", GENERATE("http://localhost:5173", "https://127.0.0.1", "app://[::1]:99"));
    CHECK(refused(request) == 0);
    request.fields.set("Accept", "*/*");
    CHECK(refused(request) == 0);
}

TEST_CASE("what a web page or a stranger sends is refused, the sender before the token", "[http]")
{
    auto request = post();
    SECTION("Host")
    {
        request.fields.set("Host", GENERATE("evil.example:3000", "127.0.0.1:3001", "127.0.0.1", "localhost.evil.example:3000", ""));
        request.fields.set("Authorization", "");
        CHECK(refused(request) == 403);
    }
    SECTION("Origin")
    {
        request.fields.set("Origin", GENERATE("http://evil.example", "null", "", "http://localhost.evil.example"));
        CHECK(refused(request) == 403);
    }
    SECTION("token")
    {
        request.fields.set("Authorization",
                           GENERATE("", "Bearer", "Bearer fwd_secre", "Bearer fwd_secretx", "Basic fwd_secret", "Bearer fwd_Secret"));
        const auto out = refuse(request, guard());
        REQUIRE(out);
        CHECK(out->status == 401);
        CHECK(out->fields.get("WWW-Authenticate") == "Bearer");
    }
    SECTION("no token exists yet")
    {
        auto without = guard();
        without.token = [] { return std::string{}; };
        request.fields.set("Authorization", "Bearer ");
        CHECK(refuse(request, without)->status == 401);
    }
}

TEST_CASE("methods, media types and places that do not fit have their own status", "[http]")
{
    auto request = post();
    SECTION("place")
    {
        request.target = GENERATE("/", "/mcpx", "/mcp/");
        CHECK(refused(request) == 404);
    }
    SECTION("method")
    {
        request.method = GENERATE("OPTIONS", "PUT", "PATCH");
        CHECK(refused(request) == 405);
        CHECK(refuse(request, guard())->fields.get("Access-Control-Allow-Origin").empty());
    }
    SECTION("content")
    {
        request.fields.set("Content-Type", GENERATE("text/plain", "", "application/jsonx"));
        CHECK(refused(request) == 415);
    }
    SECTION("accept")
    {
        request.fields.set("Accept", GENERATE("application/json", "text/event-stream", "", "text/html"));
        CHECK(refused(request) == 406);
    }
    SECTION("a stream")
    {
        request.method = "GET";
        request.fields.set("Accept", "application/json");
        CHECK(refused(request) == 406);
    }
    SECTION("health needs no token, but the right Host")
    {
        request.method = "GET";
        request.target = "/health";
        request.fields.set("Authorization", "");
        CHECK(refused(request) == 0);
        request.fields.set("Host", "evil.example");
        CHECK(refused(request) == 403);
    }
}

TEST_CASE("headers of a modern request must say what its body says", "[http]")
{
    auto params = meta();
    CHECK(wrong_code(modern("tools/list"), "tools/list", params) == 0);
    CHECK(wrong_code(modern("TOOLS/LIST"), "tools/list", params) == -32020);
    CHECK(wrong_code(modern(" tools/list "), "tools/list", params) == 0);
    CHECK(wrong_code(post(), "tools/list", params) == -32020);
    CHECK(wrong_code(modern("tools/list"), "tools/list", {}) == -32602);
    CHECK(wrong_code(modern("tools/list"), "tools/list", meta("v999")) == -32020);
    CHECK(wrong_code(modern("tools/list", "v999"), "tools/list", meta("v999")) == 0); // its own refusal follows
    auto twice = modern("tools/list");
    twice.fields.add("Mcp-Method", "tools/list");
    CHECK(wrong_code(twice, "tools/list", params) == -32020);

    params["name"] = "add_service";
    CHECK(wrong_code(modern("tools/call"), "tools/call", params) == -32020);
    auto named = modern("tools/call");
    named.fields.add("Mcp-Name", "add_service");
    CHECK(wrong_code(named, "tools/call", params) == 0);
    named.fields.set("Mcp-Name", "=?base64?YWRkX3NlcnZpY2U=?=");
    CHECK(wrong_code(named, "tools/call", params) == 0);
    named.fields.set("Mcp-Name", "other");
    CHECK(wrong_code(named, "tools/call", params) == -32020);
}

TEST_CASE("values in base64 are taken only as an encoder writes them", "[http]")
{
    CHECK(header_text("plain") == "plain");
    CHECK(header_text("=?base64?SGVsbG8=?=") == "Hello");
    CHECK_FALSE(header_text("=?base64?SGVsbG8?="));
    CHECK_FALSE(header_text("=?base64?SGVs!!!bG8=?="));
    CHECK_FALSE(header_text("=?base64?SGVs bG8=?="));
    CHECK(header_text("=?base64?SGVsbG8=") == "=?base64?SGVsbG8=");
    CHECK(header_text("=?base64?"
                      "?=") == "");
}

TEST_CASE("a parameter that is to stand in a header must", "[http]")
{
    const auto input =
        json::parse(
            R"({"type":"object","properties":{"where":{"type":"string","x-mcp-header":"Where"},"n":{"type":"integer","x-mcp-header":"N"}}})")
            .as_object();
    auto params = meta();
    params["name"] = "t";
    auto request = modern("tools/call");
    request.fields.add("Mcp-Name", "t");
    CHECK(wrong_code(request, "tools/call", params, &input) == 0);
    params["arguments"] = {{"where", "dev"}, {"n", 42}};
    CHECK(wrong_code(request, "tools/call", params, &input) == -32020);
    request.fields.add("Mcp-Param-Where", "dev");
    request.fields.add("Mcp-Param-N", "42.0");
    CHECK(wrong_code(request, "tools/call", params, &input) == 0);
    request.fields.set("Mcp-Param-N", "43");
    CHECK(wrong_code(request, "tools/call", params, &input) == -32020);
    params["arguments"] = json::object{};
    CHECK(wrong_code(request, "tools/call", params, &input) == -32020);
}

TEST_CASE("errors of the modern era have a status of their own", "[http]")
{
    const auto code = GENERATE(table<int, unsigned>(
        {{-32700, 400}, {-32600, 400}, {-32601, 404}, {-32602, 200}, {-32603, 200}, {-32020, 400}, {-32021, 400}, {-32022, 400}}));
    CHECK(status_of(reply_error({}, {static_cast<rpc_code>(std::get<0>(code)), "", nullptr})) == std::get<1>(code));
    CHECK(status_of(reply(1, {})) == 200);
}
