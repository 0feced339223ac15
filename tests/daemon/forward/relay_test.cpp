#include "daemon/forward/relay.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::forward;
using portforward::pair_failure;

namespace {

/// A tunnel whose far end is the test.
struct scripted_transport final : portforward::transport {
    struct end final : portforward::pair {
        end(scripted_transport& t, portforward::pair_sink& s) : of{t}, sink{s} {}
        ~end() override { --of.open_pairs; }
        std::span<const iovec> write_room() override
        {
            if (full) return {};
            place = {buffer.data(), buffer.size()};
            return {&place, 1};
        }
        void commit(std::size_t bytes) override
        {
            of.sent.append(reinterpret_cast<const char*>(buffer.data()), bytes);
            count += bytes;
        }
        void finish() override { of.finished = true; }
        void reset() override { of.was_reset = true; }
        void choke(bool yes) override { of.choked = yes; }
        std::uint64_t sent() const override { return count; }

        scripted_transport& of;
        portforward::pair_sink& sink;
        std::array<std::byte, 32 * 1024> buffer;
        iovec place{};
        std::uint64_t count = 0;
        bool full = false;
    };

    std::unique_ptr<portforward::pair> open(std::uint16_t p, portforward::pair_sink& sink) override
    {
        port = p;
        ++open_pairs;
        ++opened;
        auto made = std::make_unique<end>(*this, sink);
        last = made.get();
        return made;
    }
    bool usable() const override { return true; }
    bool stalled() const override { return choked; }
    std::size_t pairs() const override { return open_pairs; }
    std::size_t most_pairs() const override { return 4; }
    portforward::transport_kind kind() const override { return portforward::transport_kind::spdy; }
    void retire() override {}
    void probe() override {}
    void close() override {}

    void say(const std::string& text)
    {
        last->sink.on_data({reinterpret_cast<const std::byte*>(text.data()), text.size()});
        last->sink.on_drained();
    }

    end* last = nullptr;
    std::uint16_t port = 0;
    std::size_t open_pairs = 0, opened = 0;
    std::string sent;
    bool finished = false, was_reset = false, choked = false;
};

struct bed : relay_events {
    explicit bed(half_close half = half_close::lazy)
    {
        auto [mine, client] = test::make_memory_pair(loop.get_executor());
        far = std::move(client);
        one = std::make_unique<relay>(std::move(mine), relay_parts{clock, limits, budget}, traffic, half, *this);
    }
    void answered() override { ++answers; }
    void bulk() override { ++bulks; }
    void may_retry(pair_failure why, std::string) override { retry = why; }
    void over(std::optional<pair_failure> why, std::string) override
    {
        ++ended;
        ended_by = why;
    }
    void client_says(const std::string& text)
    {
        const iovec piece{const_cast<char*>(text.data()), text.size()};
        REQUIRE(far->try_writev({&piece, 1}).bytes == text.size());
        clock.settle();
    }
    std::string client_hears()
    {
        std::string all;
        std::array<std::byte, 64 * 1024> chunk;
        for (;;) {
            const auto step = far->try_read(chunk);
            saw_end = step.what == io_step::state::end;
            saw_reset = step.what == io_step::state::failed;
            if (step.what != io_step::state::moved) return all;
            all.append(reinterpret_cast<const char*>(chunk.data()), step.bytes);
            clock.settle();
        }
    }

    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    relay_limits limits;
    backlog_budget budget;
    std::shared_ptr<catalog::counters> traffic = std::make_shared<catalog::counters>();
    scripted_transport tunnel;
    std::unique_ptr<data_stream> far;
    std::unique_ptr<relay> one;
    int answers = 0, bulks = 0, ended = 0;
    std::optional<pair_failure> ended_by, retry;
    bool saw_end = false, saw_reset = false;
};

} // namespace

TEST_CASE("what the client said before the tunnel was there goes with its opening", "[relay]")
{
    bed b;
    b.client_says("GET /");
    b.one->start(b.tunnel, 8080);
    CHECK(b.tunnel.port == 8080);
    CHECK(b.tunnel.sent == "GET /");
    b.tunnel.say("200");
    CHECK(b.client_hears() == "200");
    CHECK(b.answers == 1);
    CHECK(b.traffic->bytes_out == 5);
    CHECK(b.traffic->bytes_in == 3);
}

TEST_CASE("a lazy half-close is passed on when the pod has been silent for two seconds", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.client_says("ask");
    b.far->shutdown_write();
    b.clock.settle();
    for (int i = 0; i < 10; ++i) { // ten seconds of an answer
        b.clock.advance(1s);
        CHECK_FALSE(b.tunnel.finished);
        b.tunnel.say("part");
    }
    b.clock.advance(1900ms);
    CHECK_FALSE(b.tunnel.finished);
    b.clock.advance(200ms);
    CHECK(b.tunnel.finished);
    CHECK(b.client_hears().size() == 40);
    CHECK(b.ended == 0);
}

TEST_CASE("the pod's silence before a half-close counts for nothing", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.tunnel.say("greeting");
    b.clock.advance(10s);
    b.client_says("ask");
    b.far->shutdown_write();
    b.clock.settle();
    b.clock.advance(1900ms);
    CHECK_FALSE(b.tunnel.finished);
    b.clock.advance(200ms);
    CHECK(b.tunnel.finished);
}

