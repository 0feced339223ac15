#include "bridge/options.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::bridge;

namespace {

using words = std::vector<std::string>;

options read(words line)
{
    auto parsed = parse_options(std::move(line));
    if (auto* end = std::get_if<early_end>(&parsed)) FAIL(end->err);
    return std::get<options>(std::move(parsed));
}

early_end refused(words line)
{
    auto parsed = parse_options(std::move(line));
    REQUIRE(std::holds_alternative<early_end>(parsed));
    return std::get<early_end>(std::move(parsed));
}

} // namespace

TEST_CASE("svc, its other spellings and flags without a verb go to fwdd as they are", "[options]")
{
    const auto line = GENERATE(words{"svc"}, words{"svc", "-n", "shop", "--nonsense"}, words{"service"}, words{"services"}, words{"svcs"},
                               words{"-n", "shop", "svc"}, words{"--unprivileged"}, words{"-A"});
    const auto got = read(line);
    CHECK(got.what == verb::daemon);
    CHECK(got.for_fwdd == line);
}

TEST_CASE("start and cleanup pass on what follows", "[options]")
{
    CHECK(read({"start", "svc", "-n", "shop"}).for_fwdd == words{"svc", "-n", "shop"});
    CHECK(read({"start"}).what == verb::start);
    CHECK(read({"cleanup"}).what == verb::cleanup);
}

TEST_CASE("no words at all ask for the overview", "[options]")
{
    CHECK(read({}).what == verb::overview);
}

TEST_CASE("the form of the answer may stand before or behind the verb", "[options]")
{
    CHECK(read({"ls", "-o", "json"}).as == cli::format::json);
    CHECK(read({"-o", "yaml", "ls"}).as == cli::format::yaml);
    CHECK(read({"status", "--output=name"}).as == cli::format::name);
    CHECK(read({"ls"}).as == cli::format::table);
    CHECK(read({"-o", "json"}).what == verb::status);
    CHECK(read({"ls", "--color", "always"}).colour == cli::colouring::always);
    CHECK(read({"ls"}).colour == cli::colouring::automatic);
}

TEST_CASE("verbs read their arguments", "[options]")
{
    const auto list = read({"ls", "we", "-n", "shop", "-x", "kind", "--status", "pending"});
    CHECK(list.what == verb::list);
    CHECK(list.list.search == "we");
    CHECK(list.list.name_space == "shop");
    CHECK(list.list.context == "kind");
    CHECK(list.list.status == "pending");

    const auto add = read({"add", "web", "-n", "shop", "-p", "80:8080", "-p", "http", "--wait", "reachable", "--timeout", "2m"});
    CHECK(add.what == verb::add);
    CHECK(add.add.words == words{"web"});
    REQUIRE(add.add.ports.size() == 2);
    CHECK(add.add.ports[0].port == "80");
    CHECK(add.add.ports[0].local_port == 8080);
    CHECK(add.add.ports[1].port == "http");
    CHECK_FALSE(add.add.ports[1].local_port);
    CHECK(add.add.wait == "reachable");
    CHECK(add.add.timeout == 2min);

    const auto add_namespace = read({"add", "shop/", "-l", "app=web", "-s", "a*,b", "--exclude", "c"});
    CHECK(add_namespace.add.selector == "app=web");
    CHECK(add_namespace.add.services == words{"a*", "b"});
    CHECK(add_namespace.add.exclude == words{"c"});

    CHECK(read({"rm", "--all"}).remove.all);
    CHECK(read({"rm", "--mine"}).remove.mine);
    CHECK(read({"rm", "web.shop", "api.shop"}).remove.words == words{"web.shop", "api.shop"});
    CHECK(read({"stop", "--force"}).force);
    CHECK(read({"token", "--rotate"}).rotate);
    CHECK(read({"socket"}).what == verb::socket);
    CHECK(read({"mcp"}).what == verb::mcp);
}

TEST_CASE("a line that is wrong exits with 2 and says why", "[options]")
{
    const auto [line, why] = GENERATE(table<words, std::string>({
        {{"statsu"}, "did you mean status"},
        {{"ls", "--bogus"}, "--bogus"},
        {{"ls", "-o", "xml"}, "xml"},
        {{"add"}, "name a service"},
        {{"add", "web", "-p", "0"}, "'0' is no port"},
        {{"add", "web", "-p", "80:99999"}, "local port"},
        {{"add", "web", "--wait", "long"}, "long"},
        {{"add", "web", "--timeout", "soon"}, "soon"},
        {{"rm"}, "name a service"},
        {{"rm", "web", "--all"}, "--all"},
        {{"rm", "--mine", "--all"}, "--"},
        {{"status", "extra"}, "'extra' is not known here"},
        {{"ls", "--stauts", "active"}, "ls: '--stauts' is not known here, did you mean --status?"},
        {{"ls", "-n"}, "its value is missing"},
        {{"get"}, "get: it takes a name"},
        {{"ls", "--color", "blue"}, "'blue' is none of auto, always, never"},
    }));
    const auto end = refused(line);
    CHECK(end.code == 2);
    CHECK_THAT(end.err, Catch::Contains(why));
    CHECK(end.out.empty());
}

TEST_CASE("help and version are answers, not errors", "[options]")
{
    const auto line = GENERATE(words{"--help"}, words{"-h"}, words{"help"}, words{"ls", "--help"}, words{"svc", "--help"});
    const auto end = refused(line);
    CHECK(end.code == 0);
    CHECK_THAT(end.out, Catch::Contains("fwd svc") && Catch::Contains("fwd ls") && Catch::Contains("Exit codes"));
    CHECK(refused({"--version"}).out == std::string{"fwd "} + FWD_VERSION + "\n");
}

TEST_CASE("the help page fits a terminal", "[options]")
{
    std::size_t at = 0;
    const auto page = help_page();
    while (at < page.size()) {
        const auto end = page.find('\n', at);
        CHECK(end - at <= 120);
        at = end + 1;
    }
}

TEST_CASE("explain and events take any name or none, logs a service or the daemon", "[options]")
{
    const auto explain = read({"explain", "http://web:80/a", "--since", "2h"});
    CHECK(explain.what == verb::explain);
    CHECK(explain.explain.words == words{"http://web:80/a"});
    CHECK(explain.explain.since == "2h");
    CHECK(read({"explain"}).explain.words.empty());
    const auto events = read({"events", "-f", "--type", "PodAdded", "web"});
    CHECK(events.events.follow);
    CHECK(events.events.types == "PodAdded");
    const auto log = read({"logs", "--daemon", "-f", "--level", "warn", "--tail", "5"});
    CHECK(log.what == verb::daemon_log);
    CHECK(log.daemon_log.follow);
    CHECK(log.daemon_log.level == "warn");
    CHECK(log.daemon_log.lines == 5);
    for (const auto& wrong : std::vector<words>{{"logs"}, {"logs", "web", "--daemon"}, {"logs", "web", "--level", "warn"}})
        CHECK(std::get<early_end>(parse_options(wrong)).code == cli::usage);
}
