// The whole engine, a simulated cluster and history: what a developer who is stuck is told.
#include "common/text.hpp"
#include "daemon/forward/explainer.hpp"
#include "daemon/forward/recorder.hpp"
#include "daemon/store/database.hpp"
#include "tests/daemon/forward/engine_bed.hpp"

#include <filesystem>

using namespace fwd;
using namespace fwd::test;
using Catch::Matchers::Contains;

namespace {

struct explaining_bed : engine_bed {
    explicit explaining_bed(std::string file = ":memory:") : path{std::move(file)} { REQUIRE(clock.run(kept.open()).has_value()); }
    ~explaining_bed() { clock.run(kept.close()); }
    catalog::explanation explain(const std::string& any)
    {
        auto got = clock.run(why.explain(any, std::nullopt));
        if (!got) FAIL(got.error().why.message());
        return *got;
    }
    std::vector<past> all(past_kind kind)
    {
        past_question ask;
        ask.kind = kind;
        ask.most = 1000;
        auto found = clock.run(recorder.find(std::move(ask)));
        REQUIRE(found.has_value());
        return *found;
    }

    std::string path;
    store::database kept{path, *side, clock, loop.get_executor(), log};
    store::history rings{kept};
    forward::recorder recorder{events, rings, clock};
    forward::explainer why{state, *supervisor, recorder, clock};
};

bool tells(const catalog::explanation& of, std::string_view source, std::string_view kind, std::string_view words)
{
    return std::any_of(of.entries.begin(), of.entries.end(), [&](const auto& one) {
        return one.source == source && one.kind == kind && one.message.find(words) != std::string::npos;
    });
}

} // namespace

TEST_CASE("each odd service of the shop is explained by what is wrong with it", "[engine][explain]")
{
    explaining_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("web").has_value());
    CHECK(bed.explain("web").what.code == "works");
    CHECK(bed.explain("cart").what.code == "no_connections_yet");

    const auto crashing = bed.explain("crashing");
    CHECK(crashing.key == "crashing.shop.sim");
    CHECK(crashing.forwarded);
    CHECK(crashing.what.code == "crash_loop");
    CHECK_THAT(crashing.what.sentence, Contains("exit code 1, 7 restarts"));
    CHECK(tells(crashing, "container", "exit", "exit code 1"));
    CHECK(tells(crashing, "event", "back_off", "Back-off restarting"));
    CHECK(tells(crashing, "fwd", "error", "CrashLoopBackOff"));

    const auto probe = bed.explain("never-ready.shop");
    CHECK(probe.what.code == "not_ready");
    CHECK_THAT(probe.what.sentence, Contains("statuscode: 503 (42 times"));
    CHECK(bed.explain("external").what.code == "external_name");
    CHECK(bed.explain("manual").what.code == "no_selector");
    CHECK(bed.explain("empty").what.code == "selector_matches_nothing");
}

TEST_CASE("any name, address or URL of a service explains it", "[engine][explain]")
{
    explaining_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.forward_namespace("staging").has_value());
    const auto address = bed.host.names.at("web").text();
    for (const auto& name : {std::string{"web"}, std::string{"shop/web"}, std::string{"http://web:80/a"},
                             std::string{"web.shop.svc.cluster.local"}, address, address + ":80"}) {
        INFO(name);
        CHECK(bed.explain(name).key == "web.shop.sim");
    }
    CHECK(bed.explain("web.staging").key == "web.staging.sim");
    CHECK(bed.explain("orders-1.orders").key == "orders.shop.sim");
}

