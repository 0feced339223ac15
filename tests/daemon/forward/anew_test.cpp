// Evidence on demand, over a whole engine and a simulated cluster.
#include "tests/daemon/forward/engine_bed.hpp"

using namespace fwd;
using namespace fwd::test;

namespace {

const std::string web = "web.shop.sim";

catalog::answer<std::monostate> sync(engine_bed& bed, const std::string& key)
{
    return bed.clock.run(bed.supervisor->sync(key, 10s));
}

} // namespace

TEST_CASE("a service that was connected anew has evidence afterwards and serves on", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop", catalog::wait_for::none).has_value());
    REQUIRE(bed.get("web").has_value());
    const std::vector<std::string> keys{web, "none.shop.sim"};
    bed.clock.run(bed.supervisor->reconnect(keys, 10s));
    CHECK(bed.service(web).state == catalog::service_state::active);
    CHECK(bed.service(web).forwards.at(0).verified);
    CHECK(bed.get("web").has_value());
}

TEST_CASE("a service without pods is no reason to wait", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop", catalog::wait_for::none).has_value());
    const auto begun = bed.clock.now();
    const std::vector<std::string> keys{"empty.shop.sim"};
    bed.clock.run(bed.supervisor->reconnect(keys, 10s));
    CHECK(bed.clock.now() - begun < 1s);
    CHECK(bed.service("empty.shop.sim").state != catalog::service_state::active);
}

TEST_CASE("a pod is tried when evidence is asked for", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("staging", catalog::wait_for::none).has_value());
    const std::string key = "web.staging.sim";
    CHECK_FALSE(bed.service(key).forwards.at(0).verified);
    bed.clock.run(bed.supervisor->prove(key, 10s));
    CHECK(bed.service(key).forwards.at(0).verified);
}

TEST_CASE("sync asks the cluster, and says when it does not know the service", "[engine]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop", catalog::wait_for::none).has_value());
    CHECK(sync(bed, web).has_value());
    CHECK(sync(bed, "none.shop.sim").error().why.is(errc::not_found));
}
