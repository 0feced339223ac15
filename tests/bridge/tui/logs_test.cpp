#include "tests/bridge/tui/stage.hpp"

using namespace fwd;
using namespace fwd::tui;
using namespace fwd::tui::test;

namespace {

/// The stage with the log of web's pod open, and the number of its reading.
std::uint64_t open_log(stage& s)
{
    s.connect({service_named("web")});
    (void)s.type("<enter>");
    const auto then = s.type("<backtab>");
    REQUIRE(then.size() == 1);
    REQUIRE(then[0].what == wish::follow_log);
    CHECK(then[0].text == "web-7d4b9");
    CHECK(then[0].name_space == "shop");
    CHECK(then[0].context == "kind");
    CHECK_FALSE(then[0].since.has_value());
    return then[0].number;
}

std::vector<std::string> numbered(int from, int to)
{
    std::vector<std::string> out;
    for (int i = from; i < to; ++i) out.push_back(fmt::format("line {}", i));
    return out;
}

wire::past_event past(std::string type, std::string key, wall_time at, std::string client = {})
{
    wire::past_event out;
    out.type = std::move(type);
    out.service_key = std::move(key);
    out.timestamp = at;
    out.client = std::move(client);
    return out;
}

bool wishes(const std::vector<effect>& of, wish what)
{
    return std::any_of(of.begin(), of.end(), [&](const effect& each) { return each.what == what; });
}

} // namespace

TEST_CASE("a pod's log follows what is written, stops where one reads, and goes on", "[tui]")
{
    stage s;
    const auto number = open_log(s);
    CHECK_THAT(s.screen(), Catch::Contains("The pod has written nothing yet.") && Catch::Contains("pod web-7d4b9, as it writes"));
    (void)s.send(log_came{number, numbered(0, 100)});
    CHECK(s.row(21) == "  line 99");
    (void)s.type("kk");
    CHECK(s.cursor_row() == "\u203a line 97");
    CHECK_THAT(s.row(22), Catch::Contains("stopped at line 98 of 100, Space goes on"));
    (void)s.send(log_came{number, numbered(100, 200)});
    CHECK(s.cursor_row() == "\u203a line 97");
    (void)s.type(" ");
    CHECK(s.row(21) == "  line 199");
    (void)s.type(" ");
    (void)s.send(log_came{number, numbered(200, 201)});
    CHECK(s.row(21) == "\u203a line 199");
    (void)s.type("G");
    CHECK(s.row(21) == "  line 200");
    CHECK(s.type("ky").back().text == "line 199");
}

TEST_CASE("a pod's log is searched as it comes", "[tui]")
{
    stage s;
    const auto number = open_log(s);
    (void)s.send(log_came{number, {"GET /", "error: one", "GET /cart"}});
    (void)s.type("/ERR<enter>");
    CHECK(s.row(2) == "  error: one");
    CHECK(s.row(3).empty());
    (void)s.send(log_came{number, {"GET /x", "error: two"}});
    CHECK(s.row(3) == "  error: two");
    (void)s.type("/zzz");
    CHECK_THAT(s.row(2), Catch::Contains("No line matches."));
    (void)s.type("<esc>");
    CHECK(s.row(6) == "  error: two");
    CHECK(s.on.detail.at == tab::pod_log);
}

TEST_CASE("a pod's log keeps its last lines, and what one reads stays in place meanwhile", "[tui]")
{
    stage s;
    const auto number = open_log(s);
    (void)s.send(log_came{number, numbered(0, static_cast<int>(pod_log::most))});
    (void)s.type("kkkkk");
    const auto read = s.cursor_row();
    (void)s.send(log_came{number, numbered(5000, 6000)});
    CHECK(s.on.detail.log.lines.count() == pod_log::most);
    CHECK(s.cursor_row() == read);
    (void)s.type("g");
    CHECK(s.cursor_row() == "\u203a line 1000");
}

TEST_CASE("long lines of a log are read by moving them to the left", "[tui]")
{
    stage s;
    const auto number = open_log(s);
    (void)s.send(log_came{number, {std::string(40, 'a') + "\u6f22" + std::string(100, 'b') + "END"}});
    CHECK_THAT(s.row(2), Catch::Contains("aaa") && !Catch::Contains("END"));
    (void)s.type("<right>");
    CHECK_THAT(s.row(2), Catch::StartsWith("  \u6f22bbb"));
    (void)s.type("l");
    CHECK_THAT(s.row(2), Catch::EndsWith("bEND"));
    (void)s.type("<left>h");
    CHECK_THAT(s.row(2), Catch::StartsWith("  aaa"));
}

TEST_CASE("the log of a container that began anew goes on behind the old one, that of another pod from its end", "[tui]")
{
    stage s;
    auto number = open_log(s);
    (void)s.send(log_came{number, {"before"}});
    s.now += 2s;
    auto then = s.send(log_ended{number, "the container ended"});
    REQUIRE(wishes(then, wish::follow_log));
    CHECK(then.back().since == s.now);
    number = then.back().number;
    (void)s.send(log_came{number, {"after"}});
    CHECK(s.row(3) == "  after");
    // What an earlier reading still brings is not taken.
    (void)s.send(log_came{number - 1, {"too late"}});
    CHECK(s.row(4).empty());
    auto moved = service_named("web");
    moved.forwards.front().pod_name = "web-other";
    CHECK_FALSE(wishes(s.send(service_answer{"web.shop.kind", moved}), wish::follow_log));
    s.now += 2s;
    then = s.send(log_ended{number, "the pod is gone"});
    REQUIRE(wishes(then, wish::follow_log));
    CHECK(then.back().text == "web-other");
    CHECK_FALSE(then.back().since.has_value());
    CHECK(s.row(4) == "  --- from here on pod web-other ---");
}

