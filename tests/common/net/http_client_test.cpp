#include "common/net/http_client.hpp"

#include "common/async/timeout.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

#include <boost/asio/detached.hpp>

using namespace fwd;

namespace {

/// A client's stream, and the far end that a test plays.
struct wire {
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    std::unique_ptr<byte_stream> near, far;

    explicit wire(test::memory_pipe_options options = {})
    {
        auto [a, b] = test::make_memory_pair(loop.get_executor(), options);
        near = make_byte_stream(std::move(a));
        far = make_byte_stream(std::move(b));
    }

    /// The far end sends `text`, and closes if asked to.
    void answer(std::string text, bool then_close = false) { asio::co_spawn(loop, serve(std::move(text), then_close), asio::detached); }

private:
    awaitable<void> serve(std::string text, bool then_close)
    {
        std::array<std::byte, 1024> asked;
        if (then_close) (co_await far->read_some(asked)).value(); // closing with bytes unread would be a reset
        auto sent = co_await far->write_all(as_bytes(text));
        if (!sent) throw std::runtime_error{sent.error().message()};
        if (then_close) far->close();
    }
};

http_request get(std::string target)
{
    http_request request;
    request.target = std::move(target);
    request.fields.add("Host", "h");
    return request;
}

} // namespace

TEST_CASE("an exchange gives the whole answer and says whether to go on", "[http]")
{
    const auto step = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{SIZE_MAX});
    wire over{{.most_per_step = step}};
    over.answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    const auto request = get("/a");
    auto done = over.clock.run(exchange(*over.near, request));
    REQUIRE(done.has_value());
    CHECK(done->response.status == 200);
    CHECK(done->response.body == "hello");
    CHECK(done->reusable);

    std::array<std::byte, 200> seen{};
    auto got = over.clock.run(over.far->read_some(seen));
    REQUIRE(got.has_value());
    CHECK(as_text(std::span{seen}.first(*got)).starts_with("G"));
}

TEST_CASE("an answer that ends with the connection is whole, and the connection is not used again", "[http]")
{
    wire over;
    over.answer("HTTP/1.1 200 OK\r\n\r\nhello", true);
    const auto request = get("/a");
    auto done = over.clock.run(exchange(*over.near, request));
    REQUIRE(done.has_value());
    CHECK(done->response.body == "hello");
    CHECK_FALSE(done->reusable);
}

TEST_CASE("bytes behind an answer that nobody asked for end the reuse", "[http]")
{
    wire over;
    over.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
    const auto request = get("/a");
    auto done = over.clock.run(exchange(*over.near, request));
    REQUIRE(done.has_value());
    CHECK(done->response.body == "ok");
    CHECK_FALSE(done->reusable);
}

TEST_CASE("an answer cut short is an error", "[http]")
{
    const auto* text = GENERATE("", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    wire over;
    over.answer(text, true);
    const auto request = get("/a");
    auto done = over.clock.run(exchange(*over.near, request));
    REQUIRE(done.has_error());
    CHECK(done.error().is(errc::closed));
}

TEST_CASE("a streamed body comes piece by piece", "[http]")
{
    wire over;
    over.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n");
    http_body_reader reader{*over.near};
    const auto request = get("/watch");
    auto opened = over.clock.run(reader.open(request));
    REQUIRE(opened.has_value());
    CHECK(opened->status == 200);
    CHECK(over.clock.run(reader.next()).value() == "one\n");
    CHECK_FALSE(reader.reusable());
    over.answer("4\r\ntwo\n\r\n0\r\n\r\n");
    CHECK(over.clock.run(reader.next()).value() == "two\n");
    CHECK(over.clock.run(reader.next()).value().empty());
    CHECK(reader.reusable());
}

TEST_CASE("a streamed body that is cut is an error, not an end", "[http]")
{
    wire over;
    over.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\non", true);
    http_body_reader reader{*over.near};
    const auto request = get("/watch");
    REQUIRE(over.clock.run(reader.open(request)).has_value());
    CHECK(over.clock.run(reader.next()).value() == "on");
    CHECK(over.clock.run(reader.next()).has_error());
}

TEST_CASE("an upgrade hands over the bytes behind the header", "[http]")
{
    wire over;
    over.answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n\x80\x03");
    const auto request = get("/portforward");
    auto done = over.clock.run(upgrade(*over.near, request));
    REQUIRE(done.has_value());
    CHECK(done->response.status == 101);
    CHECK(done->rest == "\x80\x03");
}

TEST_CASE("a refused upgrade has its reason", "[http]")
{
    wire over;
    over.answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nno way");
    const auto request = get("/portforward");
    auto done = over.clock.run(upgrade(*over.near, request));
    REQUIRE(done.has_value());
    CHECK(done->response.status == 403);
    CHECK(done->response.body == "no way");
}

TEST_CASE("CONNECT's 200 has no body", "[http]")
{
    wire over;
    over.answer("HTTP/1.1 200 Connection established\r\n\r\nxyz");
    auto request = get("a:1");
    request.method = "CONNECT";
    auto done = over.clock.run(upgrade(*over.near, request));
    REQUIRE(done.has_value());
    CHECK(done->rest == "xyz");
}

TEST_CASE("a read that is cancelled by a time limit leaves nothing behind", "[net]")
{
    wire over;
    std::array<std::byte, 10> chunk;
    auto got = over.clock.run(with_timeout(over.clock, 5s, over.near->read_some(chunk)));
    REQUIRE(got.has_error());
    CHECK(got.error().is(errc::timed_out));
    over.answer("late");
    over.clock.settle();
    CHECK(over.clock.run(over.near->read_some(chunk)).value() == 4);
}

TEST_CASE("a stream may be destroyed while a coroutine waits on it", "[net]")
{
    wire over;
    std::array<std::byte, 10> chunk;
    bool resumed = false;
    asio::co_spawn(
        over.loop,
        [](byte_stream& from, std::span<std::byte> into, bool& resumed) -> awaitable<void> {
            auto got = co_await from.read_some(into);
            resumed = got.has_value();
        }(*over.near, chunk, resumed),
        asio::detached);
    over.clock.settle();
    over.near.reset();
    over.clock.settle();
    CHECK_FALSE(resumed);
}

TEST_CASE("after release the stream says closed", "[net]")
{
    wire over;
    auto beneath = over.near->release();
    REQUIRE(beneath != nullptr);
    std::array<std::byte, 10> chunk;
    CHECK(over.clock.run(over.near->read_some(chunk)).error().is(errc::closed));
    CHECK(over.clock.run(over.near->write_all(chunk)).error().is(errc::closed));
}
