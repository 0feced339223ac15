#include "bridge/mcp/stdio.hpp"

#include "tests/support/run.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

using namespace fwd;
using namespace fwd::mcp;

namespace {

struct pipes {
    int in[2], out[2];
    pipes()
    {
        REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
        REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
        std::signal(SIGPIPE, SIG_IGN);
    }
    void say(std::string_view text) const { REQUIRE(::write(in[1], text.data(), text.size()) == static_cast<ssize_t>(text.size())); }
    std::string hear() const
    {
        std::array<char, 65536> room;
        const auto got = ::read(out[0], room.data(), room.size());
        return got > 0 ? std::string{room.data(), static_cast<std::size_t>(got)} : std::string{};
    }
};

awaitable<std::vector<std::string>> read_all(transport& wire)
{
    std::vector<std::string> lines;
    for (;;) {
        auto line = co_await wire.receive();
        if (!line) break;
        lines.push_back(*line ? line->value() : "too long");
    }
    co_return lines;
}

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("lines come from a pipe until it ends, also a last one without its newline", "[stdio]")
{
    asio::io_context loop{1};
    const auto clock = make_timing(loop.get_executor());
    pipes p;
    const auto wire = make_stdio(loop.get_executor(), *clock, p.in[0], p.out[1]);
    p.say("one\r\n\ntwo\nthree");
    ::close(p.in[1]);
    CHECK(test::run_on(loop, read_all(*wire)) == texts{"one", "two", "three"});
    ::close(p.out[0]);
}

TEST_CASE("plain files and /dev/null can be the input", "[stdio]")
{
    asio::io_context loop{1};
    const auto clock = make_timing(loop.get_executor());
    std::string path = "/tmp/fwd-stdio-test-XXXXXX";
    const int file = ::mkstemp(path.data());
    REQUIRE(file >= 0);
    ::unlink(path.c_str());
    REQUIRE(::write(file, "one\ntwo\n", 8) == 8);
    REQUIRE(::lseek(file, 0, SEEK_SET) == 0);
    const auto wire = make_stdio(loop.get_executor(), *clock, file, ::open("/dev/null", O_WRONLY | O_CLOEXEC));
    CHECK(test::run_on(loop, read_all(*wire)) == texts{"one", "two"});
    const auto empty =
        make_stdio(loop.get_executor(), *clock, ::open("/dev/null", O_RDONLY | O_CLOEXEC), ::open("/dev/null", O_WRONLY | O_CLOEXEC));
    CHECK(test::run_on(loop, read_all(*empty)).empty());
}

TEST_CASE("a message is one line, sent at once when the peer takes it", "[stdio]")
{
    asio::io_context loop{1};
    const auto clock = make_timing(loop.get_executor());
    pipes p;
    const auto wire = make_stdio(loop.get_executor(), *clock, p.in[0], p.out[1]);
    wire->send("{\"a\":1}");
    CHECK(p.hear() == "{\"a\":1}\n");
    ::close(p.in[1]);
    ::close(p.out[0]);
}

TEST_CASE("a peer that does not read blocks nobody, and gets everything in order later", "[stdio]")
{
    asio::io_context loop{1};
    const auto clock = make_timing(loop.get_executor());
    pipes p;
    const auto wire = make_stdio(loop.get_executor(), *clock, p.in[0], p.out[1]);
    std::string expected;
    for (int i = 0; i < 40; ++i) {
        const std::string message(10'000 + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
        wire->send(message);
        expected += message + "\n";
    }
    std::string got;
    while (got.size() < expected.size()) {
        got += p.hear();
        loop.restart();
        loop.poll();
    }
    CHECK(got == expected);
    ::close(p.in[1]);
    ::close(p.out[0]);
}

TEST_CASE("the last messages leave within the time that is given for it, and no longer", "[stdio]")
{
    asio::io_context loop{1};
    const auto clock = make_timing(loop.get_executor());
    pipes p;
    const auto wire = make_stdio(loop.get_executor(), *clock, p.in[0], p.out[1]);
    wire->send(std::string(300'000, 'x'));
    const auto before = clock->now();
    test::run_on(loop, wire->flush(30ms));
    CHECK(clock->now() - before >= 20ms); // poll counts whole milliseconds
    CHECK(clock->now() - before < 3s);
    ::close(p.in[1]);
    ::close(p.out[0]);
}

TEST_CASE("a peer that is gone is the end of input", "[stdio]")
{
    asio::io_context loop{1};
    const auto clock = make_timing(loop.get_executor());
    pipes p;
    const auto wire = make_stdio(loop.get_executor(), *clock, p.in[0], p.out[1]);
    ::close(p.out[0]);
    wire->send("anybody there?");
    CHECK(test::run_on(loop, read_all(*wire)).empty());
    ::close(p.in[1]);
}
