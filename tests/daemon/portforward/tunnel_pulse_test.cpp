#include "daemon/portforward/tunnel_pulse.hpp"

#include <catch2/catch.hpp>

using namespace fwd::portforward;
using namespace std::chrono_literals;
using advice = tunnel_pulse::advice;

namespace {

const fwd::time_point start{1000s};
const tunnel_pulse::limits usual{15s, 10s, 4s};

} // namespace

TEST_CASE("a tunnel that speaks is not asked", "[pulse]")
{
    tunnel_pulse pulse{usual, start};
    pulse.heard(start + 10s);
    CHECK(pulse.advise(start + 15s, true) == advice::nothing);
    CHECK(pulse.next() == start + 25s);
    CHECK(pulse.advise(start + 25s, true) == advice::ping);
}

TEST_CASE("nothing is judged while we do not read, and silence counts from when we do", "[pulse]")
{
    tunnel_pulse pulse{usual, start};
    CHECK(pulse.advise(start + 15s, true) == advice::ping);
    pulse.asked(1, 1, start + 15s);
    CHECK(pulse.advise(start + 25s, false) == advice::nothing);
    CHECK(pulse.advise(start + 1000s, false) == advice::nothing);
    pulse.able_again(start + 1000s);
    CHECK(pulse.advise(start + 1009s, true) == advice::nothing);
    CHECK(pulse.advise(start + 1010s, true) == advice::ping_all_queues);
}

TEST_CASE("a pong ends the question, whichever question it answers", "[pulse]")
{
    tunnel_pulse pulse{usual, start};
    REQUIRE(pulse.advise(start + 15s, true) == advice::ping);
    pulse.asked(1, 1, start + 15s);
    SECTION("the first")
    {
        pulse.pong(1);
    }
    SECTION("the first, late")
    {
        REQUIRE(pulse.advise(start + 25s, true) == advice::ping_all_queues);
        pulse.asked(3, 11, start + 25s);
        pulse.pong(1);
    }
    SECTION("all of the others")
    {
        REQUIRE(pulse.advise(start + 25s, true) == advice::ping_all_queues);
        pulse.asked(3, 11, start + 25s);
        for (const std::uint32_t id : {3, 5, 7, 9, 11}) pulse.pong(id);
    }
    pulse.heard(start + 26s);
    CHECK(pulse.advise(start + 30s, true) == advice::nothing);
    CHECK(pulse.next() == start + 41s);
}

TEST_CASE("some pongs retire, none kill", "[pulse]")
{
    tunnel_pulse pulse{usual, start};
    REQUIRE(pulse.advise(start + 15s, true) == advice::ping);
    pulse.asked(1, 1, start + 15s);
    REQUIRE(pulse.advise(start + 25s, true) == advice::ping_all_queues);
    pulse.asked(3, 11, start + 25s);
    SECTION("some")
    {
        pulse.pong(5);
        pulse.heard(start + 26s);
        CHECK(pulse.advise(start + 29s, true) == advice::retire);
    }
    SECTION("none")
    {
        CHECK(pulse.advise(start + 28s, true) == advice::nothing);
        CHECK(pulse.advise(start + 29s, true) == advice::dead);
    }
}

TEST_CASE("a probe makes a tunnel suspect until anything is heard", "[pulse]")
{
    tunnel_pulse pulse{usual, start};
    pulse.heard(start + 1s);
    pulse.probe(false);
    CHECK(pulse.suspect());
    REQUIRE(pulse.advise(start + 2s, true) == advice::ping);
    pulse.asked(1, 1, start + 2s);
    CHECK(pulse.suspect());
    pulse.heard(start + 3s);
    CHECK_FALSE(pulse.suspect());
}

TEST_CASE("a probe in a hurry gives two seconds for anything at all, unless something is at stake by then", "[pulse]")
{
    const bool at_stake = GENERATE(false, true), answered = GENERATE(false, true);
    tunnel_pulse pulse{usual, start};
    pulse.probe(true);
    REQUIRE(pulse.advise(start + 1s, true) == advice::ping);
    pulse.asked(1, 1, start + 1s);
    CHECK(pulse.advise(start + 2900ms, true) == advice::nothing);
    if (at_stake) pulse.no_hurry();
    if (answered) pulse.heard(start + 2900ms);
    CHECK(pulse.advise(start + 3s, true) == (at_stake || answered ? advice::nothing : advice::dead));
    if (at_stake || answered) CHECK(pulse.advise(start + 11s, true) == advice::ping_all_queues);
}
