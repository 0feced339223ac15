// What is shown is what is so: states with their evidence, reasons with their causes.
#include "tests/daemon/forward/engine_bed.hpp"

using namespace fwd;
using namespace fwd::test;
using Catch::Matchers::Contains;
using state = catalog::service_state;

namespace {

const simcluster::resource_type& deployments()
{
    return *simcluster::find_type("apps", "deployments");
}

} // namespace

TEST_CASE("a service scaled to zero on purpose says so and is well; its clients are not held", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    CHECK(bed.service("idle.shop").reason_code == "scaled_to_zero");
    CHECK_THAT(bed.service("idle.shop").reason, Contains("deployment idle"));
    CHECK(bed.service("empty.shop").reason_code == "no_pods");

    bed.cluster->control().scale(deployments(), {"shop", "cart"}, 0);
    bed.clock.advance(1s);
    CHECK(bed.service("cart.shop").reason_code == "scaled_to_zero");
    const auto began = bed.clock.now();
    CHECK(bed.get("cart", 8080).has_error());
    CHECK(bed.clock.now() - began < 1s);
    bed.cluster->control().scale(deployments(), {"shop", "cart"}, 1);
    bed.clock.advance(10s);
    CHECK(bed.service("cart.shop").state == state::active);
    CHECK(bed.get("cart", 8080).has_value());
}

TEST_CASE("a workload that is gone is no longer called scaled to zero", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    bed.cluster->erase("apps", "deployments", {"shop", "idle"});
    bed.clock.advance(61s);
    CHECK(bed.service("idle.shop").reason_code == "no_pods");
}

TEST_CASE("who may not read workloads sees a service without pods", "[truth]")
{
    engine_bed bed;
    bed.cluster->rules().deny({"sim-admin", {}, {"deployments", "statefulsets"}, {}});
    REQUIRE(bed.forward_namespace("shop").has_value());
    CHECK(bed.service("idle.shop").reason_code == "no_pods");
    const auto asked = [&] {
        std::uint64_t all = 0;
        for (const auto& [what, count] : bed.cluster->count().requests)
            if (what.find("deployments") != std::string::npos) all += count;
        return all;
    };
    const auto before = asked();
    bed.clock.advance(120s);
    CHECK(asked() - before <= 3); // it is not asked again and again
}

TEST_CASE("health is ok with everything active or scaled to zero on purpose", "[truth]")
{
    engine_bed bed;
    for (const auto* name : {"web", "idle"}) {
        catalog::add_service ask;
        ask.service = name;
        ask.namespace_name = "shop";
        REQUIRE(bed.clock.run(bed.supervisor->add(ask)).has_value());
    }
    bed.clock.advance(1s);
    CHECK(bed.service("idle.shop").state == state::pending);
    CHECK(bed.state.state() == catalog::health::ok);
}

TEST_CASE("while the API server does not answer nothing that did not work since is called active", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    REQUIRE(bed.get("web").has_value());
    CHECK(bed.service("web.shop").forwards[0].verified);
    bed.cluster->server_down(true);
    bed.clock.advance(1s);
    for (const auto* name : {"web.shop", "api.shop", "echo.shop"}) {
        INFO(name);
        const auto& one = bed.service(name);
        CHECK(one.state == state::error);
        CHECK(one.reason_code == "unreachable");
        CHECK_THAT(one.reason, Contains("127.0.0.1:6443"));
        REQUIRE(one.forwards[0].last_error);
        CHECK(one.forwards[0].last_error->next_retry);
    }
    CHECK(bed.state.state() == catalog::health::error);
    CHECK(bed.host.names.contains("web")); // listeners and names stay
    bed.clock.advance(60s);
    bed.cluster->server_down(false);
    bed.clock.advance(5s);
    CHECK(bed.service("web.shop").state == state::active);
    CHECK(bed.service("echo.shop").state == state::active);
    CHECK_FALSE(bed.service("echo.shop").forwards[0].verified);
    CHECK(bed.get("web").has_value());
}

TEST_CASE("the right to forward withdrawn and given back is shown with the next attempt, and found out without one", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto denial = bed.cluster->rules().deny({"sim-admin", {}, {"pods/portforward"}, {}});
    CHECK(bed.get("web").has_error());
    bed.clock.advance(1s);
    const auto& web = bed.service("web.shop");
    CHECK(web.state == state::error);
    CHECK(web.reason_code == "forbidden");
    CHECK_THAT(web.reason, Contains("pods/portforward"));
    // What was never tried is denied by the same right.
    CHECK(bed.service("api.shop").reason_code == "forbidden");
    CHECK(web.forwards[0].attempts >= 1);
    bed.clock.advance(60s);
    CHECK(bed.service("web.shop").forwards[0].last_error->count > 1);
    bed.cluster->rules().lift(denial);
    bed.clock.advance(6s);
    CHECK(bed.service("web.shop").state == state::active);
    CHECK(bed.service("api.shop").state == state::active);
    CHECK(bed.get("web").has_value());
}

