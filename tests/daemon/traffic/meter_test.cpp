#include "daemon/traffic/meter.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace fwd;
using namespace fwd::traffic;

namespace {

wall_time at(std::int64_t second)
{
    return wall_time{std::chrono::seconds{1'700'000'000 + second}};
}

} // namespace

TEST_CASE("rates are what moved between two samples", "[traffic]")
{
    meter one;
    one.sample(at(-1), at(0), {100, 10});
    CHECK(one.rate().in == 100);
    one.sample(at(0), at(2), {300, 10});
    CHECK(one.rate().in == 100);
    CHECK(one.rate().out == 0);
    CHECK(one.stirred());
    one.sample(at(2), at(3), {300, 10});
    CHECK(one.rate().in == 0);
    CHECK(one.stirred()); // the rate that was shown has ended
    one.sample(at(3), at(4), {300, 10});
    CHECK_FALSE(one.stirred());
    CHECK(one.total() == amounts{300, 10});
}

TEST_CASE("history of several meters adds up to their totals at each second", "[traffic]")
{
    meter a, b;
    a.sample(at(0), at(1), {10, 0});
    b.sample(at(0), at(1), {0, 5});
    a.sample(at(2), at(3), {40, 0});
    b.sample(at(2), at(3), {0, 5});
    const std::array<const meter*, 2> both{&a, &b};
    const auto past = history(both, at(4), 4);
    REQUIRE(past.size() == 4);
    CHECK(past[0].at == at(1));
    CHECK(past[0].total == amounts{10, 5});
    CHECK(past[0].rate_out == 5);
    CHECK(past[1].total == amounts{10, 5});
    CHECK(past[1].rate_in == 0);
    CHECK(past[2].total == amounts{40, 5});
    CHECK(past[2].rate_in == 30);
    CHECK(past[3].total == amounts{40, 5});
    CHECK(history(both, at(4), 1000).size() == 300);
    CHECK(history({}, at(4), 2).at(1).total == amounts{});
}

TEST_CASE("five minutes are kept, and a clock that is set back loses no byte", "[traffic]")
{
    meter one;
    one.sample(at(-1), at(0), {1, 0});
    one.sample(at(9), at(10), {2, 0});
    one.sample(at(10), at(5), {4, 0});
    CHECK(one.moved_in(1'700'000'010).in == 3);
    one.sample(at(309), at(310), {5, 0});
    CHECK(one.moved_in(1'700'000'000) == amounts{});
    CHECK(one.moved_in(1'700'000'010) == amounts{});
    CHECK(one.moved_in(1'700'000'310).in == 1);
}
