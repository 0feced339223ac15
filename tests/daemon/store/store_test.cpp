#include "common/log.hpp"
#include "daemon/store/database.hpp"
#include "daemon/store/leases.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace fwd;
using namespace fwd::store;

namespace {

const ipv4 base{0x7f011b01};

struct folder {
    folder()
    {
        std::string name = "/tmp/fwd-test-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::string file() const { return path + "/fwd/fwd.sqlite"; }
    std::string path;
};

/// One run of a daemon's store over a file.
struct run {
    explicit run(const std::string& path, bool open_it = true) : kept{path, *thread, clock, loop.get_executor(), log}
    {
        log.add_sink([this](const log_line& line) { lines.push_back(line.message); });
        if (open_it) REQUIRE(clock.run(kept.open()).has_value());
    }
    ~run() { clock.run(kept.close()); }
    std::unique_ptr<lease_store> leases(lease_settings settings = {})
    {
        auto made = clock.run(open_leases(kept, clock, settings));
        REQUIRE(made.has_value());
        return std::move(*made);
    }
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    logger log;
    std::vector<std::string> lines;
    std::unique_ptr<offload> thread = make_inline_offload(loop.get_executor());
    database kept;
};

std::string text(const result<ipv4>& from)
{
    REQUIRE(from.has_value());
    return from->text();
}

} // namespace

TEST_CASE("addresses ascend from the base and stay with their key", "[store]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    const auto leases = make_memory_leases(clock);
    CHECK(text(leases->allocate(lease_key("kind", "shop", "web"))) == "127.1.27.1");
    CHECK(text(leases->allocate(lease_key("kind", "shop", "db"))) == "127.1.27.2");
    CHECK(text(leases->allocate(lease_key("kind", "shop", "web"))) == "127.1.27.1");
    CHECK(text(leases->allocate(lease_key("kind", "shop", "db", "db-0"))) == "127.1.27.3");
    leases->release("kind/shop/web");
    CHECK(text(leases->allocate("kind/shop/api")) == "127.1.27.4");
    CHECK(text(leases->allocate("kind/shop/web")) == "127.1.27.1");
}

TEST_CASE("the last octet is never 0 or 255", "[store]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    const auto leases = make_memory_leases(clock);
    for (int i = 1; i <= 254; ++i) REQUIRE(leases->allocate("kind/shop/s" + std::to_string(i)).has_value());
    CHECK(text(leases->allocate("kind/shop/next")) == "127.1.28.1");
}

TEST_CASE("a lease out of use for 30 days goes to another key, the oldest first", "[store]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    const auto leases = make_memory_leases(clock);
    for (const auto* key : {"a", "b", "c"}) REQUIRE(leases->allocate(key).has_value());
    leases->release("b");
    clock.advance(24h);
    leases->release("a");
    clock.advance(29 * 24h - 1s);
    CHECK(text(leases->allocate("d")) == "127.1.27.4");
    clock.advance(1s);
    CHECK(text(leases->allocate("e")) == "127.1.27.2"); // b's, unused for 30 days
    CHECK(text(leases->allocate("f")) == "127.1.27.5"); // a's has a day to go, c's is in use
    CHECK(text(leases->allocate("b")) == "127.1.27.6"); // lost its own
    clock.advance(24h);
    CHECK(text(leases->allocate("g")) == "127.1.27.1");
}

TEST_CASE("a range without a free address is an error that names it", "[store]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    lease_settings settings;
    settings.last = ipv4{base.bits + 1};
    const auto leases = make_memory_leases(clock, settings);
    REQUIRE(leases->allocate("a").has_value());
    REQUIRE(leases->allocate("b").has_value());
    const auto none = leases->allocate("c");
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().is(errc::addresses_exhausted));
    CHECK(none.error().message().find("127.1.27.1 to 127.1.27.2") != std::string::npos);
    leases->release("a");
    CHECK_FALSE(leases->allocate("c").has_value()); // a lease is kept for its key
    CHECK(text(leases->allocate("a")) == "127.1.27.1");
}

