#include "daemon/kube/selector.hpp"

#include <catch2/catch.hpp>

using namespace fwd::kube;

TEST_CASE("selectors of every kind match what Kubernetes would match", "[selector]")
{
    struct row {
        std::string text;
        bool matches;
    };
    const labels of{{"app", "web"}, {"tier", "front"}, {"in", "x"}, {"example.com/a-b", "1.0"}};
    const auto each = GENERATE(values<row>({{"", true},
                                            {"app=web", true},
                                            {"app==web", true},
                                            {"app = web , tier=front", true},
                                            {"app=api", false},
                                            {"app!=api", true},
                                            {"app!=web", false},
                                            {"gone!=x", true},
                                            {"app in (api, web)", true},
                                            {"app in (api)", false},
                                            {"app notin (api)", true},
                                            {"app notin (web,api)", false},
                                            {"gone notin (a)", true},
                                            {"gone in (a)", false},
                                            {"app", true},
                                            {"gone", false},
                                            {"!gone", true},
                                            {"!app", false},
                                            {"in", true},
                                            {"in in (x)", true},
                                            {"example.com/a-b=1.0", true},
                                            {"app=,tier=front", false}}));
    const auto made = label_selector::parse(each.text);
    INFO(each.text);
    REQUIRE(made.has_value());
    CHECK(made->matches(of) == each.matches);
}

TEST_CASE("a selector that is none is told with its place", "[selector]")
{
    const auto text = GENERATE(as<std::string>{}, "=a", "a in", "a in (b", "a=b c=d", "a=b,", ",", "a in b", "!");
    const auto made = label_selector::parse(text);
    INFO(text);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().message().find("column") != std::string::npos);
}

TEST_CASE("a service's selector wants every pair, and an empty one selects nothing", "[selector]")
{
    CHECK(selects(labels{{"a", "1"}}, labels{{"a", "1"}, {"b", "2"}}));
    CHECK_FALSE(selects(labels{{"a", "1"}, {"b", "3"}}, labels{{"a", "1"}, {"b", "2"}}));
    CHECK_FALSE(selects(labels{}, labels{{"a", "1"}}));
    CHECK(selector_text({{"a", "1"}, {"b", "2"}}) == "a=1,b=2");
    CHECK(label_selector::of({{"a", "1"}}).matches({{"a", "1"}}));
}
