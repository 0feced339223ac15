// The engine follows what the cluster, the kubeconfig and the rights come to, and touches nothing else.
#include "tests/daemon/forward/engine_bed.hpp"

#include <boost/json/parse.hpp>
#include <fmt/core.h>

using namespace fwd;
using namespace fwd::test;
using Catch::Matchers::Contains;
using state = catalog::service_state;

namespace {

boost::json::object object(const std::string& text)
{
    return boost::json::parse(text).as_object();
}

boost::json::object service_object(const std::string& ns, const std::string& name, const std::string& spec)
{
    return object(
        fmt::format(R"({{"apiVersion":"v1","kind":"Service","metadata":{{"namespace":"{}","name":"{}"}},"spec":{}}})", ns, name, spec));
}

boost::json::object namespace_object(const std::string& name)
{
    return object(
        fmt::format(R"({{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{}"}},"status":{{"phase":"Active"}}}})", name));
}

/// A Deployment like the shop's, whose pods answer HTTP on 8080.
boost::json::object workload(const std::string& ns, const std::string& name)
{
    return object(fmt::format(
        R"({{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"namespace":"{0}","name":"{1}"}},"spec":{{"replicas":1,
           "selector":{{"matchLabels":{{"app":"{1}"}}}},"template":{{"metadata":{{"labels":{{"app":"{1}"}},"annotations":{{"sim.fwd.dev/apps":"8080=http"}}}},
           "spec":{{"containers":[{{"name":"{1}","image":"x","ports":[{{"containerPort":8080}}]}}]}}}}}}}})",
        ns, name));
}

void change(engine_bed& bed, boost::json::object object)
{
    REQUIRE(bed.cluster->put(std::move(object)).has_value());
}

/// What was asked of the API server since the last call of this.
struct requests_since {
    engine_bed& bed;
    std::map<std::string, std::uint64_t> before{};
    std::uint64_t of(const std::string& what)
    {
        std::uint64_t now = 0;
        for (const auto& [name, count] : bed.cluster->count().requests)
            if (name.find(what) != std::string::npos) now += count;
        return now - std::exchange(before[what], now);
    }
};

} // namespace

TEST_CASE("a service that comes, changes and goes is followed at once, and its connections are not touched", "[following]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto web = bed.service("web.shop").local_ip;
    change(bed, service_object("shop", "late", R"({"selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":8080}]})"));
    bed.clock.advance(100ms);
    CHECK(bed.service("late.shop").state == state::active);
    CHECK(bed.get("late").has_value());
    const auto address = bed.service("late.shop").local_ip;

    // Another port number and another target: the address stays, the old port is gone.
    change(bed,
           service_object("shop", "late", R"({"selector":{"app":"api"},"ports":[{"name":"metrics","port":9000,"targetPort":"metrics"}]})"));
    bed.clock.advance(100ms);
    CHECK(bed.service("late.shop").local_ip == address);
    REQUIRE(bed.service("late.shop").forwards.size() == 1);
    CHECK(bed.service("late.shop").forwards[0].pod_port == 9090);
    CHECK(bed.get("late", 9000).has_value());
    CHECK_FALSE(bed.net.routes.contains(make_endpoint(*address, 80)));

    // Headless, then an alias of something else, then nothing.
    change(bed, service_object("shop", "late", R"({"clusterIP":"None","selector":{"app":"web"},"ports":[{"port":80,"targetPort":8080}]})"));
    bed.clock.advance(100ms);
    CHECK(bed.service("late.shop").headless);
    CHECK(bed.get("late", 8080).has_value());
    change(bed, service_object("shop", "late", R"({"type":"ExternalName","externalName":"example.com"})"));
    bed.clock.advance(100ms);
    CHECK(bed.service("late.shop").state == state::unsupported);
    CHECK_FALSE(bed.host.addresses.contains(*address));
    bed.cluster->erase("", "services", {"shop", "late"});
    bed.clock.advance(100ms);
    CHECK(bed.state.find_service("late.shop").has_error());
    CHECK(bed.service("web.shop").local_ip == web);
}