TEST_CASE("an eager half-close is passed on at once, and a lazy one after thirty seconds at most", "[relay]")
{
    bed eager{half_close::eager};
    eager.one->start(eager.tunnel, 80);
    eager.far->shutdown_write();
    eager.clock.settle();
    CHECK(eager.tunnel.finished);

    bed lazy;
    lazy.one->start(lazy.tunnel, 80);
    lazy.far->shutdown_write();
    lazy.clock.settle();
    for (int i = 0; i < 31 && !lazy.tunnel.finished; ++i) {
        lazy.clock.advance(1s);
        lazy.tunnel.say("x");
    }
    CHECK(lazy.tunnel.finished);
}

TEST_CASE("a client that does not read chokes its tunnel, and loses no byte when it reads again", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    const std::string block(256 * 1024, 'x');
    std::size_t said = 0;
    while (!b.tunnel.choked && said < 64u << 20) {
        b.tunnel.say(block);
        said += block.size();
    }
    CHECK(b.tunnel.choked);
    CHECK(said <= 2u << 20);
    CHECK(b.client_hears().size() == said);
    CHECK_FALSE(b.tunnel.choked);
}

TEST_CASE("the pod's end reaches the client after all bytes, and late words of the client reset nothing", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.tunnel.say("bye");
    b.tunnel.last->sink.on_end();
    b.clock.settle();
    CHECK(b.client_hears() == "bye");
    CHECK(b.saw_end);
    b.client_says("too late");
    CHECK(b.ended == 0);
    b.clock.advance(1100ms);
    CHECK(b.ended == 1);
    CHECK_FALSE(b.ended_by.has_value());
    b.client_hears();
    CHECK_FALSE(b.saw_reset);
}

TEST_CASE("a refused port may be tried again with what the client said, and then says it once", "[relay]")
{
    scripted_transport other; // outlives the relay, as tunnels do
    bed b;
    b.client_says("hello");
    b.one->start(b.tunnel, 80);
    b.tunnel.last->sink.on_failed(pair_failure::refused, "connection refused");
    CHECK(b.retry == pair_failure::refused);
    CHECK(b.ended == 0);
    b.one->start(other, 80);
    CHECK(other.sent == "hello");
    other.say("ok");
    CHECK(b.client_hears() == "ok");
}

TEST_CASE("a tunnel lost after bytes of the client went in is never tried again", "[relay]")
{
    bed b;
    b.client_says("POST /pay");
    b.one->start(b.tunnel, 80);
    b.tunnel.last->sink.on_failed(pair_failure::tunnel_lost, "");
    CHECK_FALSE(b.retry.has_value());
    CHECK(b.ended == 1);
    b.client_hears();
    CHECK(b.saw_reset);
}

TEST_CASE("nor after an answer, whatever the reason", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.tunnel.say("220 hello");
    b.tunnel.last->sink.on_failed(pair_failure::refused, "");
    CHECK_FALSE(b.retry.has_value());
    CHECK(b.ended == 1);
}

TEST_CASE("more than the replay holds makes a refusal final", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.client_says(std::string(20 * 1024, 'a'));
    b.tunnel.last->sink.on_failed(pair_failure::refused, "");
    CHECK_FALSE(b.retry.has_value());
    CHECK(b.ended == 1);
}

TEST_CASE("a client that resets in the middle resets its pair", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.tunnel.say("some");
    b.far->reset();
    b.clock.settle();
    CHECK(b.tunnel.was_reset);
    CHECK(b.ended == 1);
    CHECK_FALSE(b.ended_by.has_value());
    CHECK(b.tunnel.open_pairs == 0);
}

TEST_CASE("a full tunnel pauses the client until there is room", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.tunnel.last->full = true;
    b.client_says("first");
    CHECK(b.tunnel.sent.empty());
    b.tunnel.last->full = false;
    b.tunnel.last->sink.on_writable();
    b.clock.settle();
    CHECK(b.tunnel.sent == "first");
}

TEST_CASE("a connection is told to be bulk once, when a quarter of a megabyte has passed", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.tunnel.say(std::string(200 * 1024, 'x'));
    CHECK(b.bulks == 0);
    b.tunnel.say(std::string(100 * 1024, 'x'));
    b.tunnel.say(std::string(300 * 1024, 'x'));
    CHECK(b.bulks == 1);
}

TEST_CASE("a client that closed altogether keeps no descriptor, and its end is the pod's at once", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.client_says("fire and forget");
    b.far->close();
    b.clock.settle();
    CHECK(b.tunnel.sent == "fire and forget");
    CHECK(b.tunnel.finished);
    CHECK_FALSE(b.tunnel.was_reset);
    CHECK(b.one->closing());
    CHECK(b.ended == 0);
    b.tunnel.last->sink.on_end();
    b.clock.settle();
    CHECK(b.ended == 1);
    CHECK_FALSE(b.ended_by.has_value());
    CHECK(b.clock.empty());
}

