#include "common/text.hpp"

#include <catch2/catch.hpp>

using namespace fwd;

TEST_CASE("a time is written as RFC 3339 has it, to the millisecond below", "[text]")
{
    CHECK(rfc3339(wall_time{}) == "1970-01-01T00:00:00.000Z");
    CHECK(rfc3339(wall_time{-1ns}) == "1969-12-31T23:59:59.999Z");
    CHECK(rfc3339(wall_time{1'800'000'000s + 1'999'999ns}) == "2027-01-15T08:00:00.001Z");
    for (const auto* text :
         {"1999-12-31T23:59:59.999Z", "2000-02-29T12:34:56.789Z", "2024-02-29T00:00:00.000Z", "2100-03-01T09:10:11.010Z"})
        CHECK(rfc3339(parse_rfc3339(text).value()) == text);
}