TEST_CASE("what is not forwarded is found in the cluster, and what is nowhere is told with what is close", "[engine][explain]")
{
    explaining_bed bed;
    const auto db = bed.explain("db.staging");
    CHECK_FALSE(db.forwarded);
    CHECK(db.key == "db.staging.sim");
    CHECK(db.what.code == "not_forwarded");
    CHECK_THAT(db.what.sentence, Contains("1 of 1 pods ready"));
    CHECK(bed.explain("cart").key == "cart.shop.sim"); // the only one of that name
    const auto several = bed.clock.run(bed.why.explain("web", std::nullopt));
    REQUIRE(several.has_error());
    CHECK(several.error().why.is(errc::ambiguous));
    CHECK(several.error().evidence.size() == 2);
    const auto slip = bed.explain("crat.shop");
    CHECK(slip.what.code == "unknown_service");
    CHECK(slip.key.empty());
    CHECK_THAT(slip.what.suggestion, Contains("cart.shop.sim"));
    CHECK_THAT(bed.explain("cart.staging").what.sentence, Contains("there is cart.shop.sim"));
    const auto space = bed.explain("nothing.shopp");
    CHECK(space.what.code == "unknown_namespace");
    const auto context = bed.clock.run(bed.why.explain("web.shop.nowhere", std::nullopt));
    REQUIRE(context.has_error());
    CHECK(context.error().why.is(errc::not_found));
}

TEST_CASE("a service scaled to zero is told with the command that ends it", "[engine][explain]")
{
    explaining_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.cluster->control().scale(*simcluster::find_type("apps", "deployments"), {"shop", "cart"}, 0));
    bed.clock.advance(2s);
    const auto got = bed.explain("cart");
    CHECK(got.what.code == "scaled_to_zero");
    CHECK_THAT(got.what.next.at(0).command, Contains("scale deployment/cart --replicas=1"));
}

TEST_CASE("port-forwards that are withdrawn are told with the rule that would give them back", "[engine][explain]")
{
    explaining_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("web").has_value());
    const auto denied = bed.cluster->rules().deny({"", {}, {"pods/portforward"}, {}});
    bed.cluster->drop_connections();
    (void)bed.get("web");
    const auto got = bed.explain("web");
    CHECK(got.what.code == "forbidden");
    CHECK_THAT(got.what.suggestion, Contains("resources [\"pods/portforward\"]") && Contains("namespace shop"));
    bed.cluster->rules().lift(denied);
    bed.clock.advance(10s);
    REQUIRE(bed.get("web").has_value());
    CHECK(bed.explain("web").what.code == "works");
    const auto errors = bed.all(past_kind::error);
    CHECK(std::any_of(errors.begin(), errors.end(),
                      [](const past& one) { return one.service_key == "web.shop.sim" && one.code == "forbidden" && one.resolved; }));
}

TEST_CASE("a cluster that is gone is the verdict for all of its services, named once in the list of everything", "[engine][explain]")
{
    explaining_bed bed;
    REQUIRE(bed.forward_namespace("staging").has_value());
    bed.cluster->server_down(true);
    bed.clock.advance(20s);
    const auto got = bed.explain("web.staging");
    CHECK(got.what.code == "cluster_unreachable");
    const auto all = bed.explain("");
    REQUIRE_FALSE(all.problems.empty());
    CHECK(all.problems.front().kind == "context");
    for (const auto& one : all.problems) UNSCOPED_INFO(one.key << " " << one.kind << " " << one.what.code);
    CHECK(std::count_if(all.problems.begin(), all.problems.end(), [](const auto& one) { return one.what.code == "cluster_unreachable"; }) ==
          1);
    bed.cluster->server_down(false);
    bed.clock.advance(20s);
    CHECK(bed.explain("").problems.empty());
}

TEST_CASE("everything that is wrong is listed, worst first, without asking the cluster", "[engine][explain]")
{
    explaining_bed bed;
    CHECK(bed.explain("").what.code == "nothing_forwarded");
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto before = bed.cluster->count().requests;
    const auto all = bed.explain("");
    CHECK(bed.cluster->count().requests == before);
    REQUIRE(all.problems.size() >= 3);
    CHECK(all.problems.front().key == "crashing.shop.sim");
    CHECK(all.problems.front().what.code == "crash_loop");
    CHECK_THAT(all.what.sentence, Contains("problems") && Contains("services active; worst: "));
    CHECK_FALSE(all.what.ok);
}

