#include "bridge/daemon_address.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

using namespace fwd;
using namespace fwd::bridge;

namespace {

struct machine {
    std::map<std::string, std::string> variables, files;
    std::set<std::string> sockets;
    caller_facts facts(uid_t user = 1000)
    {
        caller_facts out;
        out.user = user;
        out.home = "/home/u";
        out.variable = [this](std::string_view name) { return variables[std::string{name}]; };
        out.read_file = [this](const std::string& path) { return files[path]; };
        out.is_socket = [this](const std::string& path) { return sockets.contains(path); };
        return out;
    }
    std::vector<std::string> found(uid_t user = 1000)
    {
        std::vector<std::string> out;
        for (const auto& each : find_daemon(facts(user)).value()) out.push_back(each.text());
        return out;
    }
};

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("addresses are read and written alike", "[address]")
{
    const auto [url, text] = GENERATE(table<std::string, std::string>({
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
        {"http://localhost:8080/", "http://localhost:8080"},
        {"http://[::1]:8081/api", "http://[::1]:8081"},
        {"http://fwd.internal", "http://fwd.internal:80"},
        {"unix:/run/x.sock", "unix:/run/x.sock"},
        {"unix:///run/x.sock", "unix:/run/x.sock"},
    }));
    const auto at = parse_address(url);
    REQUIRE(at.has_value());
    CHECK(at->text() == text);
}

TEST_CASE("what is no address says why", "[address]")
{
    const std::string url = GENERATE("", "localhost:8080", "https://x", "http://", "http://:80", "http://a:0", "http://a:x",
                                     "http://a:70000", "http://u@h", "http://[::1", "unix:x");
    const auto at = parse_address(url);
    REQUIRE(at.has_error());
    CHECK(at.error().is(errc::invalid_request));
}

TEST_CASE("FWD_API_URL wins over all else and brings its key", "[address]")
{
    machine m;
    m.variables["FWD_API_URL"] = "http://127.0.0.1:9";
    m.variables["FWD_API_KEY"] = "fwd_k";
    m.sockets.insert("/run/fwd/1000/api.sock");
    const auto all = find_daemon(m.facts()).value();
    REQUIRE(all.size() == 1);
    CHECK(all[0].text() == "http://127.0.0.1:9");
    CHECK(all[0].token == "fwd_k");
}

TEST_CASE("a FWD_API_URL that is none is told, not passed over", "[address]")
{
    machine m;
    m.variables["FWD_API_URL"] = "nonsense";
    REQUIRE(find_daemon(m.facts()).has_error());
    CHECK_THAT(find_daemon(m.facts()).error().message(), Catch::Contains("FWD_API_URL"));
}

TEST_CASE("sockets come in order of worth, recorded URLs behind them", "[address]")
{
    machine m;
    m.variables["XDG_RUNTIME_DIR"] = "/run/user/1000";
    CHECK(m.found().empty());
    m.files["/home/u/.local/state/fwd/api.json"] = R"({"url":"http://localhost:8081","pid":1})";
    m.files["/home/u/.local/state/fwd/token"] = "fwd_t";
    CHECK(m.found() == texts{"http://localhost:8081"});
    CHECK(find_daemon(m.facts()).value()[0].token == "fwd_t");
    m.sockets = {"/home/u/.local/state/fwd/api.sock", "/run/user/1000/fwd/api.sock", "/run/fwd/1000/api.sock"};
    CHECK(m.found() == texts{"unix:/run/fwd/1000/api.sock", "unix:/run/user/1000/fwd/api.sock", "unix:/home/u/.local/state/fwd/api.sock",
                             "http://localhost:8081"});
}

TEST_CASE("without XDG variables the usual runtime folder is tried too", "[address]")
{
    machine m;
    m.sockets = {"/run/user/1000/fwd/api.sock"};
    CHECK(m.found() == texts{"unix:/run/user/1000/fwd/api.sock"});
}

TEST_CASE("a damaged record is passed over", "[address]")
{
    machine m;
    const std::string text = GENERATE("", "{", "[]", R"({"url":7})", R"({"url":"x"})");
    m.files["/home/u/.local/state/fwd/api.json"] = text;
    CHECK(m.found().empty());
}

TEST_CASE("under sudo the user's daemon comes first", "[address]")
{
    machine m;
    m.sockets = {"/run/fwd/0/api.sock", "/run/fwd/1000/api.sock"};
    auto facts = m.facts(0);
    facts.sudo_user = place_facts{.user = 1000, .home = "/home/u", .variable = facts.variable};
    const auto all = find_daemon(facts).value();
    REQUIRE(all.size() == 2);
    CHECK(all[0].socket == "/run/fwd/1000/api.sock");
    CHECK(token_file(facts) == "/home/u/.local/state/fwd/token");
}
