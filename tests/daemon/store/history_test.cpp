// What was, is still there: rings that outlive the daemon, and what a full or damaged disk may cost.
#include "common/log.hpp"
#include "daemon/store/database.hpp"
#include "daemon/store/history.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace fwd;
using namespace fwd::store;

namespace {

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

/// One run of a daemon.
struct run {
    explicit run(const std::string& path, history_limits keep = {}, database_limits limits = {})
        : kept{path, *thread, clock, loop.get_executor(), log, limits}, all{kept, keep}
    {
        log.add_sink([this](const log_line& line) { lines.push_back(line.message); });
    }
    ~run() { clock.run(kept.close()); }
    void open() { REQUIRE(clock.run(kept.open()).has_value()); }
    std::vector<past> find(past_question what)
    {
        auto found = clock.run(all.find(std::move(what)));
        REQUIRE(found.has_value());
        return *found;
    }
    past_count count()
    {
        auto counted = clock.run(all.count());
        REQUIRE(counted.has_value());
        return *counted;
    }
    /// In the file, shown or not.
    std::int64_t rows()
    {
        auto ask = [](sqlite& file) { return file.run("SELECT count(*) FROM history"); };
        const auto found = clock.run(kept.ask(std::move(ask)));
        REQUIRE(found.has_value());
        return std::get<std::int64_t>(found->front().front());
    }
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    logger log;
    std::vector<std::string> lines;
    std::unique_ptr<offload> thread = make_inline_offload(loop.get_executor());
    database kept;
    history all;
};

past sample(std::string type, std::string service, wall_time when)
{
    past made;
    made.when = when;
    made.type = std::move(type);
    made.service_key = std::move(service);
    made.forward_key = made.service_key + ".pod-1.80";
    made.place = "127.1.27.4:80";
    made.namespace_name = "shop";
    made.context = "kind";
    made.pod = "pod-1";
    made.status = "Error";
    made.code = "port_refused";
    made.message = "nothing listens; it's \"quoted\"";
    made.client = "claude/2; x";
    made.took = 1500ms;
    return made;
}

} // namespace

TEST_CASE("what one run of the daemon saw is read by the next, each thing once and whole", "[store]")
{
    const folder at;
    wall_time when{};
    {
        run first{at.file()};
        first.open();
        when = first.clock.wall_now();
        first.all.add(past_kind::error, sample("ErrorRaised", "web.shop.kind", when));
        first.all.add(past_kind::event, sample("ErrorRaised", "web.shop.kind", when));
    }
    run second{at.file()};
    second.open();
    const auto errors = second.find({.kind = past_kind::error});
    REQUIRE(errors.size() == 1);
    const auto& one = errors.front();
    CHECK(one.when == when);
    CHECK(one.type == "ErrorRaised");
    CHECK(one.service_key == "web.shop.kind");
    CHECK(one.forward_key == "web.shop.kind.pod-1.80");
    CHECK(one.pod == "pod-1");
    CHECK(one.code == "port_refused");
    CHECK(one.message == "nothing listens; it's \"quoted\"");
    CHECK(one.client == "claude/2; x");
    CHECK(one.took == 1500ms);
    CHECK_FALSE(one.resolved);
    CHECK(second.count().events == 1);
    CHECK(second.count().reconnections == 0);
}

TEST_CASE("a question narrows by type, service, time and number, newest first", "[store]")
{
    run daemon{":memory:"};
    daemon.open();
    const auto start = daemon.clock.wall_now();
    for (int i = 0; i < 6; ++i)
        daemon.all.add(past_kind::event,
                       sample(i % 2 ? "PodAdded" : "PodRemoved", i < 4 ? "web.shop.kind" : "db.shop.kind", start + i * 1s));
    CHECK(daemon.find({}).size() == 6);
    CHECK(daemon.find({}).front().when == start + 5s);
    CHECK(daemon.find({.most = 2}).size() == 2);
    CHECK(daemon.find({.type = "PodAdded"}).size() == 3);
    CHECK(daemon.find({.type = "PodAdded,PodRemoved,Other"}).size() == 6);
    CHECK(daemon.find({.service_key = "web.shop.kind"}).size() == 4);
    CHECK(daemon.find({.since = start + 4s}).size() == 2);
    CHECK(daemon.find({.type = "PodAdded", .service_key = "db.shop.kind", .since = start + 5s}).size() == 1);
    CHECK(daemon.find({.kind = past_kind::error}).empty());
}

