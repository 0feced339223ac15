#include "daemon/kube/pod_rules.hpp"

#include <catch2/catch.hpp>

using namespace fwd::kube;
using Catch::Matchers::Contains;

namespace {

pod running(const std::string& name = "web-1")
{
    pod p;
    p.meta.namespace_name = "shop";
    p.meta.name = name;
    p.meta.labels = {{"app", "web"}, {"x", "y"}};
    p.phase = "Running";
    p.node = "n1";
    p.conditions = {{"Ready", "True", "", "", {}}};
    p.containers = {{"web", "img", {{"http", "TCP", 8080}}, false, false, {}, {}}};
    container_status status;
    status.name = "web";
    status.ready = true;
    status.state = container_status::state_kind::running;
    p.statuses = {status};
    return p;
}

pod unready()
{
    auto p = running();
    p.conditions[0].status = "False";
    p.statuses[0].ready = false;
    return p;
}

pod waiting(const std::string& reason, const std::string& message = "")
{
    auto p = unready();
    p.statuses[0].state = container_status::state_kind::waiting;
    p.statuses[0].reason = reason;
    p.statuses[0].message = message;
    return p;
}

service web()
{
    service s;
    s.meta.namespace_name = "shop";
    s.meta.name = "web";
    s.selector = {{"app", "web"}};
    return s;
}

service_port port(std::uint16_t number, decltype(service_port::target) target = {}, const std::string& protocol = "TCP")
{
    service_port made;
    made.port = number;
    made.target = std::move(target);
    made.protocol = protocol;
    return made;
}

} // namespace

TEST_CASE("a target port is absent, zero, a number or a name", "[pod_rules]")
{
    const auto p = running();
    CHECK(resolve_target_port(port(80), p) == 80);
    CHECK(resolve_target_port(port(80, std::uint16_t{0}), p) == 80);
    CHECK(resolve_target_port(port(80, std::uint16_t{9000}), p) == 9000);
    CHECK(resolve_target_port(port(80, std::string("http")), p) == 8080);
    CHECK_FALSE(resolve_target_port(port(80, std::string("gone")), p));
    CHECK_FALSE(resolve_target_port(port(0), p));
}

TEST_CASE("a name resolves per pod, by protocol, in containers first, then in sidecars, never in ordinary init containers", "[pod_rules]")
{
    auto p = running();
    p.containers = {{"sidecar", "", {{"http", "TCP", 1}, {"mesh", "TCP", 15001}}, true, true, {}, {}},
                    {"setup", "", {{"setup", "TCP", 2}}, true, false, {}, {}},
                    {"web", "", {{"http", "UDP", 3}, {"http", "TCP", 4}}, false, false, {}, {}}};
    CHECK(resolve_target_port(port(80, std::string("http")), p) == 4);
    CHECK(resolve_target_port(port(80, std::string("http"), "UDP"), p) == 3);
    CHECK(resolve_target_port(port(80, std::string("mesh")), p) == 15001);
    CHECK_FALSE(resolve_target_port(port(80, std::string("setup")), p));
    auto other = running();
    other.containers[0].ports[0].port = 8081;
    CHECK(resolve_target_port(port(80, std::string("http")), other) == 8081);
}

TEST_CASE("eligible is what is selected, on a node, ready and stays", "[pod_rules]")
{
    CHECK(is_eligible(web(), running()));
    CHECK_FALSE(is_eligible(web(), unready()));
    auto p = running();
    p.meta.deletion = fwd::wall_time{};
    CHECK_FALSE(is_eligible(web(), p));
    p = running();
    p.phase = "Succeeded";
    CHECK_FALSE(is_eligible(web(), p));
    p = running();
    p.node.clear();
    CHECK_FALSE(is_eligible(web(), p));
    p = running();
    p.meta.namespace_name = "other";
    CHECK_FALSE(is_eligible(web(), p));
    p = running();
    p.meta.labels = {{"app", "api"}};
    CHECK_FALSE(is_eligible(web(), p));
    auto s = web();
    s.selector.clear();
    CHECK_FALSE(is_eligible(s, running()));
    s = web();
    s.publish_not_ready = true;
    CHECK(is_eligible(s, unready()));
    p = unready();
    p.phase = "Pending";
    CHECK_FALSE(is_eligible(s, p));
}

