#include "bridge/service_words.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::bridge;

TEST_CASE("services are named in four ways, namespaces by a slash", "[words]")
{
    const auto [text, service, name_space, context, key] = GENERATE(table<std::string, std::string, std::string, std::string, std::string>({
        {"web", "web", "", "", "web"},
        {"web.shop", "web", "shop", "", "web.shop"},
        {"web.shop.kind", "web", "shop", "kind", "web.shop.kind"},
        {"web.shop.arn:aws:eks:eu/a.b", "web", "shop", "arn:aws:eks:eu/a.b", "web.shop.arn:aws:eks:eu/a.b"},
        {"shop/web", "web", "shop", "", "web.shop"},
        {"shop/", "", "shop", "", "shop"},
    }));
    const auto words = parse_service_words(text);
    REQUIRE(words.has_value());
    CHECK(words->service == service);
    CHECK(words->name_space == name_space);
    CHECK(words->context == context);
    CHECK(words->key() == key);
}

TEST_CASE("what names no service says how one is named", "[words]")
{
    const std::string text = GENERATE("", ".", "web.", "Web", "web..kind", "web.shop.", "/", "/web", "a/b/c", "web shop", "-x");
    const auto words = parse_service_words(text);
    REQUIRE(words.has_error());
    CHECK(words.error().is(errc::invalid_request));
}

TEST_CASE("what is said apart fills the gaps and must not differ", "[words]")
{
    const auto words = parse_service_words("web").value();
    CHECK(with_place(words, "shop", "kind")->key() == "web.shop.kind");
    CHECK(with_place(parse_service_words("shop/web").value(), "shop", "")->key() == "web.shop");
    const auto two = with_place(parse_service_words("web.shop").value(), "staging", "");
    REQUIRE(two.has_error());
    CHECK_THAT(two.error().message(), Catch::Contains("'shop'") && Catch::Contains("'staging'"));
}