TEST_CASE("each kind is a ring of its own", "[store]")
{
    run daemon{":memory:", {.most = 5}};
    daemon.open();
    const auto start = daemon.clock.wall_now();
    daemon.all.add(past_kind::error, sample("ErrorRaised", "web.shop.kind", start));
    for (int i = 0; i < 12; ++i) daemon.all.add(past_kind::event, sample("PodAdded", "web.shop.kind", start + i * 1s));
    const auto events = daemon.find({.most = 100});
    REQUIRE(events.size() == 5);
    CHECK(events.front().when == start + 11s);
    CHECK(events.back().when == start + 7s);
    CHECK(daemon.find({.kind = past_kind::error}).size() == 1);
    CHECK(daemon.count().events == 5);
    CHECK(daemon.count().most == 5);
}

TEST_CASE("a long ring loses its oldest by the hundredth, and shows no more than it promises", "[store]")
{
    run daemon{":memory:", {.most = 300}};
    daemon.open();
    const auto start = daemon.clock.wall_now();
    for (int i = 0; i < 1000; ++i) daemon.all.add(past_kind::event, sample("PodAdded", "web.shop.kind", start + i * 1s));
    const auto events = daemon.find({.most = 1000});
    REQUIRE(events.size() == 300);
    CHECK(events.back().when == start + 700s);
    CHECK(daemon.count().events == 300);
    const auto kept = daemon.rows();
    CHECK(kept >= 300);
    CHECK(kept <= 303);
}

TEST_CASE("an error is over when its place works again, when its service goes, or when its daemon ended", "[store]")
{
    run daemon{":memory:"};
    daemon.open();
    const auto start = daemon.clock.wall_now();
    auto web = sample("ErrorRaised", "web.shop.kind", start);
    auto other_port = web;
    other_port.place = "127.1.27.4:81";
    daemon.all.add(past_kind::error, web);
    daemon.all.add(past_kind::error, other_port);
    daemon.all.add(past_kind::error, sample("ErrorRaised", "db.shop.kind", start));
    const auto open = [&] {
        std::size_t count = 0;
        for (const auto& one : daemon.find({.kind = past_kind::error})) count += !one.resolved;
        return count;
    };
    web.forward_key = "web.shop.kind.pod-2.80"; // the pod is another one, the place is not
    daemon.all.resolve(web, start + 3s);
    CHECK(open() == 2);
    CHECK(daemon.find({.kind = past_kind::error}).back().resolved == start + 3s);
    auto gone = web;
    gone.place.clear();
    daemon.all.resolve(gone, start + 4s);
    CHECK(open() == 1);
    daemon.all.resolve_all(start + 5s);
    CHECK(open() == 0);
}

TEST_CASE("when nothing can be saved for long, history is lost and counted, and leases are not", "[store]")
{
    run daemon{":memory:", {}, {.waiting = 10}};
    // Not open yet: nothing is committed.
    bool lease_written = false;
    daemon.kept.post([&](sqlite&) -> result<void> {
        lease_written = true;
        return {};
    });
    for (int i = 0; i < 30; ++i) daemon.all.add(past_kind::event, sample("PodAdded", "web.shop.kind", daemon.clock.wall_now()));
    CHECK(daemon.kept.lost() == 21);
    daemon.open();
    CHECK(daemon.find({}).size() == 9);
    CHECK(daemon.count().dropped == 21);
    CHECK(lease_written);
}

TEST_CASE("a damaged database is set aside with a notice, and history begins anew", "[store]")
{
    const folder at;
    std::filesystem::create_directories(at.path + "/fwd");
    std::ofstream{at.file()} << std::string(8192, 'x');
    run daemon{at.file()};
    daemon.open();
    CHECK(daemon.find({}).empty());
    REQUIRE(daemon.lines.size() == 1);
    CHECK(daemon.lines.front() == "database set aside, a new one begun");
    daemon.all.add(past_kind::event, sample("PodAdded", "web.shop.kind", daemon.clock.wall_now()));
    CHECK(daemon.find({}).size() == 1);
}

TEST_CASE("a write is committed within a second, and nobody waits for it", "[store]")
{
    const folder at;
    run daemon{at.file()};
    daemon.open();
    daemon.all.add(past_kind::event, sample("PodAdded", "web.shop.kind", daemon.clock.wall_now()));
    daemon.clock.advance(1s);
    // Another connection sees what is committed.
    auto other = sqlite::open(at.file());
    REQUIRE(other.has_value());
    const auto rows = (*other)->run("SELECT count(*) FROM history");
    REQUIRE(rows.has_value());
    CHECK(rows->front().front() == sql_value{std::int64_t{1}});
}
