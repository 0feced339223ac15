#include "bridge/mcp/jsonrpc.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::mcp;

TEST_CASE("an id goes back as it came, whatever kind it is", "[jsonrpc]")
{
    const std::string id = GENERATE("0", "\"\"", "\"a\"", "\"0\"", "9007199254740991", "-1", "18446744073709551615");
    const auto read = read_message(json::parse(R"({"id":)" + id + R"(,"jsonrpc":"2.0","method":"ping"})"));
    REQUIRE(std::holds_alternative<rpc_request>(read));
    const auto out = reply(std::get<rpc_request>(read).id, {});
    CHECK(json::serialize(out) == R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{}})");
}

TEST_CASE("the same characters as number and text are two ids", "[jsonrpc]")
{
    CHECK(id_key(json::value(1)) != id_key(json::value("1")));
}

TEST_CASE("an id of a wrong kind is refused without an id", "[jsonrpc]")
{
    const std::string id = GENERATE("null", "1.5", "{}", "[]", "true");
    const auto read = read_message(json::parse(R"({"jsonrpc":"2.0","method":"ping","id":)" + id + "}"));
    REQUIRE(std::holds_alternative<rpc_garbage>(read));
    CHECK_FALSE(std::get<rpc_garbage>(read).id.has_value());
    CHECK(std::get<rpc_garbage>(read).why.code == rpc_code::invalid_request);
}

TEST_CASE("what is no message is told so, with its id where there is one", "[jsonrpc]")
{
    const auto [text, has_id, code] = GENERATE(table<std::string, bool, rpc_code>({
        {"1", false, rpc_code::invalid_request},
        {"[]", false, rpc_code::invalid_request},
        {R"({"id":1,"method":"ping"})", true, rpc_code::invalid_request},
        {R"({"jsonrpc":"1.0","id":1,"method":"ping"})", true, rpc_code::invalid_request},
        {R"({"jsonrpc":"2.0","id":1})", true, rpc_code::invalid_request},
        {R"({"jsonrpc":"2.0","id":1,"method":7})", true, rpc_code::invalid_request},
        {R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[1]})", true, rpc_code::invalid_params},
    }));
    const auto read = read_message(json::parse(text));
    REQUIRE(std::holds_alternative<rpc_garbage>(read));
    CHECK(std::get<rpc_garbage>(read).id.has_value() == has_id);
    CHECK(std::get<rpc_garbage>(read).why.code == code);
}

TEST_CASE("an error without a readable id has none in its answer", "[jsonrpc]")
{
    const auto out = reply_error({}, {rpc_code::parse_error, "no", nullptr});
    CHECK_FALSE(out.contains("id"));
    CHECK(json::serialize(out) == R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}})");
}

TEST_CASE("an answer of the client is its result or its error", "[jsonrpc]")
{
    const auto good = read_message(json::parse(R"({"jsonrpc":"2.0","id":"fwd-e1","result":{"action":"accept"}})"));
    REQUIRE(std::holds_alternative<rpc_response>(good));
    CHECK(std::get<rpc_response>(good).result.at("action") == "accept");
    const auto bad = read_message(json::parse(R"({"jsonrpc":"2.0","id":"fwd-e1","error":{"code":-1,"message":"no form"}})"));
    REQUIRE(std::holds_alternative<rpc_response>(bad));
    CHECK(std::get<rpc_response>(bad).error == "no form");
}

TEST_CASE("lines are whole however the bytes were cut", "[jsonrpc]")
{
    const std::string bytes = "{\"a\":1}\r\n\n  \n{\"b\":2}\n";
    const auto cut = GENERATE_COPY(range(std::size_t{0}, bytes.size()));
    line_reader lines;
    std::vector<std::string> got;
    for (const auto& part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        lines.feed(part);
        while (auto line = lines.next()) got.push_back(line->value());
    }
    CHECK(got == std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"});
}

TEST_CASE("a line over the limit is told once and the next one is read", "[jsonrpc]")
{
    const auto step = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{1000});
    const std::string bytes = std::string(40, 'x') + "\nshort\n";
    line_reader lines{16};
    std::vector<std::string> got;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        lines.feed(std::string_view{bytes}.substr(at, step));
        while (auto line = lines.next()) got.push_back(*line ? line->value() : "too long");
    }
    CHECK(got == std::vector<std::string>{"too long", "short"});
}