TEST_CASE("a reservation wins over a lease, but not over one in use", "[store]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    const auto leases = make_memory_leases(clock);
    REQUIRE(leases->allocate("a").has_value());
    const auto taken = leases->allocate("b", base);
    REQUIRE_FALSE(taken.has_value());
    CHECK(taken.error().is(errc::conflict));
    leases->release("a");
    CHECK(text(leases->allocate("b", base)) == "127.1.27.1");
    CHECK(text(leases->allocate("a")) == "127.1.27.2");
    CHECK(text(leases->allocate("b", ipv4{0x7f020202})) == "127.2.2.2");
    CHECK(text(leases->allocate("c")) == "127.1.27.3");
}

TEST_CASE("a reserved address is given to nobody else", "[store]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    const auto leases = make_memory_leases(clock);
    leases->reserve(base);
    CHECK(text(leases->allocate("a")) == "127.1.27.2");
    CHECK(text(leases->allocate("b", base)) == "127.1.27.1");
}

TEST_CASE("what is no loopback address of ours cannot be reserved", "[store]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    const auto leases = make_memory_leases(clock);
    const auto address = GENERATE(as<std::string>{}, "10.0.0.1", "127.0.0.1", "127.0.53.1", "127.1.27.0", "127.1.27.255", "128.1.27.1");
    INFO(address);
    const auto got = leases->allocate("a", ipv4::parse(address).value());
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().is(errc::invalid_request));
}

TEST_CASE("addresses of another user are skipped, also by a key that had one", "[store]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    const auto leases = make_memory_leases(clock);
    REQUIRE(leases->allocate("a").has_value());
    leases->release("a");
    leases->avoid({base, ipv4{base.bits + 1}});
    CHECK(text(leases->allocate("a")) == "127.1.27.3");
    CHECK(leases->allocate("b", base).error().is(errc::conflict));
    leases->avoid({});
    CHECK(text(leases->allocate("a")) == "127.1.27.3");
}

