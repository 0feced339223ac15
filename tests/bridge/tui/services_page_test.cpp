#include "tests/bridge/tui/stage.hpp"

using namespace fwd;
using namespace fwd::tui;
using namespace fwd::tui::test;

namespace {

std::vector<wire::service> thousand()
{
    std::vector<wire::service> out;
    for (int i = 0; i < 1000; ++i) out.push_back(service_named(fmt::format("svc-{:04}", i)));
    return out;
}

} // namespace

TEST_CASE("the services page shows what is where, how it is, and why what is not active is not", "[tui]")
{
    stage s{80, 12};
    auto crashing = service_named("db", "error", "crash-looping: exit code 1, no such file: /etc/db.conf");
    crashing.pods = {0, 2};
    s.connect({service_named("web"), crashing, service_named("cache", "pending", "no pod is ready")});
    CHECK(s.screen() == R"( fwd  Services  Errors 2  Log  Browse  Help            shop in kind  1/3 active
   NAME▲        ADDRESS        STATUS  PODS          IN/s  OUT/s
›◐ cache        127.1.27.4:80  pending no pod is ready
 ✗ db           127.1.27.4:80  error   crash-looping: exit code 1, no such file…
 ● web          127.1.27.4:80  active  web-7d4b9        -      -





 cache: no pod is ready
 Enter open  / filter  f browse  d remove  r reconnect  y copy  s sort  ? help
)");
    (void)s.type("j");
    CHECK(s.row(10) == " db: crash-looping: exit code 1, no such file: /etc/db.conf");
    (void)s.type("j");
    CHECK(s.row(10) == " web  web.shop");
}

TEST_CASE("an address is whole on 80 columns, its port and how many others there are", "[tui]")
{
    stage s{80, 12};
    auto one = service_named("orders"), other = service_named("web"), external = service_named("mail", "unsupported", "it has no TCP port");
    one.local_ip = "127.1.27.15";
    one.forwards.front().local_port = 8080;
    one.forwards.push_back(one.forwards.front());
    other.namespace_name = "staging";
    other.key = "web.staging.kind";
    s.connect({one, other, external});
    CHECK_THAT(s.screen(), Catch::Contains("NAMESPACE") && Catch::Contains("127.1.27.15:8080+1 "));
}

TEST_CASE("namespace and context have a column where there are several", "[tui]")
{
    stage s;
    auto other = service_named("web");
    other.key = "web.staging.prod";
    other.namespace_name = "staging";
    other.context = "prod";
    s.connect({service_named("web"), other});
    CHECK_THAT(s.row(1), Catch::Contains("NAMESPACE") && Catch::Contains("CONTEXT"));
    CHECK_THAT(s.screen(), Catch::Contains("staging") && Catch::Contains("prod"));
}

TEST_CASE("every size from 40x8 up is drawn whole, and smaller ones say so", "[tui]")
{
    stage s;
    auto hostile = service_named("web", "error", "\x1b[2J" + std::string(10000, 'x') + "\u202e");
    s.connect({hostile, service_named("db")});
    const auto width = GENERATE(20, 40, 80, 120, 200);
    const auto height = GENERATE(3, 8, 24, 40, 60);
    (void)s.send(resized{width, height});
    for (const auto* keys : {"", "e", "L", "f", "?", "<esc><esc><enter>", "<tab>", "<tab>"}) {
        (void)s.type(keys);
        const auto picture = draw(s.on);
        CHECK(picture.width() == width);
        CHECK(picture.height() == height);
        CHECK(picture.text().find('\x1b') == std::string::npos);
        if (width < 40 || height < 8) CHECK(picture.row(0).find("fwd needs") == 0);
    }
}

TEST_CASE("the cursor stays on its service when others come, go and are sorted", "[tui]")
{
    stage s;
    s.connect({service_named("b"), service_named("d"), service_named("f")});
    (void)s.type("j");
    CHECK_THAT(s.cursor_row(), Catch::Contains(" d "));
    (void)s.send(
        services_answer{list_of({service_named("a"), service_named("b"), service_named("c"), service_named("d"), service_named("f")})});
    CHECK_THAT(s.cursor_row(), Catch::Contains(" d "));
    (void)s.type("S");
    CHECK_THAT(s.cursor_row(), Catch::Contains(" d "));
    (void)s.send(happened{s.event("ServiceRemoved", "d.shop.kind")});
    CHECK(s.on.table.keys.size() == 4);
    CHECK_FALSE(s.cursor_row().empty());
}

