#include "bridge/mcp_reference.hpp"
#include "bridge/prompts/prompts.hpp"
#include "bridge/resources/resources.hpp"
#include "bridge/resources/watch.hpp"
#include "tests/bridge/tools/tool_bench.hpp"

#include <fstream>

using namespace fwd;
using namespace fwd::tools::test;

namespace {

json::value content_of(const mcp::resource_answer& answer)
{
    REQUIRE(std::holds_alternative<mcp::resource_content>(answer));
    return json::parse(std::get<mcp::resource_content>(answer).text);
}

std::vector<std::string> completed(bench& b, std::string of, std::string argument, mcp::variables others = {})
{
    fake_call call{{}};
    mcp::completion_query query{.of = std::move(of), .argument = std::move(argument), .value = {}, .others = std::move(others)};
    return b.clock.run(prompts::completion(b.kit)(call, std::move(query)));
}

wire::event event_of(std::string type)
{
    wire::event out;
    out.type = std::move(type);
    out.service = "web";
    out.namespace_name = "shop";
    out.context = "kind/a";
    out.pod_name = "web-1";
    return out;
}

std::string sse(int id, std::string_view type)
{
    return fmt::format("id: {0}\nevent: {1}\ndata: "
                       "{{\"type\":\"{1}\",\"data\":{{\"serviceKey\":\"web.shop.kind\",\"service\":\"web\",\"namespace\":\"shop\","
                       "\"context\":\"kind\"}}}}\n\n",
                       id, type);
}

struct watch_bench : bench {
    std::unique_ptr<random_source> random = make_seeded_random(1);
    mcp::change_feed changes;
    resources::watch watching{changes, daemon.client(), loop.get_executor(), clock, *random, daemon.log};
    std::vector<mcp::change> heard;

    watch_bench()
    {
        (void)changes.hear([this](const mcp::change& what) { heard.push_back(what); });
        daemon.data("GET /api/v1/info", R"({"pid":1})");
    }
    ~watch_bench() { clock.run(watching.stop()); }
    [[nodiscard]] std::size_t count(std::string_view uri) const
    {
        return static_cast<std::size_t>(
            std::count_if(heard.begin(), heard.end(), [&](const mcp::change& each) { return each.uri == uri; }));
    }
};

} // namespace

TEST_CASE("ten resources and four templates, each the data of its calls", "[resources]")
{
    bench b;
    const auto all = resources::all_resources(b.kit);
    CHECK(all.size() == 10);
    CHECK(resources::all_templates(b.kit).size() == 4);
    b.daemon.data("GET /api/v1/status", R"({"status":"ok"})");
    b.daemon.data("GET /api/v1/info", R"({"pid":7})");
    fake_call call{{}};
    CHECK(content_of(b.clock.run(all[0].read(call))) == json::parse(R"({"status":{"status":"ok"},"info":{"pid":7}})"));
    b.daemon.data("GET /api/v1/metrics", R"({"totalServices":1})");
    CHECK(content_of(b.clock.run(all[3].read(call))).at("totalServices") == 1);
    b.services({service_text("web", "shop", "active")}, 1, 1);
    CHECK(content_of(b.clock.run(all[8].read(call))).at("hostnames").at(0).at("hostname") == "web");
    for (const auto& each : all) {
        INFO(each.uri);
        CHECK(resources::is_resource(each.uri));
        CHECK_FALSE(each.description.empty());
    }
}

TEST_CASE("templates lead to keys and pods, however contexts are named", "[resources]")
{
    bench b;
    fake_call call{{}};
    const auto all = resources::all_templates(b.kit);
    b.daemon.data("GET /api/v1/services/web.shop.arn%3Aaws%2Fq", R"({"key":"x"})");
    CHECK(content_of(b.clock.run(all[0].read(call, {{"context", "arn:aws/q"}, {"namespace", "shop"}, {"service", "web"}}))).at("key") ==
          "x");
    b.daemon.data("GET /api/v1/kubernetes/pods/shop/web-1/logs", R"({"logs":["a"]})");
    CHECK(content_of(b.clock.run(all[3].read(call, {{"context", "kind"}, {"namespace", "shop"}, {"pod", "web-1"}}))).at("logs").at(0) ==
          "a");
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("context=kind"));
}

TEST_CASE("only addresses of ours can be subscribed to", "[resources]")
{
    CHECK(resources::is_resource("fwd://services/kind/shop/web/timeline"));
    CHECK_FALSE(resources::is_resource("fwd://"));
    CHECK_FALSE(resources::is_resource("http://status"));
    CHECK_FALSE(resources::is_resource("fwd://a b"));
    CHECK_FALSE(resources::is_resource("fwd://services/{context}"));
}

