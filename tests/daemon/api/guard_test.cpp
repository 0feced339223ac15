#include "daemon/api/guard.hpp"
#include "daemon/api/private_files.hpp"
#include "tests/daemon/api/running_api.hpp"

#include <sys/stat.h>

using namespace fwd;
using namespace fwd::test;

TEST_CASE("without the token nothing is told", "[api]")
{
    running_api daemon;
    auto ask = daemon.request("GET", "/api/v1/services");
    const auto value = GENERATE(as<std::string>{}, "-", "", "Bearer", "Bearer ", "Bearer fwd_wrong", "Basic abc", "fwd_");
    if (value == "-")
        ask.fields = {};
    else
        ask.fields.set("Authorization", value);
    ask.fields.set("Host", "localhost:8080");
    const auto got = daemon.ask(ask);
    CHECK(got.status == 401);
    CHECK(got.fields.get("WWW-Authenticate") == "Bearer");
    CHECK(problem_of(got).code == "unauthorized");
    CHECK(got.body.find(daemon.token) == std::string::npos);
}

TEST_CASE("a token that is almost right is wrong", "[api]")
{
    running_api daemon;
    auto almost = daemon.token;
    const auto at = GENERATE(0, 4, 20, 46);
    almost[static_cast<std::size_t>(at)] ^= 1;
    auto ask = daemon.request("GET", "/api/v1/info");
    ask.fields.set("Authorization", "Bearer " + almost);
    CHECK(daemon.ask(ask).status == 401);
    ask.fields.set("Authorization", "Bearer " + daemon.token.substr(0, 46));
    CHECK(daemon.ask(ask).status == 401);
    ask.fields.set("Authorization", "Bearer " + daemon.token + "x");
    CHECK(daemon.ask(ask).status == 401);
    ask.fields.set("Authorization", "bearer  " + daemon.token);
    CHECK(daemon.ask(ask).status == 200);
}

TEST_CASE("a Host that is not ours is refused, with or without the token", "[api]")
{
    struct row {
        std::string host;
        unsigned status;
    };
    const auto row = GENERATE(values<struct row>({
        {"localhost:8080", 200},
        {"LOCALHOST:8080", 200},
        {"127.0.0.1:8080", 200},
        {"[::1]:8080", 200},
        {"fwd.internal:8080", 200},
        {"mine.test:8080", 200},
        {"localhost", 403},
        {"localhost:80", 403},
        {"evil.example:8080", 403},
        {"localhost.evil.example:8080", 403},
        {"[::1]", 403},
        {"", 403},
        {"localhost:", 403},
        {"localhost:808O", 403},
    }));
    api::api_settings settings;
    settings.host_names = {"mine.test"};
    running_api daemon{settings};
    auto ask = daemon.request("GET", "/api/health");
    ask.fields.set("Host", row.host);
    INFO(row.host);
    const auto got = daemon.ask(ask);
    CHECK(got.status == row.status);
    if (row.status == 403) CHECK(problem_of(got).code == "forbidden_host");
}

TEST_CASE("a foreign Origin is refused and no CORS header is ever sent", "[api]")
{
    struct row {
        std::string origin;
        unsigned status;
    };
    const auto row = GENERATE(values<struct row>({
        {"http://localhost:8080", 200},
        {"http://fwd.internal:8080", 200},
        {"http://localhost:3000", 403},
        {"https://localhost:8080", 403},
        {"http://evil.example", 403},
        {"null", 403},
        {"", 403},
    }));
    running_api daemon;
    auto ask = daemon.request("GET", "/api/v1/info");
    ask.fields.add("Origin", row.origin);
    INFO(row.origin);
    const auto got = daemon.ask(ask);
    CHECK(got.status == row.status);
    CHECK_FALSE(got.fields.has("Access-Control-Allow-Origin"));
    if (row.status == 403) CHECK(problem_of(got).code == "forbidden_origin");
}