TEST_CASE("a thousand services scroll to both ends", "[tui]")
{
    stage s{80, 24};
    s.connect(thousand());
    CHECK(s.on.table.keys.size() == 1000);
    (void)s.type("G");
    CHECK_THAT(s.cursor_row(), Catch::Contains("svc-0999"));
    (void)s.type("<pgup>");
    CHECK_THAT(s.cursor_row(), Catch::Contains("svc-0980"));
    (void)s.type("g");
    CHECK_THAT(s.cursor_row(), Catch::Contains("svc-0000"));
    (void)s.send(key{key_name::wheel_down});
    CHECK_THAT(s.cursor_row(), Catch::Contains("svc-0003"));
}

TEST_CASE("a filter shows what it matches while it is typed, and Escape ends it", "[tui]")
{
    stage s;
    s.connect({service_named("web"), service_named("db", "error", "no"), service_named("website")});
    (void)s.type("/we");
    CHECK(s.on.table.keys.size() == 2);
    CHECK_THAT(s.last_row(), Catch::Contains("/we_"));
    (void)s.type("bs<enter>");
    CHECK(s.on.table.keys.size() == 1);
    CHECK_THAT(s.last_row(), Catch::Contains("/webs"));
    (void)s.type("<esc>");
    CHECK(s.on.table.keys.size() == 3);
    (void)s.type("/ERROR<back><back><enter>");
    CHECK(s.on.table.keys.size() == 1);
    (void)s.type("/zzz<enter>");
    CHECK_THAT(s.screen(), Catch::Contains("No service matches"));
    (void)s.send(key{key_name::character, "/"});
    (void)s.send(key{key_name::paste, "a\x1b[2J\nb"});
    CHECK(s.on.table.filter == "ERRzzza[2Jb");
}

TEST_CASE("sorting by a column, and by a click on its title", "[tui]")
{
    stage s;
    auto busy = service_named("zeta");
    busy.rate_in = 1000;
    s.connect({service_named("alpha"), service_named("beta", "error", "x"), busy});
    (void)s.type("ss");
    CHECK(s.on.table.by == order::status);
    CHECK_THAT(s.row(1), Catch::Contains("STATUS▲"));
    CHECK_THAT(s.row(22), Catch::Contains("sorted by STATUS"));
    CHECK(s.on.table.keys.front() == "beta.shop.kind");
    const auto columns = columns_of(s.on);
    for (const auto& each : columns)
        if (each.is == column::what::in) s.click(each.x + 3, 1);
    CHECK(s.on.table.by == order::in);
    CHECK(s.on.table.keys.front() == "zeta.shop.kind");
    CHECK_THAT(s.row(1), Catch::Contains("IN/s▲"));
}

TEST_CASE("removing asks first, names what breaks, and takes all that are chosen", "[tui]")
{
    stage s;
    auto open = service_named("web");
    open.forwards.front().connections = 2;
    s.connect({open, service_named("db"), service_named("x")});
    CHECK(s.type("Gk").empty());
    (void)s.type("d");
    CHECK_THAT(s.last_row(), Catch::Contains("Remove web.shop.kind?") && Catch::Contains("2 open connections will break"));
    CHECK(s.type("n").empty());
    CHECK(s.type("d<esc>").empty());
    const auto then = s.type("g  dy");
    REQUIRE(then.size() == 1);
    CHECK(then[0].what == wish::remove);
    CHECK(then[0].keys == std::vector<std::string>{"db.shop.kind", "web.shop.kind"});
    CHECK(s.on.table.chosen.empty());
}

TEST_CASE("reconnecting, copying and both of many", "[tui]")
{
    stage s;
    s.connect({service_named("db"), service_named("web")});
    auto then = s.type("r");
    REQUIRE(then.size() == 1);
    CHECK(then[0].what == wish::reconnect);
    CHECK(then[0].keys == std::vector<std::string>{"db.shop.kind"});
    then = s.type("R");
    REQUIRE(then.size() == 1);
    CHECK(then[0].what == wish::reconnect_errors);
    then = s.type("y");
    REQUIRE(then.size() == 1);
    CHECK(then[0].what == wish::copy);
    CHECK(then[0].text == "db:80");
    CHECK_THAT(s.screen(), Catch::Contains("copied: db:80"));
    CHECK(s.type("  y").back().text == "db:80\nweb:80");
    (void)s.send(told{"web.shop.kind: no such service", false});
    CHECK_THAT(s.row(22), Catch::Contains("no such service"));
    s.now += 5s;
    (void)s.send(passed{});
    CHECK_THAT(s.row(22), !Catch::Contains("no such service"));
}