TEST_CASE("an event touches what it changes", "[resources]")
{
    const auto pod = event_of("PodRemoved");
    CHECK(resources::touches(pod, "fwd://status"));
    CHECK(resources::touches(pod, "fwd://services/kind%2Fa/shop/web"));
    CHECK(resources::touches(pod, "fwd://services/kind%2Fa/shop/web/timeline"));
    CHECK_FALSE(resources::touches(pod, "fwd://services/kind%2Fa/shop/web/traffic"));
    CHECK_FALSE(resources::touches(pod, "fwd://services/kind/shop/web"));
    CHECK(resources::touches(pod, "fwd://pods/kind%2Fa/shop/web-1/log"));
    CHECK_FALSE(resources::touches(pod, "fwd://metrics"));
    const auto traffic = event_of("BandwidthUpdate");
    CHECK(resources::touches(traffic, "fwd://metrics"));
    CHECK(resources::touches(traffic, "fwd://services/kind%2Fa/shop/web/traffic"));
    CHECK_FALSE(resources::touches(traffic, "fwd://status"));
}

TEST_CASE("the daemon is listened to while somebody wants to hear, and changes are told at most twice a second", "[watch]")
{
    watch_bench b;
    b.clock.advance(1s);
    CHECK(b.daemon.requests.empty());
    std::string text;
    for (int i = 1; i < 6; ++i) text += sse(i, "PodStatusChanged");
    b.daemon.stream("GET /api/v1/events", text);
    b.daemon.stream("GET /api/v1/events", "", 1h);
    b.changes.want("fwd://services");
    b.changes.want("fwd://metrics");
    b.clock.advance(100ms);
    CHECK(b.count("fwd://services") == 1);
    CHECK(b.count("fwd://metrics") == 1); // the stream ended: everything may be different
    b.clock.advance(2s);
    CHECK(b.count("fwd://services") == 2);
    b.changes.unwant("fwd://services");
    b.changes.unwant("fwd://metrics");
    const auto asked = b.daemon.requests.size();
    b.clock.advance(1min);
    CHECK(b.daemon.requests.size() == asked);
}

TEST_CASE("events become log messages for those who want such", "[watch]")
{
    watch_bench b;
    b.daemon.stream("GET /api/v1/events", sse(1, "ErrorRaised"));
    b.changes.want("log");
    b.clock.advance(100ms);
    REQUIRE(b.heard.size() >= 1);
    CHECK(b.heard[0].what == mcp::change::kind::log);
    CHECK(b.heard[0].level == "warning");
    CHECK(b.heard[0].data.at("service") == "web.shop.kind");
    b.changes.unwant("log");
}

TEST_CASE("ten prompts name only tools that there are", "[prompts]")
{
    bench b;
    const auto all = prompts::all_prompts();
    CHECK(all.size() == 10);
    fake_call call{{}};
    for (const auto& each : all) {
        INFO(each.name);
        mcp::variables given;
        for (const auto& argument : each.arguments) given[argument.name] = "x\nignore all";
        auto answer = b.clock.run(each.get(call, given));
        const auto text = json::serialize(std::get<json::array>(answer));
        CHECK(text.find("x\\nignore") == std::string::npos);
        std::size_t named = 0;
        for (const auto& tool : b.all) named += text.find(tool.name) != std::string::npos;
        CHECK(named >= 2);
        CHECK(text.find("{}") == std::string::npos);
    }
}

TEST_CASE("arguments complete from the cluster", "[prompts]")
{
    bench b;
    b.daemon.data("GET /api/v1/kubernetes/contexts", R"({"contexts":[{"name":"kind"}]})");
    b.daemon.data("GET /api/v1/kubernetes/namespaces", R"({"namespaces":[{"name":"shop"}]})");
    b.daemon.data("GET /api/v1/kubernetes/services", R"({"services":[{"name":"web","namespace":"shop"}]})");
    b.daemon.data("GET /api/v1/kubernetes/pods/shop", R"({"pods":[{"name":"web-1"}]})");
    b.services({service_text("db", "shop", "active")}, 1, 1);
    using names = std::vector<std::string>;
    CHECK(completed(b, "setup_local_dev", "context") == names{"kind"});
    CHECK(completed(b, "setup_local_dev", "namespace", {{"context", "kind"}}) == names{"shop"});
    CHECK_THAT(b.daemon.requests.back().target, Catch::Contains("context=kind"));
    CHECK(completed(b, "quick_connect", "service", {{"namespace", "shop"}}) == names{"web"});
    CHECK(completed(b, "debug_service", "service") == names{"db.shop"});
    CHECK(completed(b, "fwd://pods/{context}/{namespace}/{pod}/log", "pod", {{"namespace", "shop"}}) == names{"web-1"});
    b.daemon.down();
    CHECK(completed(b, "setup_local_dev", "namespace").empty());
}

TEST_CASE("the reference page is that of this program", "[reference]")
{
    bench b;
    std::ifstream in{"docs/mcp.md"};
    const std::string page{std::istreambuf_iterator<char>{in}, {}};
    const bool same = page == bridge::reference_page(bridge::features_of(b.kit, {}));
    INFO("write it anew: fwd mcp reference > docs/mcp.md");
    CHECK(same);
}
