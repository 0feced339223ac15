// A daemon that is older or newer than this program: said as such, with both versions and what to do.
#include "bridge/other_version.hpp"
#include "tests/bridge/scripted_daemon.hpp"

using namespace fwd;
using namespace fwd::bridge;
using namespace fwd::bridge::test;

namespace {

struct bench {
    asio::io_context loop{1};
    virtual_clock clock{loop};
    scripted_daemon daemon{loop, clock};
    rest_client rest = daemon.client();

    explicit bench(std::string_view version)
    {
        daemon.up();
        if (!version.empty()) daemon.data("GET /api/v1/info", fmt::format(R"({{"version":"{}","pid":7}})", version));
    }
    rest_problem refused()
    {
        const auto got = clock.run(rest.explain("web", ""));
        REQUIRE(got.has_error());
        return got.error();
    }
    void lacks_explain()
    {
        daemon.error("GET /api/v1/explain/web", 404, R"({"code":"not_found","message":"there is nothing at /api/v1/explain/web"})");
    }
};

} // namespace

TEST_CASE("versions are compared by their numbers", "[version]")
{
    CHECK((compare_versions("0.9.2", "0.10.0") < 0));
    CHECK((compare_versions("1.0", "1.0.0") == 0));
    CHECK((compare_versions("2", "1.9.9") > 0));
    CHECK(version_gap(FWD_VERSION).empty());
    CHECK(version_gap("0.0.1") == std::string{"older than this fwd "} + FWD_VERSION);
}

TEST_CASE("a call that an older daemon does not know is refused by its age, with both versions and the way out", "[version]")
{
    bench b{"0.0.9"};
    b.lacks_explain();
    const auto why = b.refused();
    CHECK(why.code == "daemon_too_old");
    CHECK(why.message == "the running daemon is too old for this");
    CHECK(why.cause == std::string{"it is fwdd 0.0.9, this is fwd "} + FWD_VERSION);
    CHECK(why.evidence == std::vector<std::string>{"there is nothing at /api/v1/explain/web"});
    REQUIRE(why.next.size() == 2);
    CHECK(why.next[0].command == "fwd stop");
    CHECK(why.next[1].command == "fwd start");
}

TEST_CASE("a newer daemon that has dropped a call is told as newer", "[version]")
{
    bench b{"99.0.0"};
    b.lacks_explain();
    CHECK(b.refused().code == "daemon_too_new");
}

TEST_CASE("a daemon that does not tell its version is too old for what it does not know", "[version]")
{
    bench b{""};
    b.lacks_explain();
    const auto why = b.refused();
    CHECK(why.code == "daemon_too_old");
    CHECK_THAT(why.cause, Catch::Contains("does not tell its version"));
}

TEST_CASE("an answer of an older daemon that cannot be read is a matter of its age, one of our own version is not", "[version]")
{
    const bool old = GENERATE(true, false);
    bench b{old ? "0.0.9" : FWD_VERSION};
    b.daemon.data("GET /api/v1/explain/web", R"(["of another shape"])");
    const auto why = b.refused();
    CHECK((why.code == "daemon_too_old") == old);
}

TEST_CASE("what is not found by an older daemon stays that, with a word about its age", "[version]")
{
    bench b{"0.0.9"};
    b.daemon.error("GET /api/v1/explain/web", 404, R"({"code":"not_found","message":"no service is called web"})");
    const auto why = b.refused();
    CHECK(why.code == "not_found");
    CHECK(why.message == "no service is called web");
    REQUIRE(why.evidence.size() == 1);
    CHECK_THAT(why.evidence[0], Catch::Contains("fwdd 0.0.9, older than this fwd"));
}

TEST_CASE("a daemon of our own version that refuses is taken at its word", "[version]")
{
    bench b{FWD_VERSION};
    b.daemon.error("GET /api/v1/explain/web", 404, R"({"code":"not_found","message":"no service is called web"})");
    const auto why = b.refused();
    CHECK(why.code == "not_found");
    CHECK(why.evidence.empty());
}
