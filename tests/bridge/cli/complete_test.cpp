#include "bridge/options.hpp"
#include "bridge/passed_words.hpp"
#include "tests/bridge/cli/cli_bed.hpp"

#include <algorithm>

using namespace fwd;
using namespace fwd::cli::test;
using names = std::vector<std::string>;

namespace {

struct completing : cli_bed {
    completing()
    {
        services({service_text("web", "shop", "active"), service_text("web", "qa", "active"), service_text("db", "shop", "active")});
        daemon.data("GET /api/v1/kubernetes/contexts",
                    R"({"contexts":[{"name":"kind"},{"name":"arn:aws:eks:x:1:cluster/prod","alias":"prod"}]})");
        daemon.data("GET /api/v1/kubernetes/namespaces", R"({"namespaces":[{"name":"shop"},{"name":"staging"}]})");
        daemon.data("GET /api/v1/kubernetes/services",
                    R"({"services":[{"name":"cart","namespace":"shop"},{"name":"web","namespace":"shop"}]})");
        daemon.data("GET /api/v1/kubernetes/find", R"({"services":[{"name":"cart","namespace":"shop","context":"kind"}]})");
    }
    std::string offers(names line)
    {
        out.clear();
        CHECK(run(cli::complete(desk(), std::move(line), bridge::known_words())) == cli::done);
        return out;
    }
};

const cli::verb_words& verb_called(const cli::grammar& known, std::string_view name)
{
    const auto at = std::find_if(known.begin(), known.end(), [&](const auto& each) { return each.name == name; });
    REQUIRE(at != known.end());
    return *at;
}

} // namespace

TEST_CASE("completion offers verbs, flags and the values that a flag takes", "[complete]")
{
    completing b;
    CHECK(b.offers({"rec"}) == "reconnect\n");
    CHECK(b.offers({"-o", "json", "rec"}) == "reconnect\n");
    CHECK(b.offers({"ls", "-o", "j"}) == "json\n");
    CHECK(b.offers({"ls", "--color", "a"}) == "always\nauto\n");
    CHECK(b.offers({"wait", "--for", "rea"}) == "reachable\nready\n");
    CHECK(b.offers({"completion", ""}) == "bash\nfish\nzsh\n");
    CHECK(b.offers({"completion", "bash", ""}).empty());
    CHECK_THAT(b.offers({"logs", "--"}), Catch::Contains("--previous") && Catch::Contains("--container"));
    CHECK(b.offers({"svc", "--transport", "s"}) == "spdy\n");
    CHECK(b.offers({"start", "s"}) == "svc\n");
    CHECK(b.offers({"svc", "-c", "/et"}) == ":files\n");
    CHECK(b.offers({"nonsense", ""}).empty());
    CHECK(b.daemon.requests.empty());
}

TEST_CASE("completion offers what the daemon knows: contexts, namespaces, services and keys", "[complete]")
{
    completing b;
    CHECK(b.offers({"ls", "-x", ""}) == "arn:aws:eks:x:1:cluster/prod\nkind\nprod\n");
    CHECK(b.offers({"ls", "-n", "st"}) == "staging\n");
    CHECK(b.offers({"svc", "-n", "shop,st"}) == "shop,staging\n");
    CHECK(b.offers({"env", ""}) == "db\nweb.qa\nweb.shop\n");
    CHECK(b.offers({"env", "web.shop."}) == "web.shop.kind\n");
    CHECK(b.offers({"get", "shop/"}) == "shop/db\nshop/web\n");
    CHECK(b.offers({"rm", "sh"}) == "shop/\n");
    CHECK(b.offers({"add", "shop/c"}) == "shop/cart\n");
    CHECK(b.offers({"add", "-n", "shop", "c"}) == "cart\n");
    CHECK(b.offers({"add", "ca"}) == "cart.shop\n");
    CHECK(b.offers({"use", "sh"}) == "shop\n");
    CHECK(b.offers({"use", "kind/sh"}) == "kind/shop\n");
}

TEST_CASE("completion asks in the context and namespace that the line has named", "[complete]")
{
    completing b;
    CHECK(b.offers({"add", "-x", "prod", "shop/c"}) == "shop/cart\n");
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("context=prod"));
    (void)b.offers({"rm", "-n", "shop", "-x", "kind", ""});
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("namespace=shop&context=kind"));
}

TEST_CASE("completion ends soon and in silence where nobody answers", "[complete]")
{
    completing b;
    b.daemon.script.clear();
    b.daemon.data("GET /api/v1/services", "{}", 200, 1h);
    const auto before = b.clock.now();
    CHECK(b.offers({"env", ""}).empty());
    CHECK(b.clock.now() - before <= 3s);
    b.daemon.down();
    CHECK(b.offers({"env", ""}).empty());
    CHECK(b.offers({"tra"}) == "traffic\n");
    CHECK(b.err.empty());
}

TEST_CASE("what is known of the verbs is what the parser and the help page take", "[complete]")
{
    const auto known = bridge::known_words();
    CHECK(std::is_sorted(known.begin(), known.end(), [](const auto& one, const auto& other) { return one.name < other.name; }));
    const auto page = std::string{bridge::help_page()};
    for (const auto& each : known)
        if (each.name != "help" && each.name != "version") CHECK_THAT(page, Catch::Contains("  fwd " + each.name));
    const auto* container = verb_called(known, "logs").flag("-c");
    REQUIRE(container);
    CHECK(container->names == names{"-c", "--container"});
    CHECK(container->takes_value);
    CHECK_FALSE(verb_called(known, "logs").flag("--previous")->takes_value);
}

TEST_CASE("the flags of verbs that others parse come from the help page", "[complete]")
{
    const auto known = bridge::known_words();
    const auto& svc = verb_called(known, "svc");
    REQUIRE(svc.flag("-n"));
    CHECK(svc.flag("-n")->names == names{"-n", "--namespace"});
    CHECK(svc.flag("-n")->takes_value);
    CHECK_FALSE(svc.flag("-A")->takes_value);
    CHECK(svc.flag("--selector")->names == names{"-l", "--selector"});
    CHECK(svc.flag("--transport")->values == names{"auto", "websocket", "spdy", "legacy"});
    CHECK(svc.flag("--api-listen")->takes_value);
    CHECK(svc.flag("--api-listen")->values.empty());
    CHECK_FALSE(svc.flag("--unprivileged")->takes_value);
    CHECK(svc.flag("-v"));
    CHECK(verb_called(known, "start").flag("--domain"));
    const auto& mcp = verb_called(known, "mcp");
    CHECK(mcp.words == names{"install"});
    CHECK(mcp.flag("--confirm")->values == names{"ask", "deny", "never"});
    CHECK_FALSE(mcp.flag("--read-only")->takes_value);
    CHECK_FALSE(mcp.flag("-n"));
}

TEST_CASE("each shell gets a script that asks the program which is being typed", "[complete]")
{
    for (const auto* shell : {"bash", "zsh", "fish"})
        CHECK_THAT(std::string{cli::completion_script(shell)}, Catch::Contains(" __complete "));
    CHECK(cli::completion_script("csh").empty());
}
