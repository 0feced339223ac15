#include "common/async/short_slices.hpp"

#include <catch2/catch.hpp>

#include <sched.h>
#include <sys/resource.h>
#include <thread>

using namespace fwd;
using namespace std::chrono_literals;

TEST_CASE("who asks for short slices keeps its policy and its nice value", "[short_slices]")
{
    if (::sched_getscheduler(0) != SCHED_OTHER) return; // the whole run has another one
    std::thread asks{[] {
        const auto nice = ::getpriority(PRIO_PROCESS, 0);
        CHECK(ask_for_short_slices(500us));
        CHECK((::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER);
        CHECK(::getpriority(PRIO_PROCESS, 0) == nice);
    }};
    asks.join();
}

TEST_CASE("a thread of another policy is left as it is", "[short_slices]")
{
    std::thread asks{[] {
        const sched_param none{};
        REQUIRE(::sched_setscheduler(0, SCHED_BATCH, &none) == 0);
        CHECK_FALSE(ask_for_short_slices(500us));
        CHECK(::sched_getscheduler(0) == SCHED_BATCH);
    }};
    asks.join();
}
