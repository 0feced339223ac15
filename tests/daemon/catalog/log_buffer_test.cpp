#include "daemon/catalog/log_buffer.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::catalog;

namespace {

struct bench {
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    log_buffer lines{loop.get_executor(), {.queue = 4, .replay = 6}};
    logger log{log_level::debug};
    bench() { log.add_sink(lines.sink()); }
    std::vector<std::string> last(std::size_t most, const line_filter& which = {})
    {
        clock.settle();
        std::vector<std::string> texts;
        for (const auto& one : lines.last(most, which)) texts.push_back(one.line.message);
        return texts;
    }
};

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("the last lines are kept, oldest first, up to the ring's size", "[log_buffer]")
{
    bench b;
    for (int i = 0; i < 9; ++i) b.log.info("line " + std::to_string(i));
    CHECK(b.last(3) == texts{"line 6", "line 7", "line 8"});
    CHECK(b.last(100).size() == 6);
    CHECK(b.lines.clear() == 6);
    CHECK(b.last(100).empty());
    b.log.info("after");
    CHECK(b.last(100) == texts{"after"});
    CHECK(b.lines.last(1, {}).front().id == 10);
}

TEST_CASE("lines are picked by level and by what stands in them, fields too", "[log_buffer]")
{
    bench b;
    b.log.debug("fine");
    b.log.warn("forward failed", {{"forward", "web.shop"}});
    b.log.error("gone");
    CHECK(b.last(9, {.least = log_level::warn}) == texts{"forward failed", "gone"});
    CHECK(b.last(9, {.search = "WEB.shop"}) == texts{"forward failed"});
}

TEST_CASE("a slow reader of the log is told what it lost", "[log_buffer]")
{
    bench b;
    const auto reader = b.lines.subscribe();
    for (int i = 0; i < 7; ++i) b.log.info("line " + std::to_string(i));
    b.clock.settle();
    CHECK(reader->take_dropped() == 3);
    REQUIRE(reader->take());
}

TEST_CASE("what looks like a credential never stands in the buffer", "[log_buffer]")
{
    bench b;
    const std::string token = "fwd_" + std::string(43, 'A');
    b.log.info("asked with " + token + " by someone", {{"header", "Bearer abc.def-123"},
                                                       {"Authorization", "Basic dTpw"},
                                                       {"password", "hunter2"},
                                                       {"file", "/home/u/.local/state/fwd/token"}});
    b.clock.settle();
    const auto line = b.lines.last(1, {}).front().line.as_text();
    for (const auto* secret : {"AAAA", "abc.def", "dTpw", "hunter2"}) CHECK(line.find(secret) == std::string::npos);
    CHECK(line.find("fwd_[hidden] by someone") != std::string::npos);
    CHECK(line.find("/home/u/.local/state/fwd/token") != std::string::npos);
}

TEST_CASE("the logger may outlive the buffer", "[log_buffer]")
{
    asio::io_context loop{1};
    logger log;
    {
        log_buffer lines{loop.get_executor()};
        log.add_sink(lines.sink());
    }
    log.info("nobody keeps this");
    CHECK(loop.poll() == 1);
}
