#include "bridge/tools/find.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::tools;

namespace {

wire::k8s_service service(std::string name, std::uint16_t port, std::string port_name = "")
{
    wire::k8s_service out;
    out.name = std::move(name);
    out.ports = {{std::move(port_name), port, "", "TCP"}};
    return out;
}

} // namespace

TEST_CASE("a query is what is meant and where", "[find]")
{
    const auto [query, words, place] = GENERATE(table<std::string, std::string, std::string>({
        {"postgres in staging", "postgres", "staging"},
        {"Postgres", "postgres", ""},
        {"the redis of shop", "redis", "shop"},
        {"redis in the shop namespace", "redis", "shop"},
        {"order api", "order-api", ""},
        {"cart-db", "cart-db", ""},
        {"database in shop", "database", "shop"},
    }));
    const auto got = parse_query(query);
    CHECK(got.words == words);
    CHECK(got.name_space == place);
}

TEST_CASE("a whole name beats a kind by evidence, that a usual port, that a part of a name", "[find]")
{
    CHECK(rate(service("postgres", 1), "postgres").worth == 4);
    CHECK(rate(service("orders", 1, "postgresql"), "postgres").worth == 3);
    CHECK(rate(service("orders-pg", 1), "postgres").worth == 3);
    CHECK(rate(service("orders", 5432), "postgres").worth == 2);
    CHECK(rate(service("mypostgresthing", 1), "postgres").worth == 1);
    CHECK(rate(service("web", 80), "postgres").worth == 0);
    CHECK(rate(service("orders", 1, "http-admin"), "http").worth == 3);
}

TEST_CASE("only the best matches are named", "[find]")
{
    const auto got = best_matches({service("redis-exporter", 9121), service("cache", 6379), service("redis", 1)}, "redis");
    REQUIRE(got.size() == 1);
    CHECK(got[0].service.name == "redis");
    CHECK(best_matches({service("web", 80)}, "kafka").empty());
}