TEST_CASE("a routed listener answers under fwd.internal without a port", "[api]")
{
    running_api daemon;
    const endpoint at{asio::ip::make_address("127.1.27.250"), 80};
    auto listener = daemon.net.listen(at, listen_options{});
    REQUIRE(listener.has_value());
    daemon.face->adopt(std::move(*listener));
    auto work = [](memory_network& over, endpoint to) -> awaitable<result<std::unique_ptr<data_stream>>> {
        co_return co_await over.connect(to);
    };
    auto stream = daemon.clock.run(work(daemon.net, at));
    REQUIRE(stream.has_value());
    const auto over = make_byte_stream(std::move(*stream));
    auto ask = daemon.request("GET", "/api/v1/info");
    ask.fields.set("Host", "fwd.internal");
    const auto info = read<wire::info>(daemon.ask_over(*over, ask));
    REQUIRE(info.urls.size() == 3);
    CHECK(info.urls[1] == "http://fwd.internal");
}

TEST_CASE("the Unix socket needs neither token nor Host", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect_unix();
    http_request ask{.target = "/api/v1/info"};
    const auto info = read<wire::info>(daemon.ask_over(*over, ask));
    CHECK(info.urls == std::vector<std::string>{"http://localhost:8080", "unix:" + daemon.folder.path + "/run/api.sock"});
}

TEST_CASE("the Unix socket is for its user and root", "[api]")
{
    api::caller from{.unix_socket = true};
    CHECK(api::check_peer(from, 1000)->problem->code == "forbidden_user");
    from.user = 1001;
    CHECK(api::check_peer(from, 1000).has_value());
    from.user = 1000;
    CHECK_FALSE(api::check_peer(from, 1000).has_value());
    from.user = 0;
    CHECK_FALSE(api::check_peer(from, 1000).has_value());
}

TEST_CASE("a rotated token ends the old one at once", "[api]")
{
    running_api daemon;
    const auto rotated = read<wire::token_rotated>(daemon.ask("POST", "/api/v1/token/rotate"));
    CHECK(daemon.ask("GET", "/api/v1/info").status == 401);
    std::ifstream{rotated.path} >> daemon.token;
    CHECK(daemon.ask("GET", "/api/v1/info").status == 200);
}

TEST_CASE("the token is kept over restarts, for its owner alone", "[api]")
{
    const scratch_folder folder;
    const auto path = folder.path + "/a/fwd/token";
    const auto random = make_seeded_random(1);
    api::token_file first{path, *random}, second{path, *random};
    REQUIRE(first.load().has_value());
    CHECK(first.value().size() == 47);
    CHECK(first.value().starts_with("fwd_"));
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    REQUIRE(::stat((folder.path + "/a/fwd").c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0700);
    REQUIRE(::chmod(path.c_str(), 0644) == 0);
    REQUIRE(second.load().has_value());
    CHECK(second.value() == first.value());
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("a token file with something else in it is replaced", "[api]")
{
    const scratch_folder folder;
    const auto path = folder.path + "/token";
    const auto random = make_seeded_random(1);
    const auto content = GENERATE(as<std::string>{}, "", "\n", "fwd_short", "hello world");
    std::ofstream{path} << content;
    api::token_file token{path, *random};
    REQUIRE(token.load().has_value());
    CHECK(token.value().size() == 47);
    CHECK_FALSE(token.is(content));
    CHECK_FALSE(token.is(""));
}

TEST_CASE("a second daemon of the same user is told which pid is there", "[api]")
{
    const scratch_folder folder;
    const auto path = folder.path + "/state/daemon.lock";
    {
        const auto first = api::daemon_lock::take(path, 4711);
        REQUIRE(first.has_value());
        const auto second = api::daemon_lock::take(path, 4712);
        REQUIRE_FALSE(second.has_value());
        CHECK(second.error().is(errc::conflict));
        CHECK(second.error().message().find("(pid 4711)") != std::string::npos);
    }
    CHECK(api::daemon_lock::take(path, 4713).has_value());
}
