#include "daemon/kube/discovery.hpp"

#include "common/json_reader.hpp"
#include "tests/daemon/kube/scripted_server.hpp"

#include <boost/json/value.hpp>
#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;
using kube::test::reply;

namespace {

struct bed : kube::test::world {
    kube::test::scripted_server server{*this};
    kube::test::fake_credentials credentials;
    std::unique_ptr<api_client> client = make_api_client(around, credentials);
    discovery ask{*client};
};

} // namespace

TEST_CASE("versions of every spelling are read", "[discovery]")
{
    struct row {
        std::string text;
        int major, minor;
    };
    const auto each = GENERATE(values<row>({{R"({"major":"1","minor":"33","gitVersion":"v1.33.1"})", 1, 33},
                                            {R"({"major":"1","minor":"29+","gitVersion":"v1.29.4-eks-036c24b"})", 1, 29},
                                            {R"({"major":"","minor":"","gitVersion":"v1.31.0+k3s1"})", 1, 31},
                                            {R"({"gitVersion":"rubbish"})", 0, 0},
                                            {"[]", 0, 0}}));
    const auto made = read_version(*parse_json(each.text));
    CHECK(made.major == each.major);
    CHECK(made.minor == each.minor);
}

TEST_CASE("lists are ordered and come from the server's cache", "[discovery]")
{
    bed b;
    b.server.answer = [](const http_request& r) {
        if (r.target.find("continue") != std::string::npos)
            return reply{200, R"({"metadata":{},"items":[{"metadata":{"name":"a"}}]})", {}, nullptr};
        return reply{200, R"({"metadata":{"continue":"t"},"items":[{"metadata":{"name":"c"}},{"metadata":{"name":"b"}}]})", {}, nullptr};
    };
    auto all = b.clock.run(b.ask.namespaces());
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 3);
    CHECK((*all)[0].meta.name == "a");
    CHECK((*all)[2].meta.name == "c");
    CHECK(b.server.asked[0].target == "/api/v1/namespaces?resourceVersion=0");
    auto services = b.clock.run(b.ask.services({.namespace_name = "shop", .label_selector = "a=b"}));
    REQUIRE(services.has_value());
    CHECK(b.server.asked[2].target == "/api/v1/namespaces/shop/services?resourceVersion=0&labelSelector=a%3Db");
}

TEST_CASE("an object that is not there is not found", "[discovery]")
{
    bed b;
    b.server.answer = [](const http_request&) {
        return reply{404, R"({"kind":"Status","code":404,"reason":"NotFound","message":"namespaces \"x\" not found"})", {}, nullptr};
    };
    const auto found = b.clock.run(b.ask.namespace_named("x"));
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().why.is(errc::not_found));
    CHECK(found.error().why.message() == R"(get namespace x: namespaces "x" not found)");
    CHECK(b.server.asked[0].target == "/api/v1/namespaces/x");
}

TEST_CASE("events of an object come newest first and bounded", "[discovery]")
{
    bed b;
    b.server.answer = [](const http_request&) {
        return reply{200,
                     R"({"metadata":{},"items":[{"metadata":{"name":"a"},"lastTimestamp":"2026-01-01T00:00:01Z"},
                         {"metadata":{"name":"b"},"lastTimestamp":"2026-01-01T00:00:03Z"},{"metadata":{"name":"c"},"lastTimestamp":"2026-01-01T00:00:02Z"}]})",
                     {},
                     nullptr};
    };
    const auto all = b.clock.run(b.ask.events("shop", "Pod", "web-1", 2));
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 2);
    CHECK((*all)[0].meta.name == "b");
    CHECK((*all)[1].meta.name == "c");
    CHECK(b.server.asked[0].target.find("fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3Dweb-1") != std::string::npos);
}

TEST_CASE("an access review that allows takes one request, a refusal asks for the other verb too", "[discovery]")
{
    bed b;
    const bool allowed = GENERATE(true, false);
    b.server.answer = [&](const http_request&) {
        return reply{201, allowed ? R"({"status":{"allowed":true}})" : R"({"status":{"allowed":false,"reason":"no rule"}})", {}, nullptr};
    };
    const auto may = b.clock.run(b.ask.may_forward("shop"));
    REQUIRE(may.has_value());
    CHECK(may->allowed == allowed);
    CHECK(may->reason == (allowed ? "" : "no rule"));
    REQUIRE(b.server.asked.size() == (allowed ? 1 : 2));
    CHECK(b.server.asked[0].method == "POST");
    CHECK(
        b.server.asked[0].body ==
        R"({"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","spec":{"resourceAttributes":{"namespace":"shop","verb":"create","resource":"pods","subresource":"portforward"}}})");
    CHECK(b.server.asked[0].fields.get("Content-Type") == "application/json");
}