TEST_CASE("the slices of a service without selector are merged, and lead to the pods they name", "[following]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto pods = bed.cluster->pods_of_service({"shop", "web"});
    REQUIRE(pods.size() == 3);
    const auto slice = [&](const std::string& name, const std::string& pod) {
        return object(
            fmt::format(R"({{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{{"namespace":"shop","name":"{}",
            "labels":{{"kubernetes.io/service-name":"manual"}}}},"addressType":"IPv4","ports":[{{"name":"http","port":8080,"protocol":"TCP"}}],
            "endpoints":[{{"addresses":["10.0.0.1"],"conditions":{{"ready":true}},"targetRef":{{"kind":"Pod","namespace":"shop","name":"{}","uid":"{}"}}}}]}})",
                        name, pod, std::string{bed.cluster->store().find(*simcluster::find_type("", "pods"), {"shop", pod})->uid}));
    };
    change(bed, slice("manual-1", pods[0].name));
    change(bed, slice("manual-2", pods[1].name));
    bed.clock.advance(100ms);
    CHECK(bed.service("manual.shop").state == state::active);
    REQUIRE(bed.get("manual").has_value());
    bed.cluster->erase("discovery.k8s.io", "endpointslices", {"shop", "manual-1"});
    bed.clock.advance(100ms);
    CHECK(bed.get("manual").has_value());
    bed.cluster->erase("discovery.k8s.io", "endpointslices", {"shop", "manual-2"});
    bed.clock.advance(100ms);
    CHECK(bed.service("manual.shop").state == state::unsupported);
}

TEST_CASE("all namespaces are one list of services and one of pods, and a new namespace is among them", "[following]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("").has_value());
    CHECK(bed.service("web.shop").state == state::active);
    CHECK(bed.service("web.staging").state == state::active);
    std::uint64_t lists = 0;
    for (const auto& [what, count] : bed.cluster->count().requests)
        if (what.find("list services") != std::string::npos || what.find("GET services") != std::string::npos) lists += count;
    CHECK(lists <= 1);
    change(bed, namespace_object("fresh"));
    change(bed, workload("fresh", "hello"));
    change(bed, service_object("fresh", "hello", R"({"selector":{"app":"hello"},"ports":[{"port":80,"targetPort":8080}]})"));
    bed.clock.advance(5s);
    CHECK(bed.service("hello.fresh").state == state::active);
    bed.cluster->erase("", "services", {"fresh", "hello"});
    bed.clock.advance(100ms);
    CHECK(bed.state.find_service("hello.fresh").has_error());
}

TEST_CASE("where all namespaces at once are forbidden each is followed by itself, and stands back when it is allowed", "[following]")
{
    engine_bed bed;
    const auto denial = bed.cluster->rules().deny({"sim-admin", {"list", "watch"}, {"services", "pods"}, {"", "kube-system"}});
    catalog::add_namespace ask;
    ask.stays = true;
    REQUIRE(bed.clock.run(bed.supervisor->add(ask)).has_value());
    bed.clock.advance(1s);
    CHECK(bed.service("web.shop").state == state::active);
    CHECK(bed.get("web.staging").has_value());
    // Of a namespace that nobody named it is no failure that it may not be read.
    const auto& all = bed.state.namespaces().at("*.sim");
    CHECK(all.running);
    CHECK_FALSE(all.last_error);
    CHECK_FALSE(bed.state.contexts().at("sim-token").last_error);

    change(bed, namespace_object("fresh"));
    change(bed, service_object("fresh", "hello", R"({"selector":{"app":"hello"},"ports":[{"port":80,"targetPort":8080}]})"));
    bed.clock.advance(1s);
    CHECK(bed.service("hello.fresh").reason_code == "no_pods");
    bed.cluster->erase("", "services", {"fresh", "hello"});
    bed.cluster->erase("", "namespaces", {"", "fresh"});
    bed.clock.advance(1s);
    CHECK(bed.state.find_service("hello.fresh").has_error());

    const auto address = bed.service("web.shop").local_ip;
    bed.cluster->rules().lift(denial);
    bed.clock.advance(10s);
    CHECK(bed.service("web.shop").local_ip == address);
    CHECK(bed.service("web.shop").state == state::active);
    requests_since since{bed};
    (void)since.of("namespaces");
    bed.clock.advance(600s);
    CHECK(since.of("namespaces") == 0); // nobody watches them any more
}