TEST_CASE("the same service has the same address on the next run", "[store]")
{
    const folder at;
    {
        run first{at.file()};
        const auto leases = first.leases();
        for (const auto* key : {"k/shop/a", "k/shop/b", "k/shop/c"}) REQUIRE(leases->allocate(key).has_value());
        leases->release("k/shop/a");
    }
    run second{at.file()};
    const auto leases = second.leases();
    CHECK(text(leases->allocate("k/shop/c")) == "127.1.27.3");
    CHECK(text(leases->allocate("k/shop/new")) == "127.1.27.4");
    CHECK(text(leases->allocate("k/shop/a")) == "127.1.27.1");
    struct stat about {};
    REQUIRE(::stat(at.file().c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    REQUIRE(::stat((at.path + "/fwd").c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0700);
}

TEST_CASE("writes are committed within a second, unasked", "[store]")
{
    const folder at;
    run writer{at.file()};
    const auto leases = writer.leases();
    REQUIRE(leases->allocate("k/shop/a").has_value());
    const auto seen = [&] {
        auto other = sqlite::open(at.file());
        REQUIRE(other.has_value());
        auto rows = (*other)->run("SELECT key FROM leases");
        REQUIRE(rows.has_value());
        return rows->size();
    };
    CHECK(seen() == 0);
    writer.clock.advance(1s);
    CHECK(seen() == 1);
}

TEST_CASE("an address that changed hands within one batch is kept once", "[store]")
{
    const folder at;
    {
        run first{at.file()};
        const auto leases = first.leases();
        REQUIRE(leases->allocate("a").has_value());
        leases->release("a");
        REQUIRE(leases->allocate("b", base).has_value());
        REQUIRE(leases->allocate("a").has_value());
    }
    run second{at.file()};
    const auto leases = second.leases();
    CHECK(text(leases->allocate("b")) == "127.1.27.1");
    CHECK(text(leases->allocate("a")) == "127.1.27.2");
}

TEST_CASE("a damaged database is set aside with a notice and a new one begun", "[store]")
{
    const folder at;
    std::filesystem::create_directories(at.path + "/fwd");
    std::ofstream{at.file()} << GENERATE(std::string{"this is no database, but long enough to look like a header of one......"},
                                         std::string{"SQLite format 3\0 and then nothing of use", 40});
    run daemon{at.file()};
    REQUIRE(daemon.lines.size() == 1);
    CHECK(daemon.lines[0].find("set aside") != std::string::npos);
    CHECK(text(daemon.leases()->allocate("a")) == "127.1.27.1");
    std::size_t aside = 0;
    for (const auto& entry : std::filesystem::directory_iterator{at.path + "/fwd"})
        aside += entry.path().filename().string().starts_with("fwd.sqlite.damaged-");
    CHECK(aside == 1);
}

TEST_CASE("a database with a torn page is set aside", "[store]")
{
    const folder at;
    {
        run first{at.file()};
        const auto leases = first.leases();
        for (int i = 0; i < 500; ++i) REQUIRE(leases->allocate("k/shop/service-with-a-name-" + std::to_string(i)).has_value());
    }
    {
        std::fstream file{at.file(), std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(4096 * 2);
        file << std::string(4096 * 3, '\x5a');
    }
    run second{at.file()};
    REQUIRE(second.lines.size() == 1);
    CHECK(text(second.leases()->allocate("a")) == "127.1.27.1");
}

TEST_CASE("the database of a later version is set aside, not misread", "[store]")
{
    const folder at;
    {
        run first{at.file()};
        auto later = sqlite::open(at.file());
        REQUIRE((*later)->run("PRAGMA user_version = 99").has_value());
    }
    run second{at.file()};
    REQUIRE(second.lines.size() == 1);
}

TEST_CASE("a commit that fails is tried again and loses nothing", "[store]")
{
    const folder at;
    run daemon{at.file()};
    bool full = true;
    int tries = 0;
    daemon.kept.post([&](sqlite& file) -> result<void> {
        ++tries;
        if (full) return error{errc::unavailable, "database or disk is full"};
        auto done = file.run("INSERT INTO leases VALUES ('a', 1, 2)");
        if (!done) return done.error();
        return {};
    });
    daemon.clock.advance(20s);
    CHECK(tries >= 3);
    CHECK(daemon.lines == std::vector<std::string>{"state cannot be saved"});
    full = false;
    daemon.clock.advance(6s);
    CHECK(daemon.lines.back() == "state is saved again");
    auto count = [](sqlite& file) { return file.run("SELECT count(*) FROM leases"); };
    auto work = [](database& kept, auto question) -> awaitable<result<std::vector<sql_row>>> { co_return co_await kept.ask(question); };
    const auto rows = daemon.clock.run(work(daemon.kept, count));
    REQUIRE(rows.has_value());
    CHECK(rows->front().front() == sql_value{std::int64_t{1}});
}

TEST_CASE("a folder that cannot be written is an error, and leases go on in memory", "[store]")
{
    run daemon{"/proc/fwd/fwd.sqlite", false};
    const auto opened = daemon.clock.run(daemon.kept.open());
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().message().find("/proc/fwd") != std::string::npos);
    CHECK_FALSE(daemon.clock.run(open_leases(daemon.kept, daemon.clock)).has_value());
}

TEST_CASE("a real thread of its own serves the database", "[store]")
{
    const folder at;
    asio::io_context loop{1};
    logger log;
    const auto clock = make_timing(loop.get_executor());
    const auto thread = make_offload_thread();
    database kept{at.file(), *thread, *clock, loop.get_executor(), log};
    auto work = [](database& file, timing& time) -> awaitable<bool> {
        if (!co_await file.open()) co_return false;
        auto leases = co_await open_leases(file, time);
        if (!leases || !(*leases)->allocate("a")) co_return false;
        co_await file.close();
        co_return true;
    };
    CHECK(test::run_on(loop, work(kept, *clock)));
}
