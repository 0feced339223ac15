// The whole client against the simulated cluster, in one process on a virtual clock: TLS, kubeconfig, lists, watches, faults.
#include "tests/simcluster/simulated_cluster.hpp"

#include "daemon/kube/discovery.hpp"
#include "daemon/kube/exec_cache.hpp"
#include "daemon/kube/informer.hpp"
#include "daemon/kube/pod_rules.hpp"
#include "tests/daemon/kube/fakes.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using Catch::Matchers::Contains;

namespace {

struct bed : kube::test::world {
    std::unique_ptr<simcluster::simulated_cluster> cluster;
    kube::kubeconfig config;
    std::shared_ptr<kube::exec_cache> plugins = kube::make_exec_cache(around);
    std::unique_ptr<kube::credential_source> credentials;
    std::unique_ptr<kube::api_client> client;
    std::vector<std::shared_ptr<void>> informers; ///< they outlive their tasks
    task_scope tasks{loop.get_executor(), log};
    std::vector<std::string> told;

    bed()
    {
        auto made = simcluster::simulated_cluster::make(loop.get_executor(), net, clock, *random, log, {});
        REQUIRE(made.has_value());
        cluster = std::move(*made);
        const auto at = cluster->listen(make_endpoint(ipv4{0x7f000001}, 6443));
        REQUIRE(at.has_value());
        files.write("/sim/kubeconfig", cluster->kubeconfig("https://" + at->text(), "/sim"));
        files.programs = {"/sim/credential-plugin"};
        kube::kubeconfig_sources sources;
        sources.given = "/sim/kubeconfig";
        config = kube::load(sources, files).value();
    }
    ~bed()
    {
        end_tasks();
        clock.run(cluster->stop());
    }
    void end_tasks()
    {
        tasks.cancel();
        clock.run(tasks.join());
    }
    void use(const std::string& context)
    {
        const auto found = config.resolve(context);
        REQUIRE(found.has_value());
        auto made = kube::make_credential_source(*found, around, plugins);
        REQUIRE(made.has_value());
        client.reset();
        credentials = std::move(*made);
        client = kube::make_api_client(around, *credentials);
    }
    template <class T>
    std::shared_ptr<kube::informer<T>> watch(kube::scope of)
    {
        kube::informer_handlers<T> hear;
        hear.added = [this](const auto& o) { told.push_back("+" + o->meta.name); };
        hear.changed = [this](const auto&, const auto& o) { told.push_back("~" + o->meta.name); };
        hear.removed = [this](const auto& o) { told.push_back("-" + o->meta.name); };
        hear.synced = [this] { told.push_back("synced"); };
        hear.failed = [this](const kube::api_failure& f, duration) { told.push_back("failed: " + f.why.message()); };
        hear.recovered = [this] { told.push_back("recovered"); };
        auto made = std::make_shared<kube::informer<T>>(around, *client, std::move(of), std::move(hear));
        informers.push_back(made);
        tasks.start("watch", made->run());
        return made;
    }
    std::vector<std::string> take() { return std::exchange(told, {}); }
    bool heard(const std::string& line) const { return std::find(told.begin(), told.end(), line) != told.end(); }
};

} // namespace

TEST_CASE("the simulated cluster is asked over TLS, by certificate, by token and by plugin", "[simulated]")
{
    bed b;
    const auto context = GENERATE(as<std::string>{}, "sim", "sim-token", "sim-exec");
    b.processes.answer(b.cluster->exec_credential());
    b.use(context);
    kube::discovery ask{*b.client};
    const auto version = b.clock.run(ask.version());
    INFO((version ? std::string{} : version.error().why.message()));
    REQUIRE(version.has_value());
    CHECK(version->minor == 33);
    const auto services = b.clock.run(ask.services({.namespace_name = "shop"}));
    REQUIRE(services.has_value());
    CHECK(services->size() >= 10);
    const auto pods = b.clock.run(ask.pods({.namespace_name = "shop"}));
    REQUIRE(pods.has_value());
    const auto may = b.clock.run(ask.may_forward("shop"));
    REQUIRE(may.has_value());
    CHECK(may->allowed);
    CHECK_FALSE(b.clock.run(ask.namespace_named("no-such")).has_value());
    CHECK(b.processes.asked.size() == (context == "sim-exec" ? 1 : 0));
}

