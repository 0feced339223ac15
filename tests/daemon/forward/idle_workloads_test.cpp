#include "daemon/forward/idle_workloads.hpp"

#include "daemon/forward/public_names.hpp"
#include "tests/daemon/kube/fakes.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::forward;

TEST_CASE("workloads that want no pods are read with the labels of the pods they would have", "[idle_workloads]")
{
    const auto got = read_idle_workloads(R"({"items":[
        {"metadata":{"name":"web"},"spec":{"replicas":0,"template":{"metadata":{"labels":{"app":"web","tier":"front"}}}}},
        {"metadata":{"name":"api"},"spec":{"replicas":2,"template":{"metadata":{"labels":{"app":"api"}}}}},
        {"metadata":{"name":"unset"},"spec":{"template":{"metadata":{"labels":{"app":"unset"}}}}},
        {"metadata":{"name":"bare"},"spec":{"replicas":0}},
        {"spec":{"replicas":0}}]})",
                                         "deployment");
    REQUIRE(got.has_value());
    CHECK(*got == std::vector<idle_workload>{{"deployment web", {{"app", "web"}, {"tier", "front"}}}, {"deployment bare", {}}});
    CHECK(read_idle_workloads("{", "deployment").has_error());
    CHECK(read_idle_workloads("{}", "deployment")->empty());
}

namespace {

/// Names are asked for and never answered.
struct silent_network final : network {
    awaitable<result<std::vector<boost::asio::ip::address>>> resolve(std::string) override
    {
        ++asked;
        co_await never.wait();
        co_return error{errc::dns_failed, "never"};
    }
    awaitable<result<std::unique_ptr<data_stream>>> connect(endpoint) override { co_return none(); }
    awaitable<result<std::unique_ptr<data_stream>>> connect_unix(std::string) override { co_return none(); }
    result<std::unique_ptr<acceptor>> listen(endpoint, listen_options) override { return none(); }
    result<std::unique_ptr<acceptor>> adopt_listener(int) override { return none(); }
    result<std::unique_ptr<acceptor>> listen_unix(std::string) override { return none(); }
    static error none() { return {errc::unsupported, "names only"}; }
    async_event never;
    int asked = 0;
};

} // namespace

TEST_CASE("where the DNS is silent names count as free after a moment, once for all of them", "[public_names]")
{
    kube::test::world w;
    silent_network net;
    task_scope tasks{w.loop.get_executor(), w.log};
    std::vector<std::string> told;
    public_names names{net, w.clock, tasks,
                       [&](const std::vector<std::string>& some) { told.insert(told.end(), some.begin(), some.end()); }};
    for (const auto* name : {"a.shop", "b.shop", "c.shop"}) CHECK(names.of(name).what == public_names::verdict::unknown);
    CHECK_FALSE(names.settled());
    w.clock.advance(1900ms);
    CHECK(told.empty());
    w.clock.advance(200ms);
    CHECK(told == std::vector<std::string>{"a.shop", "b.shop", "c.shop"});
    CHECK(net.asked == 1);
    CHECK(names.settled());
    CHECK(names.of("b.shop").what == public_names::verdict::free);
}

TEST_CASE("names are looked up again when the network changes, and stay what they are until then", "[public_names]")
{
    kube::test::world w;
    task_scope tasks{w.loop.get_executor(), w.log};
    std::vector<std::string> told;
    public_names names{w.net, w.clock, tasks,
                       [&](const std::vector<std::string>& some) { told.insert(told.end(), some.begin(), some.end()); }};
    (void)names.of("web.dev");
    w.clock.settle();
    CHECK(names.of("web.dev").what == public_names::verdict::free);
    w.net.hosts["web.dev"] = {boost::asio::ip::make_address("192.0.2.7")};
    told.clear();
    names.look_again();
    CHECK(names.of("web.dev").what == public_names::verdict::free);
    w.clock.settle();
    CHECK(told == std::vector<std::string>{"web.dev"});
    CHECK(names.of("web.dev").what == public_names::verdict::taken);
    CHECK(names.of("web.dev").address == "192.0.2.7");
}