TEST_CASE("a log that ends as soon as it begins is asked for again only when something happens to the service", "[tui]")
{
    stage s;
    const auto number = open_log(s);
    s.now += 2s;
    auto then = s.send(log_ended{number, "forbidden: pods/log"});
    CHECK_FALSE(wishes(then, wish::follow_log));
    CHECK_THAT(s.screen(), Catch::Contains("forbidden: pods/log"));
    CHECK_FALSE(s.on.wake_at().has_value());
    then = s.send(happened{s.event("ServiceUpdated", "web.shop.kind")});
    CHECK(wishes(then, wish::follow_log));
}

TEST_CASE("a log is followed as long as it is looked at, also behind the page of keys", "[tui]")
{
    stage s;
    (void)open_log(s);
    CHECK(s.type("?").empty());
    CHECK(s.type("<esc>").empty());
    CHECK(s.on.at == page::detail);
    CHECK(wishes(s.type("<esc>"), wish::unfollow_log));
    CHECK(s.type("j").empty());
    (void)s.type("<enter>");
    CHECK(wishes(s.type("<backtab>"), wish::follow_log));
    const auto then = s.type("<tab>");
    CHECK(wishes(then, wish::unfollow_log));
}

TEST_CASE("the log page begins with what happened before, once, and in order", "[tui]")
{
    stage s;
    connected up;
    up.about.pid = 77;
    const auto then = s.send(up);
    REQUIRE(wishes(then, wish::load_history));
    auto live = s.event("ServiceAdded", "live.shop.kind");
    (void)s.send(happened{live});
    auto cannot = past("ServiceAdded", "ext.shop.kind", noon - 1h);
    cannot.status = "unsupported";
    cannot.message = "listed, but cannot be forwarded: an alias";
    auto failed = past("ErrorRaised", "db.shop.kind", noon - 30min);
    failed.message = "crash-looping";
    const auto history = history_answer{std::vector<wire::past_event>{past("ServiceAdded", "web.shop.kind", noon - 25h, "claude-code/2; 1"),
                                                                      cannot, failed, past("ServiceAdded", "live.shop.kind", noon)}};
    (void)s.send(history);
    (void)s.type("L");
    CHECK(s.row(2) == "  Oct 3 11:00   web.shop.kind is forwarded  by claude-code/2; 1");
    CHECK(s.row(3) == "  11:00:00      ext.shop.kind cannot be forwarded: an alias");
    CHECK(s.row(4) == "  11:30:00      db.shop.kind: crash-looping");
    CHECK(s.row(5) == "  12:00:00      live.shop.kind is forwarded");
    CHECK(s.row(6).empty());
    // After a gap the past is read again, and only what was missed is new.
    CHECK(wishes(s.send(missed{3}), wish::load_history));
    (void)s.send(history);
    CHECK(s.on.log.rows.size() == 5);
}

TEST_CASE("the log page stops and goes on with Space, and Enter opens the service of a line", "[tui]")
{
    stage s;
    s.connect({service_named("web")});
    for (int i = 0; i < 30; ++i) (void)s.send(happened{s.event("PodAdded", i % 2 == 0 ? "web.shop.kind" : "gone.shop.kind")}), s.now += 1s;
    (void)s.type("L ");
    CHECK_THAT(s.row(1), Catch::Contains("stopped here; Space goes on"));
    CHECK_FALSE(s.cursor_row().empty());
    (void)s.type("<enter>");
    CHECK(s.on.at == page::log);
    (void)s.type("k<enter>");
    CHECK(s.on.at == page::detail);
    CHECK(s.on.detail.key == "web.shop.kind");
    (void)s.type("<esc> ");
    CHECK(s.on.at == page::log);
    CHECK_THAT(s.row(1), Catch::Contains("as it happens"));
}

TEST_CASE("the lines of a service's tabs are filtered too", "[tui]")
{
    stage s;
    s.connect({service_named("web")});
    (void)s.type("<enter>");
    (void)s.type("/");
    CHECK(s.on.ask.what == asking::nothing); // nothing to filter there
    (void)s.type("<tab>");
    wire::explanation why;
    why.entries = {{noon, "pod", "made", "pod a was made", ""}, {noon, "pod", "made", "pod b was made", ""}};
    (void)s.send(tab_answer{"web.shop.kind", tab::timeline, tab_data{why}});
    (void)s.type("/pod b<enter>");
    CHECK_THAT(s.screen(), Catch::Contains("pod b was made") && !Catch::Contains("pod a"));
    (void)s.type("<esc>");
    CHECK_THAT(s.screen(), Catch::Contains("pod a was made"));
    CHECK(s.on.at == page::detail);
}

TEST_CASE("on a wide screen the table tells names, and who asked", "[tui]")
{
    stage s{200, 24};
    auto other = service_named("web");
    other.owner.client = "claude-code/2.1; 7";
    s.connect({other, service_named("db", "error", "crash-looping")});
    CHECK_THAT(s.row(1), Catch::Contains("NAMES") && Catch::Contains("BY"));
    CHECK_THAT(s.row(3), Catch::Contains("web  web.shop") && Catch::Contains("claude-code/2.1; 7"));
    CHECK_THAT(s.row(2), Catch::Contains("crash-looping") && !Catch::Contains("db.shop"));
}
