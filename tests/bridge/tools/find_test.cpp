#include "bridge/tools/find.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::tools;

TEST_CASE("a query is what is meant and where", "[find]")
{
    const auto [query, words, place] = GENERATE(table<std::string, std::string, std::string>({
        {"postgres in staging", "postgres", "staging"},
        {"Postgres", "postgres", ""},
        {"the redis of shop", "redis", "shop"},
        {"redis in the shop namespace", "redis", "shop"},
        {"redis in namespace shop", "redis", "shop"},
        {"order api", "order api", ""},
        {"cart-db", "cart-db", ""},
        {"the orders database", "orders", ""},
        {"database in shop", "database", "shop"},
        {"in shop", "", "shop"},
    }));
    const auto got = parse_query(query);
    CHECK(got.words == words);
    CHECK(got.place == place);
}

TEST_CASE("only the best matches are named", "[find]")
{
    const auto one = [](std::string name, std::int64_t score) {
        wire::found_service out;
        out.name = std::move(name);
        out.score = score;
        return out;
    };
    const auto got = best_of({one("redis-exporter", 1), one("cache", 2), one("sessions", 2)});
    REQUIRE(got.size() == 2);
    CHECK(got[0].name == "cache");
    CHECK(best_of({}).empty());
}
