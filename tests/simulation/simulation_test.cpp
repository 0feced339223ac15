// What a failing seed rests on: the same seed plays the same, and what goes wrong is noticed.
#include "tests/simulation/pattern.hpp"
#include "tests/simulation/world.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::simulation;

TEST_CASE("the same seed gives the same journal, byte for byte, and another one another", "[simulation]")
{
    const auto seed = GENERATE(std::uint64_t{3}, std::uint64_t{7}, std::uint64_t{52});
    world first{make_history(seed), true, true}, second{make_history(seed), true, true}, other{make_history(seed + 1), true, true};
    for (auto* one : {&first, &second, &other}) one->play();
    CHECK(first.log.text() == second.log.text());
    CHECK(first.log.digest() == second.log.digest());
    CHECK(first.log.digest() != other.log.digest());
    CHECK(first.log.text().size() > 1000);
}

TEST_CASE("a journal that is not kept has the same digest", "[simulation]")
{
    world kept{make_history(5), true, false}, counted{make_history(5), false, false};
    kept.play();
    counted.play();
    CHECK(counted.log.text().empty());
    CHECK(kept.log.digest() == counted.log.digest());
}

TEST_CASE("histories without faults break nothing", "[simulation]")
{
    const auto seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{9}));
    auto plan = make_history(seed);
    plan.faults.clear();
    world one{plan, false, false};
    one.play();
    CHECK(one.log.violations().empty());
    for (const auto& [id, client] : one.load->all())
        CHECK((client->what().how == outcome::end::answered || client->what().how == outcome::end::left));
}

TEST_CASE("a byte of another connection, a lost and a doubled one are found at their offset", "[simulation]")
{
    std::vector<std::byte> bytes(1000);
    fill(bytes, 17, direction::down, 12345);
    CHECK_FALSE(first_wrong(bytes, 17, direction::down, 12345));
    CHECK(first_wrong(bytes, 18, direction::down, 12345));
    CHECK(first_wrong(bytes, 17, direction::up, 12345));
    bytes[700] ^= std::byte{1};
    CHECK(first_wrong(bytes, 17, direction::down, 12345) == std::optional<std::uint64_t>{12345 + 700});
    fill(bytes, 17, direction::down, 12346);
    CHECK(first_wrong(bytes, 17, direction::down, 12345));
    CHECK(place_of(bytes, 17, direction::down, 20000) == std::optional<std::uint64_t>{12346});
}

TEST_CASE("who could have answered, and who could be hoped for", "[simulation]")
{
    const time_point zero{1000s};
    availability of;
    const auto put = [&](duration at, std::set<std::string> eligible, bool starting, bool closed = false) {
        of.now("shop/web", {zero + at, true, std::move(eligible), starting, closed});
    };
    put(0s, {"a"}, false);
    put(10s, {}, false);
    put(75s, {}, true);
    put(80s, {"b"}, false);
    put(90s, {}, false, true);
    CHECK(of.could_answer("shop/web", zero + 5s, zero + 20s, 200ms));
    CHECK_FALSE(of.could_answer("shop/web", zero + 9900ms, zero + 20s, 200ms));
    CHECK_FALSE(of.could_answer("shop/web", zero + 11s, zero + 79s, 200ms));
    CHECK(of.could_answer("shop/web", zero + 11s, zero + 81s, 200ms));
    CHECK(of.hope_throughout("shop/web", zero + 9s, zero + 60s, 60s));
    CHECK_FALSE(of.hope_throughout("shop/web", zero + 9s, zero + 72s, 60s)); // longer than a minute without any
    CHECK(of.hope_throughout("shop/web", zero + 76s, zero + 81s, 60s));
    CHECK_FALSE(of.hope_throughout("shop/web", zero + 91s, zero + 92s, 60s)); // scaled to zero
    CHECK_FALSE(of.hope_throughout("shop/web", zero + 91s, zero + 91s, 60s));
    CHECK(of.existed_throughout("shop/web", zero + 1s, zero + 100s));
    CHECK_FALSE(of.existed_throughout("shop/web", zero - 1s, zero + 1s));
}
