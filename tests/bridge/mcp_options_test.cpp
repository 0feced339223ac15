#include "bridge/mcp_install.hpp"
#include "bridge/mcp_options.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::bridge;
namespace json = boost::json;

namespace {

std::string none(std::string_view)
{
    return {};
}

mcp_options parsed(const std::vector<std::string>& words)
{
    auto out = parse_mcp_options(words, none);
    REQUIRE(out.has_value());
    return *out;
}

const install_facts facts{.home = "/home/me", .folder = "/srv/it", .program = "/usr/bin/fwd", .url = "http://127.0.0.1:3000/mcp"};

std::string changed(const mcp_options& how, std::string_view now)
{
    const auto file = file_of_client(how, facts);
    REQUIRE(file.has_value());
    auto out = changed_text(*file, now, how, facts);
    REQUIRE(out.has_value());
    return *out;
}

} // namespace

TEST_CASE("without words fwd mcp serves all tools on stdio and asks before it harms", "[mcp_options]")
{
    const auto out = parsed({});
    CHECK(out.to_do == mcp_options::what::stdio);
    CHECK(out.choice.forward);
    CHECK_FALSE(out.choice.read_only);
    CHECK(out.confirm == mcp::confirming::ask);
}

TEST_CASE("flags of fwd mcp", "[mcp_options]")
{
    CHECK(parsed({"--http"}).at.text() == "127.0.0.1:3000");
    CHECK(parsed({"--http", "[::1]:4000", "--read-only"}).at.text() == "[::1]:4000");
    CHECK(parsed({"--http=:5000"}).at.text() == "127.0.0.1:5000");
    CHECK(parsed({"--http", "--toolsets", "core"}).choice.core);
    CHECK(parsed({"--confirm=deny"}).confirm == mcp::confirming::deny);
    CHECK(parse_mcp_options({}, [](std::string_view name) {
              return std::string{name == "FWD_MCP_READ_ONLY" ? "true" : ""};
          })->choice.read_only);
    const std::vector<std::string> wrong = GENERATE(values<std::vector<std::string>>({{"--http", "0.0.0.0:3000"},
                                                                                      {"--http", "nonsense"},
                                                                                      {"--toolsets", "some"},
                                                                                      {"--toolsets"},
                                                                                      {"--confirm", "maybe"},
                                                                                      {"--scope", "user"},
                                                                                      {"serve"}}));
    CHECK_FALSE(parse_mcp_options(wrong, none).has_value());
}

TEST_CASE("an entry is added, everything else stays, and undo takes it back", "[mcp_install]")
{
    const std::string client = GENERATE("claude-desktop", "cursor", "windsurf", "cline", "jetbrains", "gemini");
    auto how = parsed({"install", client});
    const std::string before =
        "{\n  \"theme\": \"dark\",\n  \"size\": 1.5,\n  \"mcpServers\": {\n    \"other\": {\n      \"command\": \"x\"\n    }\n  }\n}\n";
    const auto after = changed(how, before);
    const auto value = json::parse(after);
    CHECK(value.at("mcpServers").at("fwd") == json::parse(R"({"command":"/usr/bin/fwd","args":["mcp"]})"));
    CHECK(value.at("size") == 1.5);
    CHECK(changed(how, after) == after);
    how.undo = true;
    CHECK(changed(how, after) == before);
}

TEST_CASE("each client has its own place and words", "[mcp_install]")
{
    CHECK(file_of_client(parsed({"install", "claude-code"}), facts)->path == "/home/me/.claude.json");
    CHECK(json::parse(changed(parsed({"install", "claude-code"}), "")).at("projects").at("/srv/it").at("mcpServers").at("fwd").at("type") ==
          "stdio");
    CHECK(file_of_client(parsed({"install", "claude-code", "--scope", "project"}), facts)->path == "/srv/it/.mcp.json");
    CHECK(json::parse(changed(parsed({"install", "claude-code", "--scope=user"}), "{}")).at("mcpServers").as_object().contains("fwd"));
    CHECK(json::parse(changed(parsed({"install", "vscode"}), "")).at("servers").at("fwd").at("command") == "/usr/bin/fwd");
    CHECK(json::parse(changed(parsed({"install", "zed"}), "")).at("context_servers").at("fwd").at("env").as_object().empty());
    CHECK(json::parse(changed(parsed({"install", "windsurf", "--http"}), "")).at("mcpServers").at("fwd").at("serverUrl") ==
          "http://127.0.0.1:3000/mcp");
    CHECK(json::parse(changed(parsed({"install", "gemini", "--http"}), "")).at("mcpServers").at("fwd").at("httpUrl") ==
          "http://127.0.0.1:3000/mcp");
    CHECK_FALSE(entry_for(parsed({"install", "zed", "--http"}), facts).has_value());
    CHECK_FALSE(file_of_client(parsed({"install", "emacs"}), facts).has_value());
    CHECK_FALSE(file_of_client(parsed({"install", "windsurf", "--scope", "project"}), facts).has_value());
}

TEST_CASE("a configuration that is no plain JSON is left alone", "[mcp_install]")
{
    const auto how = parsed({"install", "zed"});
    CHECK_FALSE(changed_text(*file_of_client(how, facts), "{\n  // mine\n}", how, facts).has_value());
    CHECK_FALSE(changed_text(*file_of_client(how, facts), R"({"context_servers":[]})", how, facts).has_value());
}

TEST_CASE("codex has a table in TOML", "[mcp_install]")
{
    auto how = parsed({"install", "codex"});
    const std::string before = "model = \"x\"\n\n[mcp_servers.other]\ncommand = \"y\"\n";
    const auto after = changed(how, before);
    CHECK(after == before + "\n[mcp_servers.fwd]\ncommand = \"/usr/bin/fwd\"\nargs = [\"mcp\"]\n");
    CHECK(changed(how, after) == after);
    how.undo = true;
    CHECK(changed(how, after) == before);
    CHECK(changed(parsed({"install", "codex", "--http"}), "").find("bearer_token_env_var") != std::string::npos);
}
