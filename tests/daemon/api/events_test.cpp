#include "daemon/api/sse.hpp"
#include "tests/daemon/api/running_api.hpp"

using namespace fwd;
using namespace fwd::test;

namespace {

std::unique_ptr<byte_stream> listen_to(running_api& daemon, const std::string& target, std::optional<int> after = {})
{
    auto over = daemon.connect();
    auto ask = daemon.request("GET", target);
    if (after) ask.fields.add("Last-Event-ID", std::to_string(*after));
    daemon.send(*over, wire_text(ask));
    return over;
}

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("a change arrives as an event with id, type and data", "[api]")
{
    running_api daemon;
    const auto over = listen_to(daemon, "/api/v1/events");
    const auto head = daemon.read_for(*over, 10ms);
    CHECK(head.starts_with("HTTP/1.1 200"));
    CHECK(has(head, "Content-Type: text/event-stream\r\n"));
    CHECK_FALSE(has(head, "Content-Length"));
    CHECK(head.ends_with("\r\n\r\n: open\n\n"));
    const auto last = daemon.bus.last_id();
    daemon.state.put(sample_service("cart", "shop", 80));
    const auto text = daemon.read_for(*over, 10ms);
    CHECK(text.starts_with("id: " + std::to_string(last + 1) +
                           "\nevent: ServiceAdded\ndata: {\"type\":\"ServiceAdded\",\"timestamp\":\"2026-"));
    CHECK(has(text, R"("data":{"serviceKey":"cart.shop.kind")"));
    CHECK(has(text, "event: PodAdded\n"));
    CHECK(text.ends_with("}\n\n"));
}

TEST_CASE("a reader gets only the types and services that it asked for", "[api]")
{
    running_api daemon;
    const auto over = listen_to(daemon, "/api/v1/events?type=serviceremoved,NamespaceAdded&type=ServiceAdded&service=cart");
    daemon.read_for(*over, 10ms);
    daemon.state.put(sample_service("cart", "shop", 80));
    daemon.state.put(sample_service("cartoon", "shop", 80));
    daemon.state.remove_service("cart.shop.kind");
    const auto text = daemon.read_for(*over, 10ms);
    CHECK(has(text, "event: ServiceAdded"));
    CHECK(has(text, "event: ServiceRemoved"));
    CHECK_FALSE(has(text, "PodAdded"));
    CHECK_FALSE(has(text, "cartoon"));
}

TEST_CASE("a reader that comes back gets what it missed, and how much is beyond recall", "[api]")
{
    running_api daemon; // keeps 16 events
    const auto seen = static_cast<int>(daemon.bus.last_id());
    daemon.state.remove_service("db.shop.kind");
    SECTION("all of it is still there")
    {
        const auto over = listen_to(daemon, "/api/v1/events", seen);
        const auto text = daemon.read_for(*over, 10ms);
        CHECK(has(text, "id: " + std::to_string(seen + 1) + "\nevent: ServiceRemoved"));
        CHECK_FALSE(has(text, "event: dropped"));
    }
    SECTION("some of it is not")
    {
        for (int i = 0; i < 20; ++i) daemon.bus.emit({.type = catalog::event_type::connection_opened});
        const auto over = listen_to(daemon, "/api/v1/events", seen);
        const auto text = daemon.read_for(*over, 10ms);
        CHECK(has(text, "event: dropped\ndata: {\"count\":5}\n\n"));
        CHECK(has(text, "id: " + std::to_string(seen + 6) + "\n"));
    }
    SECTION("an id of another run, ahead of ours")
    {
        const auto over = listen_to(daemon, "/api/v1/events", 5000);
        CHECK(has(daemon.read_for(*over, 10ms), "id: 1\n"));
    }
}

TEST_CASE("an id that is none is refused", "[api]")
{
    running_api daemon;
    auto ask = daemon.request("GET", "/api/v1/events");
    ask.fields.add("Last-Event-ID", "yesterday");
    CHECK(problem_of(daemon.ask(ask)).code == "invalid_request");
}

TEST_CASE("a quiet stream has a comment every 15 s", "[api]")
{
    running_api daemon;
    const auto over = listen_to(daemon, "/api/v1/events");
    daemon.read_for(*over, 1s);
    CHECK(daemon.read_for(*over, 13s).empty());
    CHECK(daemon.read_for(*over, 2s) == ": still here\n\n");
    CHECK(daemon.read_for(*over, 30s) == ": still here\n\n: still here\n\n");
}

TEST_CASE("a reader too slow for its queue is told how many it lost, and the rest is in order", "[api]")
{
    running_api daemon{{}, memory_pipe_options{.capacity = 1024}};
    const auto over = listen_to(daemon, "/api/v1/events");
    daemon.clock.advance(10ms);
    for (int i = 0; i < 100; ++i) {
        daemon.bus.emit({.type = catalog::event_type::connection_opened});
        daemon.clock.advance(1ms);
    }
    const auto text = daemon.read_for(*over, 1s);
    CHECK(has(text, "event: dropped\n"));
    CHECK(has(text, "id: " + std::to_string(daemon.bus.last_id()) + "\n"));
    CHECK(daemon.ask("GET", "/api/v1/info").status == 200);
}

TEST_CASE("a reader that went away is forgotten at once", "[api]")
{
    running_api daemon;
    auto over = listen_to(daemon, "/api/v1/events");
    daemon.read_for(*over, 10ms);
    CHECK(daemon.bus.readers() == 1);
    over.reset();
    daemon.clock.advance(10ms);
    CHECK(daemon.bus.readers() == 0);
}

TEST_CASE("a stopping daemon tells its readers and ends their streams", "[api]")
{
    running_api daemon;
    const auto over = listen_to(daemon, "/api/v1/events");
    daemon.read_for(*over, 10ms);
    daemon.bus.emit({.type = catalog::event_type::shutdown_started});
    auto end = [](api::server& of) -> awaitable<void> { co_await of.stop(); };
    daemon.clock.run(end(*daemon.face));
    CHECK(has(daemon.read_for(*over, 10ms), "event: ShutdownStarted\n"));
    CHECK(daemon.closed);
    CHECK(daemon.bus.readers() == 0);
}

TEST_CASE("HEAD of the event stream has no stream", "[api]")
{
    running_api daemon;
    const auto over = daemon.connect();
    daemon.send(*over, wire_text(daemon.request("HEAD", "/api/v1/events")));
    const auto text = daemon.read_for(*over, 1s);
    CHECK(text.starts_with("HTTP/1.1 200"));
    CHECK(text.ends_with("\r\n\r\n"));
    CHECK(daemon.bus.readers() == 0);
}
