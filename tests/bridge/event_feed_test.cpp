#include "bridge/event_feed.hpp"
#include "tests/bridge/scripted_daemon.hpp"

using namespace fwd;
using namespace fwd::bridge;
using namespace fwd::bridge::test;

namespace {

struct bench {
    asio::io_context loop{1};
    virtual_clock clock{loop};
    scripted_daemon daemon{loop, clock};
    std::unique_ptr<random_source> random = make_seeded_random(1);
    event_feed feed{daemon.client(), clock, *random};

    void info(int pid) { daemon.data("GET /api/v1/info", fmt::format(R"({{"pid":{},"startTime":"2026-01-01T00:00:00.000Z"}})", pid)); }
    void events(std::string_view text) { daemon.stream("GET /api/v1/events", text); }
    feed_item next() { return clock.run(feed.next()); }
    template <class T>
    T next_is()
    {
        auto item = next();
        REQUIRE(std::holds_alternative<T>(item));
        return std::get<T>(std::move(item));
    }
};

std::string event_text(int id, std::string_view type)
{
    return fmt::format("id: {0}\nevent: {1}\ndata: {{\"type\":\"{1}\",\"data\":{{\"serviceKey\":\"web.shop.kind\"}}}}\n\n", id, type);
}

} // namespace

TEST_CASE("events come typed, and after a break from where they stopped", "[event_feed]")
{
    bench b;
    b.daemon.up();
    b.info(7);
    b.events(":\n\n" + event_text(4, "ServiceAdded"));
    b.events(event_text(5, "PodRemoved"));
    CHECK(b.next_is<feed_up>().anew);
    const auto first = b.next_is<wire::event>();
    CHECK(first.id == 4);
    CHECK(first.type == "ServiceAdded");
    CHECK(first.service_key == "web.shop.kind");
    CHECK(b.next_is<feed_down>().why.code == "closed");
    CHECK_FALSE(b.next_is<feed_up>().anew);
    CHECK(b.next_is<wire::event>().id == 5);
    const auto asked = b.daemon.asked("GET /api/v1/events");
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].last_event.empty());
    CHECK(asked[1].last_event == "4");
}

TEST_CASE("another daemon's ids mean nothing, so its stream begins anew", "[event_feed]")
{
    bench b;
    b.daemon.up();
    b.info(7);
    b.info(8);
    b.events(event_text(900, "ServiceAdded"));
    b.events(event_text(1, "ServiceAdded"));
    b.next();
    b.next_is<wire::event>();
    b.next_is<feed_down>();
    CHECK(b.next_is<feed_up>().anew);
    CHECK(b.daemon.asked("GET /api/v1/events")[1].last_event.empty());
}

TEST_CASE("what was lost is told", "[event_feed]")
{
    bench b;
    b.daemon.up();
    b.info(7);
    b.events("event: dropped\ndata: {\"count\":12}\n\nevent: Novelty\ndata: [\n\n" + event_text(40, "ServiceRemoved"));
    b.next_is<feed_up>();
    CHECK(b.next_is<feed_lost>().count == 12);
    CHECK(b.next_is<wire::event>().id == 40);
}

TEST_CASE("a daemon that is down is told once and tried until it is back", "[event_feed]")
{
    bench b;
    b.info(7);
    b.events(event_text(1, "ServiceAdded"));
    CHECK(b.next_is<feed_down>().why.code == "daemon_not_running");
    b.clock.call_after(20s, [&] { b.daemon.up(); });
    CHECK(b.next_is<feed_up>().anew);
    CHECK(b.next_is<wire::event>().id == 1);
}

TEST_CASE("a refusal is told in the daemon's words", "[event_feed]")
{
    bench b;
    b.daemon.up();
    b.info(7);
    b.daemon.error("GET /api/v1/events", 503, R"({"code":"too_many_requests","message":"too many readers"})");
    CHECK(b.next_is<feed_down>().why.message == "too many readers");
}

TEST_CASE("a stream of events is read however it is cut", "[sse]")
{
    const std::string text =
        "id: 1\r\nevent: a\r\ndata: x\r\ndata: y\r\n\r\n: note\n\nid:2\ndata\n\nevent: none\n\ndata: " + std::string(80, 'z') +
        "\n\ndata:w\n\n";
    const auto step = GENERATE(1u, 2u, 7u, 1000u);
    sse_reader reader{64};
    std::vector<sse_event> seen;
    for (std::size_t at = 0; at < text.size(); at += step) {
        reader.feed(std::string_view{text}.substr(at, step));
        while (auto one = reader.next()) seen.push_back(*one);
    }
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].id == "1");
    CHECK(seen[0].type == "a");
    CHECK(seen[0].data == "x\ny");
    CHECK(seen[1].id == "2");
    CHECK(seen[1].data.empty());
    CHECK(seen[2].data == "w");
    CHECK(reader.dropped() == 1);
}