TEST_CASE("pods that may not be read are told as that, with the rule that would grant it", "[truth]")
{
    engine_bed bed;
    const auto denial = bed.cluster->rules().deny({"sim-admin", {"list", "watch"}, {"pods"}, {}});
    catalog::add_namespace ask;
    ask.namespace_name = "shop";
    REQUIRE(bed.clock.run(bed.supervisor->add(ask)).has_value());
    bed.clock.advance(1s);
    const auto& web = bed.service("web.shop");
    CHECK(web.state == state::error);
    CHECK(web.reason_code == "forbidden");
    CHECK_THAT(web.reason, Contains("pods"));
    REQUIRE(bed.state.namespaces().at("shop.sim").last_error);
    bed.cluster->rules().lift(denial);
    bed.clock.advance(6s);
    CHECK(bed.service("web.shop").state == state::active);
}

TEST_CASE("a token that ended is told apart, and a renewed one is taken up", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    bed.cluster->rules().end_tokens_of("sim-admin");
    bed.cluster->drop_connections();
    bed.clock.advance(2s);
    CHECK(bed.service("web.shop").reason_code == "unauthorized");
    CHECK_THAT(bed.service("web.shop").reason, Contains("credentials"));
    bed.cluster->rules().add_token(std::string{simcluster::admin_token}, "sim-admin");
    bed.clock.advance(31s);
    CHECK(bed.service("web.shop").state == state::active);
}

TEST_CASE("a credential plugin that fails puts its context in error, and is run again until it works", "[truth]")
{
    engine_bed bed;
    bed.files.programs.insert("/sim/credential-plugin");
    bed.processes.fail(3, "please log in first\n");
    catalog::add_namespace ask;
    ask.context = "sim-exec";
    ask.namespace_name = "shop";
    ask.stays = true;
    const auto added = bed.clock.run(bed.supervisor->add(ask));
    REQUIRE(added.has_value());
    REQUIRE(added->not_yet);
    CHECK_THAT(added->not_yet->message(), Contains("please log in first"));
    CHECK(bed.state.contexts().at("sim-exec").last_error->code == "credentials_failed");
    bed.clock.advance(60s);
    CHECK(bed.processes.asked.size() < 30); // not at every request
    bed.processes.answers.clear();
    bed.processes.answer(bed.cluster->exec_credential());
    bed.clock.advance(31s);
    CHECK(bed.service("web.shop.sim-exec").state == state::active);
    CHECK(bed.get("web.shop.sim-exec").has_value());

    // The server stops taking the credential: one run of the plugin brings the next.
    const auto runs = bed.processes.asked.size();
    bed.cluster->expire_token("sim-exec");
    bed.processes.answers.clear();
    bed.processes.answer(bed.cluster->exec_credential());
    bed.cluster->drop_connections();
    bed.clock.advance(5s);
    CHECK(bed.get("web.shop.sim-exec").has_value());
    CHECK(bed.processes.asked.size() - runs == 1);
}

TEST_CASE("many connections that one cut ends are one failure: a second later the state is true again", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    std::vector<std::unique_ptr<data_stream>> clients;
    for (int i = 0; i < 12; ++i) {
        auto one = bed.clock.run(bed.net.connect(make_endpoint(bed.host.names.at("cart"), 8080)));
        REQUIRE(one.has_value());
        const std::string part = "POST / HTTP/1.1\r\nHost: cart\r\nContent-Length: 9\r\n\r\n";
        const iovec piece{const_cast<char*>(part.data()), part.size()};
        REQUIRE((*one)->try_writev({&piece, 1}).bytes == part.size());
        clients.push_back(std::move(*one));
        bed.clock.advance(50ms);
    }
    REQUIRE(bed.cluster->drop_connections() > 0);
    bed.clock.settle();
    REQUIRE(bed.service("cart.shop").state == catalog::service_state::error);
    bed.clock.advance(1s);
    CHECK(bed.service("cart.shop").state == catalog::service_state::active);
}

TEST_CASE("a port that refused is asked again, and is active once it listens, though no client came", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto pod = bed.cluster->pods_of_service({"shop", "cart"}).at(0);
    bed.cluster->pods().behaviour(pod).refused.insert(8080);
    CHECK(bed.get("cart", 8080).has_error());
    bed.clock.advance(100ms);
    const auto& cart = bed.service("cart.shop");
    CHECK(cart.reason_code == "port_refused");
    CHECK(cart.forwards[0].last_error->next_retry);

    const auto tunnels = [&] {
        std::uint64_t all = 0;
        for (const auto& [what, count] : bed.cluster->count().requests)
            if (what.find("portforward") != std::string::npos) all += count;
        return all;
    };
    const auto before = tunnels();
    bed.clock.advance(120s);
    const auto& later = bed.service("cart.shop");
    CHECK(later.reason_code == "port_refused");
    CHECK(later.forwards[0].last_error->count > 4);
    CHECK(later.forwards[0].last_error->count < 15);
    CHECK(*later.forwards[0].last_error->next_retry > bed.clock.wall_now());
    CHECK(tunnels() <= before + 1); // it is asked on the tunnel that is there, as long as that lives

    bed.cluster->pods().behaviour(pod).refused.clear();
    bed.clock.advance(40s);
    CHECK(bed.service("cart.shop").state == state::active);
    CHECK(bed.service("cart.shop").forwards[0].verified);
    bed.clock.advance(10min);
    CHECK(bed.service("cart.shop").state == state::active);
}