TEST_CASE("a pod's trouble is told in one sentence, and whether time heals it", "[pod_rules]")
{
    struct row {
        pod of;
        std::string code, says;
        bool heals;
    };
    auto looping = waiting("CrashLoopBackOff");
    looping.statuses[0].restarts = 7;
    looping.statuses[0].last_exit_code = 1;
    auto deleting = running();
    deleting.meta.deletion = fwd::wall_time{};
    auto evicted = unready();
    evicted.phase = "Failed";
    evicted.reason = "Evicted";
    evicted.message = "The node was low on resource: memory.";
    auto done = unready();
    done.phase = "Succeeded";
    auto nowhere = unready();
    nowhere.node.clear();
    nowhere.phase = "Pending";
    auto too_big = nowhere;
    too_big.conditions.push_back({"PodScheduled", "False", "Unschedulable", "0/3 nodes are available: insufficient cpu.", {}});
    auto creating = waiting("ContainerCreating");
    creating.phase = "Pending";
    auto ended = unready();
    ended.statuses[0].state = container_status::state_kind::terminated;
    ended.statuses[0].reason = "Error";
    ended.statuses[0].exit_code = 2;
    auto keeps_ending = ended;
    keeps_ending.statuses[0].restarts = 5;
    auto init = waiting("PodInitializing");
    init.statuses.insert(init.statuses.begin(), waiting("CrashLoopBackOff").statuses[0]);
    init.statuses[0].init = true;
    init.statuses[0].name = "migrate";

    const auto each = GENERATE_COPY(values<row>({
        {looping, "crash_loop", "pod web-1: container web is in CrashLoopBackOff (exit code 1, 7 restarts)", false},
        {waiting("ImagePullBackOff", "Back-off pulling image \"x\""), "image_pull", "cannot get its image (ImagePullBackOff): Back-off",
         false},
        {waiting("ErrImagePull"), "image_pull", "ErrImagePull", false},
        {waiting("InvalidImageName"), "image_pull", "InvalidImageName", false},
        {waiting("CreateContainerConfigError", "secret \"db\" not found"), "config_error", "secret \"db\" not found", false},
        {deleting, "terminating", "is being deleted", false},
        {evicted, "failed", "Evicted): The node was low", false},
        {done, "finished", "has finished", false},
        {nowhere, "starting", "waits for a node", true},
        {too_big, "unschedulable", "no node takes it: 0/3 nodes", false},
        {creating, "starting", "is starting", true},
        {unready(), "not_ready", "container web is not ready", true},
        {ended, "container_ended", "Error, exit code 2", true},
        {keeps_ending, "crash_loop", "keeps ending (Error, exit code 2, 5 restarts)", false},
        {init, "crash_loop", "init container migrate is in CrashLoopBackOff", false},
    }));
    const auto trouble = pod_problem(each.of);
    REQUIRE(trouble);
    CHECK(trouble->code == each.code);
    CHECK_THAT(trouble->sentence, Contains(each.says));
    CHECK(trouble->heals == each.heals);
    CHECK(is_coming(web(), each.of) == each.heals);
}

TEST_CASE("a ready pod has no trouble, and the cluster's words are cleaned and cut", "[pod_rules]")
{
    CHECK_FALSE(pod_problem(running()));
    CHECK_FALSE(is_coming(web(), running()));
    const auto trouble = pod_problem(waiting("ErrImagePull", "\x1b[31m" + std::string(1000, 'x')));
    REQUIRE(trouble);
    CHECK(trouble->sentence.find('\x1b') == std::string::npos);
    CHECK(trouble->sentence.size() < 400);
}

TEST_CASE("a pod of a headless service has a name when hostname and subdomain say so", "[pod_rules]")
{
    auto s = web();
    auto p = running();
    p.hostname = "web-0";
    p.subdomain = "web";
    CHECK(stable_name(s, p).empty());
    s.cluster_ip = "None";
    CHECK(stable_name(s, p) == "web-0");
    p.subdomain = "other";
    CHECK(stable_name(s, p).empty());
    p.subdomain = "web";
    p.hostname.clear();
    CHECK(stable_name(s, p).empty());
}