TEST_CASE("a pod that goes on talking to a client that is gone is reset, and one that never ends is given up", "[relay]")
{
    bed talks;
    talks.one->start(talks.tunnel, 80);
    talks.far->close();
    talks.clock.settle();
    talks.tunnel.say("hello?");
    CHECK(talks.tunnel.was_reset);
    CHECK(talks.ended == 1);

    bed silent;
    silent.one->start(silent.tunnel, 80);
    silent.far->close();
    silent.clock.settle();
    CHECK(silent.ended == 0);
    silent.clock.advance(31s);
    CHECK(silent.ended == 1);
}

TEST_CASE("a client that half-closed and then closed is noticed while the pod is silent", "[relay]")
{
    bed b{half_close::never};
    b.one->start(b.tunnel, 80);
    b.far->shutdown_write();
    b.clock.advance(10s);
    CHECK_FALSE(b.tunnel.finished);
    b.far->close();
    b.clock.advance(3s);
    CHECK(b.one->closing());
    CHECK(b.tunnel.finished);
}

TEST_CASE("a lazy half-close never cuts a long answer, however long it takes", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.far->shutdown_write();
    b.clock.settle();
    for (int i = 0; i < 120; ++i) {
        b.clock.advance(1s);
        b.tunnel.say(std::string(16 * 1024, 'x'));
        REQUIRE(b.client_hears().size() == 16 * 1024);
        REQUIRE_FALSE(b.tunnel.finished);
    }
    b.clock.advance(2100ms);
    CHECK(b.tunnel.finished);
}

TEST_CASE("beyond the memory of all, any client that does not read stops its tunnel", "[relay]")
{
    bed b;
    b.budget.most = 100 * 1024;
    b.budget.used = 90 * 1024; // of others
    b.one->start(b.tunnel, 80);
    b.tunnel.say(std::string(64 * 1024, 'x')); // what the client's side holds
    CHECK(b.budget.used == 90 * 1024);
    b.tunnel.say(std::string(8 * 1024, 'x'));
    CHECK_FALSE(b.tunnel.choked);
    b.tunnel.say(std::string(8 * 1024, 'x'));
    CHECK(b.tunnel.choked);
    CHECK(b.budget.used == 106 * 1024);
    b.client_hears();
    CHECK(b.budget.used == 90 * 1024);
    CHECK_FALSE(b.tunnel.choked);
}

TEST_CASE("a stalled connection that ends gives its memory back", "[relay]")
{
    const bool by_client = GENERATE(true, false);
    bed b;
    b.one->start(b.tunnel, 80);
    for (int i = 0; i < 10; ++i) b.tunnel.say(std::string(256 * 1024, 'x'));
    CHECK(b.budget.used > 1024 * 1024);
    if (by_client)
        b.far->reset();
    else
        b.one->abort();
    b.clock.settle();
    CHECK(b.budget.used == (by_client ? 0 : b.budget.used));
    b.one.reset();
    CHECK(b.budget.used == 0);
}

TEST_CASE("a client that resets while the tunnel takes nothing is noticed", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.tunnel.last->full = true;
    b.client_says("upload");
    b.clock.advance(10s);
    CHECK(b.ended == 0);
    b.far->reset();
    b.clock.advance(3s);
    CHECK(b.ended == 1);
    CHECK(b.tunnel.was_reset);
}

TEST_CASE("a client that is done while the tunnel takes nothing loses no byte", "[relay]")
{
    bed b;
    b.one->start(b.tunnel, 80);
    b.tunnel.last->full = true;
    b.client_says("upload");
    b.far->close();
    b.clock.advance(10s);
    CHECK(b.ended == 0);
    b.tunnel.last->full = false;
    b.tunnel.last->sink.on_writable();
    b.clock.settle();
    CHECK(b.tunnel.sent == "upload");
    CHECK(b.tunnel.finished);
}

TEST_CASE("what a client that is gone had said goes to another pod where the first refused", "[relay]")
{
    scripted_transport other; // outlives the relay, as tunnels do
    bed b;
    b.client_says("event");
    b.far->close();
    b.one->start(b.tunnel, 80);
    b.clock.settle();
    b.tunnel.last->sink.on_failed(pair_failure::refused, "connection refused");
    REQUIRE(b.retry == pair_failure::refused);
    b.one->start(other, 80);
    CHECK(other.sent == "event");
    CHECK(other.finished);
}

TEST_CASE("who waits is gone with nothing said, but not while an answer to what was said is awaited", "[relay]")
{
    bed silent;
    CHECK_FALSE(silent.one->abandoned());
    silent.far->shutdown_write();
    CHECK(silent.one->abandoned());

    bed asked;
    asked.client_says("GET /");
    asked.far->shutdown_write();
    CHECK_FALSE(asked.one->abandoned());
    asked.one->start(asked.tunnel, 80);
    asked.clock.settle();
    asked.tunnel.last->sink.on_failed(pair_failure::refused, "connection refused");
    REQUIRE(asked.retry == pair_failure::refused);
    CHECK_FALSE(asked.one->abandoned()); // it read nothing yet, and may
    asked.far->close();
    CHECK(asked.one->abandoned());
}