TEST_CASE("a wish of the start stays though it is refused, and is met when the cause ends", "[following]")
{
    engine_bed bed;
    bed.cluster->server_down(true);
    catalog::add_namespace ask;
    ask.namespace_name = "shop";
    ask.stays = true;
    const auto added = bed.clock.run(bed.supervisor->add(ask));
    REQUIRE(added.has_value());
    REQUIRE(added->not_yet);
    CHECK_THAT(added->not_yet->message(), Contains("127.0.0.1:6443"));
    CHECK(bed.state.contexts().at("sim-token").last_error);
    bed.clock.advance(60s);
    bed.cluster->server_down(false);
    bed.clock.advance(5s);
    CHECK(bed.service("web.shop").state == state::active);
    CHECK_FALSE(bed.state.contexts().at("sim-token").last_error);
    CHECK(bed.get("web").has_value());
}

TEST_CASE("a wish by a caller goes again when its lists cannot be had", "[following]")
{
    engine_bed bed;
    bed.cluster->server_down(true);
    CHECK(bed.forward_namespace("shop").has_error());
    CHECK(bed.state.namespaces().empty());
}

TEST_CASE("one context that fails leaves another alone, and recovers by itself", "[following]")
{
    engine_bed bed;
    bed.cluster->rules().end_tokens_of("sim-shop");
    REQUIRE(bed.forward_namespace("staging").has_value());
    catalog::add_namespace other;
    other.context = "sim-shop";
    other.namespace_name = "shop";
    other.stays = true;
    REQUIRE(bed.clock.run(bed.supervisor->add(other)).has_value());
    bed.clock.advance(1s);
    const auto& failing = bed.state.contexts().at("sim-shop");
    REQUIRE(failing.last_error);
    CHECK(failing.last_error->code == "unauthorized");
    CHECK(failing.last_error->next_retry);
    CHECK_FALSE(bed.state.contexts().at("sim-token").last_error);
    CHECK(bed.get("web.staging").has_value());
    CHECK(bed.state.state() == catalog::health::degraded);
    bed.cluster->rules().add_token(std::string{simcluster::shop_token}, "sim-shop");
    bed.clock.advance(31s);
    CHECK(bed.service("web.shop.sim-shop").state == state::active);
    CHECK_FALSE(bed.state.contexts().at("sim-shop").last_error);
}

TEST_CASE("a poke makes everything that waits try at once", "[following]")
{
    engine_bed bed;
    bed.cluster->server_down(true);
    catalog::add_namespace ask;
    ask.namespace_name = "shop";
    ask.stays = true;
    REQUIRE(bed.clock.run(bed.supervisor->add(ask)).has_value());
    bed.clock.advance(120s); // the waits have grown to their longest
    bed.cluster->server_down(false);
    bed.supervisor->poke();
    bed.clock.advance(400ms);
    CHECK(bed.service("web.shop").state == state::active);
    CHECK(bed.state.contexts().at("sim-token").connected);
}