TEST_CASE("traffic is shown as it flows, and the clock runs only as long as something moved", "[tui]")
{
    stage s{120, 24};
    s.connect({service_named("web")});
    CHECK_FALSE(s.on.wake_at().has_value());
    auto moved = s.event("BandwidthUpdate", "web.shop.kind");
    moved.bytes_in = 2048;
    moved.bytes_out = 10 * 1024 * 1024;
    (void)s.send(happened{moved});
    CHECK(s.on.services.at("web.shop.kind").is.rate_in == 2048);
    CHECK_THAT(s.row(2), Catch::Contains("2.0K") && Catch::Contains("10M") && Catch::Contains("\u2588"));
    CHECK_THAT(s.row(0), Catch::Contains("\u21932.0K/s"));
    REQUIRE(s.on.wake_at().has_value());
    (void)s.type("b");
    CHECK_THAT(s.row(1), Catch::Contains("OUT ") || Catch::EndsWith("OUT"));
    s.now += 1s;
    moved = s.event("BandwidthUpdate", "web.shop.kind");
    moved.bytes_in = 2048;
    moved.bytes_out = 10 * 1024 * 1024;
    (void)s.send(happened{moved});
    CHECK(s.on.services.at("web.shop.kind").is.rate_out == 0);
    for (int i = 0; i < 20; ++i) {
        s.now += 1s;
        (void)s.send(passed{});
    }
    CHECK_FALSE(s.on.wake_at().has_value());
}

TEST_CASE("bytes that an answer about the service told first are a rate all the same", "[tui]")
{
    stage s{120, 24};
    s.connect({service_named("web")});
    auto ahead = service_named("web");
    ahead.total_bytes_in = 2048;
    (void)s.send(service_answer{"web.shop.kind", ahead});
    auto moved = s.event("BandwidthUpdate", "web.shop.kind");
    moved.bytes_in = 2048;
    (void)s.send(happened{moved});
    CHECK(s.on.services.at("web.shop.kind").is.rate_in == 2048);
    s.now += 1s;
    moved = s.event("BandwidthUpdate", "web.shop.kind");
    moved.bytes_in = 2048;
    (void)s.send(happened{moved});
    CHECK(s.on.services.at("web.shop.kind").is.rate_in == 0);
}

TEST_CASE("changes are asked for in few calls: single services, or everything at once and not too often", "[tui]")
{
    stage s;
    s.connect(thousand());
    s.now += 1s;
    auto then = s.send(happened{s.event("ServiceUpdated", "svc-0001.shop.kind")});
    REQUIRE(then.size() == 1);
    CHECK(then[0].keys == std::vector<std::string>{"svc-0001.shop.kind"});
    CHECK_FALSE(then[0].all);
    for (int i = 0; i < 1000; ++i) CHECK(s.send(happened{s.event("ServiceUpdated", fmt::format("svc-{:04}.shop.kind", i))}).empty());
    CHECK(s.send(load_ended{}).empty());
    s.now += 200ms;
    then = s.send(passed{});
    REQUIRE(then.size() == 1);
    CHECK(then[0].all);
    (void)s.send(load_ended{});
    (void)s.send(happened{s.event("ServiceUpdated", "svc-0001.shop.kind")});
    CHECK(s.effects.size() == 2);
    REQUIRE(s.on.wake_at().has_value());
    CHECK(*s.on.wake_at() == s.now + 500ms);
}

TEST_CASE("a daemon that is gone is said to be gone, what was known is marked as old, and a new one is taken up", "[tui]")
{
    stage s;
    CHECK_THAT(s.screen(), Catch::Contains("connecting"));
    s.connect({service_named("web")});
    s.now += 10s;
    (void)s.send(lost{"connection refused"});
    CHECK_THAT(s.screen(), Catch::Contains("NO DAEMON") &&
                               Catch::Contains("The daemon is gone; this was so at 12:00:00. Waiting for a new one: fwd start"));
    CHECK(draw(s.on).at(3, 2).in == tone::faint);
    connected again;
    again.about.pid = 78;
    const auto then = s.send(again);
    CHECK(std::any_of(then.begin(), then.end(), [](const effect& each) { return each.what == wish::load && each.all; }));
    (void)s.send(services_answer{list_of({})});
    CHECK_THAT(s.screen(), Catch::Contains("Nothing is forwarded"));
}

TEST_CASE("quitting asks only where the daemon would end with it", "[tui]")
{
    stage s;
    s.connect({service_named("web")});
    CHECK(s.type("q").at(0).what == wish::quit);
    CHECK(s.type("D").at(0).what == wish::detach);
    s.on.owns_daemon = true;
    CHECK(s.type("q").empty());
    CHECK_THAT(s.last_row(), Catch::Contains("stop the daemon"));
    CHECK(s.type("n").empty());
    CHECK(s.type("qD").at(0).what == wish::detach);
    CHECK(s.type("<C-c>y").at(0).what == wish::quit);
    CHECK(s.type("<C-z>").at(0).what == wish::suspend);
    CHECK(s.type("<C-l>").at(0).what == wish::repaint);
}
