#include "daemon/forward/pod_choice.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::forward;

namespace {

target pod(const std::string& name)
{
    return {{"shop", name, "uid-" + name}, 8080};
}

const std::vector<target> three{pod("a"), pod("b"), pod("c")};

std::string chosen(std::map<std::string, pod_load> loads, std::size_t turn = 0, std::optional<kube::pod_ref> keep = {},
                   std::optional<kube::pod_ref> avoid = {})
{
    const auto at = choose_pod(
        three, [&](const target& t) { return loads[t.pod.name]; }, turn, keep, avoid);
    REQUIRE(at.has_value());
    return three[*at].pod.name;
}

} // namespace

TEST_CASE("fewest open connections win, then an open tunnel, then the next in turn", "[pod_choice]")
{
    CHECK(chosen({{"a", {2, true, false}}, {"b", {1, true, false}}, {"c", {1, true, false}}}) == "b");
    CHECK(chosen({{"a", {1, false, false}}, {"b", {1, false, false}}, {"c", {1, true, false}}}) == "c");
    CHECK(chosen({}, 0) == "a");
    CHECK(chosen({}, 1) == "b");
    CHECK(chosen({}, 5) == "c");
}

TEST_CASE("a sticky service keeps its pod whatever the load", "[pod_choice]")
{
    CHECK(chosen({{"b", {9, true, false}}}, 0, three[1].pod) == "b");
    CHECK(chosen({}, 0, pod("gone").pod) == "a");
}

TEST_CASE("a pod that backs off or has just failed comes last, not never", "[pod_choice]")
{
    CHECK(chosen({{"a", {0, true, true}}, {"b", {7, true, false}}, {"c", {8, true, false}}}) == "b");
    CHECK(chosen({}, 0, {}, three[0].pod) == "b");
    const std::vector<target> alone{pod("a")};
    const auto at = choose_pod(
        alone,
        [](const target&) {
            return pod_load{3, false, true};
        },
        0, {}, alone[0].pod);
    CHECK(at == std::optional<std::size_t>{0});
}

TEST_CASE("nobody is chosen where nobody is eligible", "[pod_choice]")
{
    CHECK_FALSE(choose_pod({}, [](const target&) { return pod_load{}; }, 3, {}, {}).has_value());
}