TEST_CASE("an API server that falls silent is noticed by its tunnels, and then nothing of it is called active", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    auto client = bed.clock.run(bed.net.connect(make_endpoint(bed.host.names.at("echo"), 7000)));
    REQUIRE(client.has_value());
    bed.clock.advance(1s);
    bed.cluster->black_hole({}, true);
    simcluster::scripted_answer nobody;
    nobody.what = simcluster::scripted_answer::kind::hang;
    bed.cluster->answer_with(nobody);
    bed.clock.advance(45s);
    CHECK(bed.service("cart.shop").reason_code == "unreachable"); // which nobody ever used
    CHECK(bed.service("web.shop").reason_code == "unreachable");
    bed.cluster->heal();
    bed.clock.advance(40s);
    CHECK(bed.service("cart.shop").state == state::active);
}

TEST_CASE("an API server that falls silent while nobody uses a forward is noticed by its watches", "[truth]")
{
    simcluster::cluster_options content;
    content.bulk_services = 5;
    engine_bed bed{portforward::transport_choice::automatic, content};
    REQUIRE(bed.forward_namespace("bulk").has_value());
    const auto asked = [&] {
        std::uint64_t all = 0;
        for (const auto& [what, count] : bed.cluster->count().requests) all += count;
        return all;
    };
    bed.clock.advance(5s);
    const auto before = asked();
    bed.clock.advance(4min);
    CHECK(asked() == before); // bookmarks say that it is there
    bed.cluster->black_hole({}, true);
    simcluster::scripted_answer nobody;
    nobody.what = simcluster::scripted_answer::kind::hang;
    bed.cluster->answer_with(nobody);
    bed.clock.advance(110s);
    CHECK(bed.service("svc-0001.bulk").reason_code == "unreachable");
}

TEST_CASE("a pod that is gone while the watch is silent is found out by its tunnels, and its client waits for the successor", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    for (int i = 0; i < 2; ++i) { // tunnels that are there, of which each is to be refused
        REQUIRE(bed.get("cart", 8080).has_value());
        bed.clock.advance(1s);
    }
    const auto watches = [&] {
        std::uint64_t all = 0;
        for (const auto& [what, count] : bed.cluster->count().requests)
            if (what.find("watch") != std::string::npos) all += count;
        return all;
    };
    const auto before = watches();
    const auto pod = bed.cluster->pods_of_service({"shop", "cart"}).at(0);
    REQUIRE(bed.cluster->black_hole({simcluster::connection_use::watch, {}, {}, {}}, true) > 0);
    bed.cluster->control().delete_pod(pod, 0s);
    bed.clock.advance(5s);
    REQUIRE(bed.service("cart.shop").pods.ready == 1); // as far as anybody could see

    const auto began = bed.clock.now();
    CHECK(bed.get("cart", 8080).has_value());
    CHECK(bed.clock.now() - began < 3s);
    CHECK(bed.service("cart.shop").forwards[0].pod != pod.name);
    CHECK(watches() == before + 1); // of its pods alone
}

TEST_CASE("a pod whose status says too little is told with what the cluster warned of it, asked for ever more rarely", "[truth]")
{
    engine_bed bed;
    REQUIRE(bed.forward_namespace("shop").has_value());
    const auto asked = [&] {
        std::uint64_t all = 0;
        for (const auto& [what, count] : bed.cluster->count().requests)
            if (what.find("events") != std::string::npos) all += count;
        return all;
    };
    CHECK(asked() == 0); // it may yet come up
    bed.clock.advance(6s);
    const auto& one = bed.service("never-ready.shop");
    CHECK(one.reason_code == "not_ready");
    CHECK_THAT(one.reason, Contains("is not ready") && Contains("Unhealthy: Readiness probe failed"));
    bed.clock.advance(10min);
    CHECK(asked() < 10);
    bed.cluster->control().scale(deployments(), {"shop", "never-ready"}, 0);
    bed.clock.advance(2s);
    CHECK(bed.service("never-ready.shop").reason_code == "scaled_to_zero");
    const auto before = asked();
    bed.clock.advance(10min);
    CHECK(asked() == before);
}