TEST_CASE("history has each event, error and reconnection once, with its time", "[engine][explain]")
{
    explaining_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("cart", 8080).has_value());
    const auto pods = bed.cluster->pods_of_service({"shop", "cart"});
    bed.cluster->erase("", "pods", pods.at(0));
    bed.clock.advance(5s);
    REQUIRE(bed.get("cart", 8080).has_value());
    const auto events = bed.all(past_kind::event);
    const auto added = std::count_if(events.begin(), events.end(),
                                     [](const past& one) { return one.type == "ServiceAdded" && one.service_key == "cart.shop.sim"; });
    CHECK(added == 1);
    for (const auto& one : events) CHECK(one.when > wall_time{});
    std::vector<past> returns;
    for (const auto& one : bed.all(past_kind::reconnection))
        if (one.service_key == "cart.shop.sim") returns.push_back(one);
    for (const auto& one : returns) UNSCOPED_INFO(rfc3339(one.when) << " " << one.code << ": " << one.message << " " << one.took.count());
    REQUIRE(returns.size() == 1);
    CHECK(returns[0].took > 0ns);
    CHECK(tells(bed.explain("cart"), "fwd", "reconnected", "connected again to pod cart-"));
}

TEST_CASE("an application that resets its connections is named, and the forward is not blamed", "[engine][explain]")
{
    explaining_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("cart", 8080).has_value());
    const auto pods = bed.cluster->pods_of_service({"shop", "cart"});
    auto work = [](explaining_bed& at, simcluster::object_key pod) -> awaitable<result<std::string>> {
        auto stream = co_await at.net.connect(make_endpoint(at.host.names.at("cart"), 8080));
        if (!stream) co_return stream.error();
        auto bytes = make_byte_stream(std::move(*stream));
        const std::string half = "GET / HTTP/1.1\r\n";
        (void)co_await bytes->write_all(as_bytes(half));
        co_await at.clock.sleep_for(200ms);
        at.cluster->pods().end_connections(pod, true);
        std::array<std::byte, 64> chunk;
        const auto got = co_await bytes->read_some(chunk);
        if (!got) co_return got.error();
        co_return std::string{};
    };
    (void)bed.clock.run(work(bed, pods.at(0)));
    bed.clock.advance(1s);
    const auto got = bed.explain("cart");
    CHECK(got.what.code == "reset_by_application");
    CHECK_THAT(got.what.sentence, Contains(pods.at(0).name));
    CHECK(bed.service("cart.shop").state == catalog::service_state::active);
}

TEST_CASE("a tunnel that was cut while idle is remembered, and so is the one that replaced it", "[engine][explain]")
{
    explaining_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("cart", 8080).has_value());
    bed.clock.advance(2s);
    CHECK(bed.cluster->drop_connections() > 0);
    bed.clock.advance(2s);
    REQUIRE(bed.get("cart", 8080).has_value());
    const auto returns = bed.all(past_kind::reconnection);
    const auto count = std::count_if(returns.begin(), returns.end(),
                                     [](const past& one) { return one.service_key == "cart.shop.sim" && one.code == "tunnel_lost"; });
    CHECK(count == 1);
}

TEST_CASE("history outlives the daemon, and what was wrong when it ended is over", "[engine][explain]")
{
    std::string folder = "/tmp/fwd-test-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    {
        explaining_bed first{folder + "/state/fwd.sqlite"};
        REQUIRE(first.forward_namespace("shop").has_value());
    }
    {
        explaining_bed second{folder + "/state/fwd.sqlite"};
        const auto errors = second.all(past_kind::error);
        const auto crash =
            std::find_if(errors.begin(), errors.end(), [](const past& one) { return one.service_key == "crashing.shop.sim"; });
        REQUIRE(crash != errors.end());
        CHECK(crash->code == "crash_loop");
        CHECK(crash->resolved);
        CHECK(tells(second.explain("crashing.shop"), "fwd", "error", "CrashLoopBackOff"));
    }
    std::filesystem::remove_all(folder);
}