TEST_CASE("our rules find the pods and ports that the simulated cluster's truth names", "[simulated]")
{
    bed b;
    b.use("sim");
    b.clock.advance(5s);
    kube::discovery ask{*b.client};
    const auto services = b.clock.run(ask.services({}));
    const auto pods = b.clock.run(ask.pods({}));
    REQUIRE(services.has_value());
    REQUIRE(pods.has_value());
    std::size_t compared = 0;
    for (const auto& truth : b.cluster->truth()) {
        for (const auto& s : *services) {
            if (s.meta.namespace_name != truth.namespace_name || s.meta.name != truth.service || s.selector.empty()) continue;
            for (const auto& port : s.ports) {
                if (port.port != truth.port || port.protocol != "TCP") continue;
                std::vector<std::pair<std::string, std::uint16_t>> ours, theirs;
                for (const auto& p : *pods)
                    if (const auto number = kube::resolve_target_port(port, p); number && kube::is_eligible(s, p))
                        ours.emplace_back(p.meta.name, *number);
                for (const auto& end : truth.pods) theirs.emplace_back(end.name, end.port);
                std::sort(ours.begin(), ours.end());
                std::sort(theirs.begin(), theirs.end());
                INFO(s.meta.key() << ":" << port.port);
                CHECK(ours == theirs);
                ++compared;
            }
        }
    }
    CHECK(compared >= 8);
}

TEST_CASE("a pod's deletion and its successor are followed", "[simulated]")
{
    bed b;
    b.use("sim");
    b.clock.advance(5s);
    auto pods = b.watch<kube::pod>({.namespace_name = "shop"});
    b.clock.settle();
    REQUIRE(b.heard("synced"));
    const auto before = b.cluster->pods_of_service({"shop", "web"});
    REQUIRE_FALSE(before.empty());
    b.take();
    b.cluster->control().delete_pod(before.front(), std::nullopt);
    b.clock.advance(10s);
    CHECK(b.heard("-" + before.front().name));
    const auto after = b.cluster->pods_of_service({"shop", "web"});
    REQUIRE(after.size() == before.size());
    for (const auto& one : after) {
        const auto kept = pods->find("shop/" + one.name);
        REQUIRE(kept);
        CHECK(kept->ready());
    }
}

TEST_CASE("watches outlive cuts, expiry, bookmarks and a server that goes away", "[simulated]")
{
    bed b;
    b.use("sim");
    b.clock.advance(5s);
    auto services = b.watch<kube::service>({.namespace_name = "shop"});
    b.clock.settle();
    const auto known = services->size();
    REQUIRE(b.heard("synced"));
    b.take();

    b.cluster->cut_watches();
    b.clock.advance(6s);
    for (const auto& line : b.told) CHECK_THAT(line, !Contains("+") && !Contains("-") && !Contains("~"));
    CHECK(services->healthy());
    b.take();

    b.cluster->expire_watches();
    b.cluster->erase("", "services", {"shop", "web"});
    b.cluster->cut_watches();
    b.clock.advance(6s);
    CHECK(b.heard("-web"));
    CHECK(services->size() == known - 1);
    CHECK(services->healthy());
    b.take();

    b.cluster->server_down(true);
    b.clock.advance(10min);
    CHECK_FALSE(services->healthy());
    b.take();
    b.cluster->server_down(false);
    b.clock.advance(6s);
    for (const auto& line : b.told) UNSCOPED_INFO(line);
    CHECK(services->healthy());
    CHECK(b.take() == std::vector<std::string>{"recovered"});
    CHECK(services->size() == known - 1);
}

TEST_CASE("a black hole is noticed, and left when packets flow again", "[simulated]")
{
    bed b;
    b.use("sim");
    b.clock.advance(5s);
    auto services = b.watch<kube::service>({.namespace_name = "shop"});
    b.clock.settle();
    b.cluster->black_hole({}, true);
    b.clock.advance(4min);
    b.cluster->heal();
    b.clock.advance(45s);
    CHECK(services->healthy());
    b.take();
    b.cluster->erase("", "services", {"shop", "web"});
    b.clock.advance(6s);
    CHECK(b.heard("-web"));
}