TEST_CASE("a changed kubeconfig is followed: credentials are exchanged, forwards stay where they are", "[following]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("web").has_value());
    const auto address = bed.service("web.shop").local_ip;
    const auto text = bed.files.read("/sim/kubeconfig", 1 << 20);
    REQUIRE(text.has_value());
    kube::kubeconfig_sources sources;
    sources.given = "/sim/kubeconfig";
    const auto same = kube::load(sources, bed.files);
    REQUIRE(same.has_value());
    requests_since since{bed};
    (void)since.of("");
    CHECK(bed.supervisor->reload(*same).empty());
    bed.clock.advance(1s);
    CHECK(since.of("") == 0);

    // The token was withdrawn and the file has another one.
    bed.cluster->rules().end_tokens_of("sim-admin");
    bed.cluster->rules().add_token("another-token", "sim-admin");
    auto changed = *text;
    for (std::size_t at; (at = changed.find(simcluster::admin_token)) != std::string::npos;)
        changed.replace(at, simcluster::admin_token.size(), "another-token");
    bed.files.write("/sim/kubeconfig", changed);
    const auto next = kube::load(sources, bed.files);
    REQUIRE(next.has_value());
    const auto told = bed.supervisor->reload(*next);
    REQUIRE(told.size() == 1);
    CHECK_THAT(told[0], Contains("sim-token") && Contains("credentials"));
    bed.cluster->drop_connections();
    bed.clock.advance(2s);
    CHECK(bed.service("web.shop").local_ip == address);
    CHECK(bed.service("web.shop").state == state::active);
    CHECK(bed.get("web").has_value());
    CHECK_FALSE(bed.state.contexts().at("sim-token").last_error);
}

TEST_CASE("a context that is gone from the kubeconfig goes on with what it had, and that is said", "[following]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    kube::kubeconfig none;
    const auto told = bed.supervisor->reload(none);
    const auto about = std::find_if(told.begin(), told.end(), [](const auto& line) { return line.find("sim-token") != std::string::npos; });
    REQUIRE(about != told.end());
    CHECK_THAT(*about, Contains("stays as it was"));
    bed.clock.advance(1s);
    CHECK(bed.get("web").has_value());
}

TEST_CASE("a context that moved to another server is read anew, and what both have keeps its address", "[following]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto address = bed.service("web.shop").local_ip;
    simcluster::cluster_options content;
    content.tls = false;
    auto other = simcluster::simulated_cluster::make(bed.loop.get_executor(), bed.net, bed.clock, *bed.random, bed.log, content);
    REQUIRE(other.has_value());
    const auto at = (*other)->listen(make_endpoint(ipv4{0x7f000001}, 7443));
    REQUIRE(at.has_value());
    (*other)->erase("", "services", {"shop", "cart"});
    bed.files.write("/sim/kubeconfig", (*other)->kubeconfig("http://" + at->text(), "/sim"));
    kube::kubeconfig_sources sources;
    sources.given = "/sim/kubeconfig";
    const auto next = kube::load(sources, bed.files);
    REQUIRE(next.has_value());
    const auto told = bed.supervisor->reload(*next);
    REQUIRE(told.size() == 1);
    CHECK_THAT(told[0], Contains("7443"));
    bed.clock.advance(3s);
    CHECK(bed.service("web.shop").local_ip == address);
    CHECK(bed.state.find_service("cart.shop").has_error());
    bed.cluster->server_down(true);
    bed.clock.advance(1s);
    CHECK(bed.service("web.shop").state == state::active);
    CHECK(bed.get("web").has_value());
    bed.clock.run(bed.plane->stop());
    bed.clock.run(bed.supervisor->stop());
    bed.clock.run((*other)->stop());
}

TEST_CASE("nobody waits for a pod that cannot start, though another was there a moment ago", "[following]")
{
    engine_bed bed;
    auto broken = workload("shop", "fragile");
    change(bed, broken);
    change(bed, service_object("shop", "fragile", R"({"selector":{"app":"fragile"},"ports":[{"port":80,"targetPort":8080}]})"));
    bed.clock.advance(2s);
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("fragile").has_value());
    broken["spec"].at("template").at("metadata").at("annotations").as_object()["sim.fwd.dev/health"] = GENERATE("crash-loop", "image-pull");
    change(bed, broken);
    for (const auto& pod : bed.cluster->pods_of_service({"shop", "fragile"})) bed.cluster->erase("", "pods", pod);
    bed.clock.advance(2s);
    const auto before = bed.clock.now();
    CHECK(bed.get("fragile").has_error());
    CHECK(bed.clock.now() - before < 1s);
}
