#include "daemon/settings.hpp"

#include <catch2/catch.hpp>

using namespace fwd;

namespace {

daemon::options asked(std::vector<const char*> words)
{
    words.insert(words.begin(), "fwdd");
    auto parsed = daemon::parse_options(static_cast<int>(words.size()), words.data());
    REQUIRE(parsed.asked);
    return *parsed.asked;
}

const place_facts home{1000, "/home/me", [](std::string_view) { return std::string{}; }};

} // namespace

TEST_CASE("the API takes the next free port unless one was asked for", "[daemon]")
{
    const auto usual = daemon::api_settings_of(asked({}), home, {});
    CHECK(usual.port == 8080);
    CHECK(usual.last_port == 8089);
    CHECK(usual.addresses == std::vector<std::string>{"127.0.0.1", "::1"});
    const auto given = daemon::api_settings_of(asked({"--api-listen", "127.0.0.1:9000"}), home, {});
    CHECK(given.port == 9000);
    CHECK(given.last_port == 9000);
    CHECK(given.addresses == std::vector<std::string>{"127.0.0.1"});
    CHECK_FALSE(daemon::api_settings_of(asked({"--api-listen", "off"}), home, {}).tcp);
}

TEST_CASE("the socket is in the folder that the agent made, the token in the user's own", "[daemon]")
{
    host::facts machine;
    machine.run_dir = "/run/fwd/1000";
    const auto with_agent = daemon::api_settings_of(asked({}), home, machine);
    CHECK(with_agent.socket_path == "/run/fwd/1000/api.sock");
    CHECK(with_agent.address_path == "/run/fwd/1000/api.json");
    CHECK(with_agent.token_path.starts_with("/home/me/.local/state/fwd/"));
    CHECK(with_agent.user == 1000);
    CHECK(daemon::api_settings_of(asked({}), home, {}).socket_path == "/home/me/.local/state/fwd/api.sock");
}

TEST_CASE("contexts, names and the file's words about contexts reach the supervisor", "[daemon]")
{
    auto line = asked({"svc", "-x", "kind,prod=p", "-n", "shop,qa", "-d", "dev.example", "--local", "web:3000", "--allow-shadow"});
    line.context_settings["kind"].alias = "k";
    line.context_settings["prod"].is_protected = true;
    const auto made = daemon::supervisor_settings_of(line, {}, "me");
    REQUIRE(made.contexts.size() == 2);
    CHECK(made.contexts[1].name == "prod");
    CHECK(made.contexts[1].alias == "p");
    CHECK(made.primary_namespace == "shop");
    CHECK(made.domain == "dev.example");
    CHECK(made.locals.size() == 1);
    CHECK(made.allow_shadow);
    CHECK(made.aliases.at("kind") == "k");
    CHECK(made.protected_contexts.contains("prod"));
    CHECK(made.user == "me");
}

TEST_CASE("the daemon tells the process that a shell knows, and its user by name or number", "[daemon]")
{
    host::facts machine;
    machine.agent_pid = 4711;
    machine.listening = host::listening_mode::lookup;
    const auto self = daemon::identity_of(machine, home, "me");
    CHECK(self.pid == 4711);
    CHECK(self.user == "me");
    CHECK(self.listening == "sk_lookup");
    CHECK(self.version == FWD_VERSION);
    CHECK_THAT(self.platform, Catch::StartsWith("linux/"));
    CHECK(daemon::identity_of({}, home, "").user == "1000");
}