TEST_CASE("an expired token is renewed by the plugin, and nobody notices", "[simulated]")
{
    bed b;
    b.processes.answer(b.cluster->exec_credential());
    b.use("sim-exec");
    b.clock.advance(5s);
    auto services = b.watch<kube::service>({.namespace_name = "shop"});
    b.clock.settle();
    REQUIRE(b.heard("synced"));
    b.take();
    b.cluster->expire_token("sim-exec");
    b.processes.answers.clear();
    b.processes.answer(b.cluster->exec_credential());
    b.cluster->cut_watches();
    b.clock.advance(6s);
    CHECK(services->healthy());
    for (const auto& line : b.told) CHECK_THAT(line, !Contains("401"));
    CHECK(b.processes.asked.size() == 2);
}

TEST_CASE("a user without rights is told what is missing, for each list on its own", "[simulated]")
{
    bed b;
    b.use("sim-nobody");
    auto services = b.watch<kube::service>({.namespace_name = "shop"});
    b.clock.settle();
    REQUIRE_FALSE(b.told.empty());
    CHECK_THAT(b.told[0], Contains("failed: list services in shop: ") && Contains("forbidden") &&
                              Contains("it needs a Role in namespace shop") && Contains(R"(resources ["services"], verbs ["list"])"));
    b.end_tasks();
    b.use("sim-shop");
    kube::discovery ask{*b.client};
    CHECK(b.clock.run(ask.services({.namespace_name = "shop"})).has_value());
    const auto all = b.clock.run(ask.services({}));
    REQUIRE_FALSE(all.has_value());
    CHECK_THAT(all.error().why.message(), Contains("a ClusterRole"));
}

TEST_CASE("a server of another authority, and one under another name, are not trusted", "[simulated]")
{
    bed b;
    auto found = *b.config.resolve("sim");
    SECTION("another authority")
    {
        found.cluster.ca_data.clear();
    }
    SECTION("another name")
    {
        found.cluster.tls_server_name = "other.example";
    }
    auto credentials = kube::make_credential_source(found, b.around, b.plugins);
    REQUIRE(credentials.has_value());
    const auto client = kube::make_api_client(b.around, **credentials);
    kube::discovery ask{*client};
    const auto version = b.clock.run(ask.version());
    REQUIRE_FALSE(version.has_value());
    CHECK(version.error().why.is(errc::tls_failed));
    found.cluster.ca_data.clear();
    found.cluster.insecure = true;
    credentials = kube::make_credential_source(found, b.around, b.plugins);
    const auto trusting = kube::make_api_client(b.around, **credentials);
    kube::discovery other{*trusting};
    CHECK(b.clock.run(other.version()).has_value());
}

TEST_CASE("300 services cost a list and a watch each", "[simulated]")
{
    bed b;
    simcluster::cluster_options many;
    many.bulk_services = 300;
    auto made = simcluster::simulated_cluster::make(b.loop.get_executor(), b.net, b.clock, *b.random, b.log, many);
    REQUIRE(made.has_value());
    const auto at = (*made)->listen(make_endpoint(ipv4{0x7f000001}, 7443));
    REQUIRE(at.has_value());
    b.files.write("/many", (*made)->kubeconfig("https://" + at->text(), ""));
    kube::kubeconfig_sources sources;
    sources.given = "/many";
    b.config = kube::load(sources, b.files).value();
    b.use("sim");
    auto services = b.watch<kube::service>({.namespace_name = "bulk"});
    auto pods = b.watch<kube::pod>({.namespace_name = "bulk"});
    b.clock.advance(1s);
    CHECK(services->size() == 300);
    CHECK(pods->size() == 300);
    std::uint64_t requests = 0;
    for (const auto& [name, count] : b.client->requests()) requests += count;
    CHECK(requests == 4);
    b.end_tasks();
    b.clock.run((*made)->stop());
}
