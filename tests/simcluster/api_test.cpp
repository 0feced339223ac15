#include "common/text.hpp"
#include "tests/simcluster/bed.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

using namespace fwd;
using namespace fwd::simcluster;
using namespace fwd::simcluster::test;

namespace {

std::vector<std::string> names(const json::object& list)
{
    std::vector<std::string> found;
    for (const auto& item : list.at("items").get_array()) found.push_back(text_at(item.get_object(), "metadata.name"));
    return found;
}

std::string revision_of(const json::object& list)
{
    return text_at(list, "metadata.resourceVersion");
}

/// The JSON lines of a chunked watch, without the chunk sizes.
words events(const std::string& wire)
{
    words found;
    for (const auto& line : split(wire, '\n'))
        if (line.starts_with("{")) found.push_back(line);
    return found;
}

} // namespace

TEST_CASE("the shop has the services that tests of both clusters rely on", "[simcluster]")
{
    bed here;
    client asks{here};
    const auto list = body_of(asks.ask("GET", "/api/v1/namespaces/shop/services"));
    CHECK(names(list) == words{"api", "cache", "cart", "crashing", "db", "dns-udp", "echo", "empty", "external", "greeter", "idle",
                               "manual", "mixed", "never-ready", "orders", "sink", "source", "web"});
    CHECK(list.at("kind") == "ServiceList");
    const auto staging = body_of(asks.ask("GET", "/api/v1/namespaces/staging/services"));
    CHECK(names(staging) == words{"api", "db", "web"});
    CHECK(here.cluster->count().requests["list services"] == 2);
    CHECK(here.cluster->count().paths["GET /api/v1/namespaces/{namespace}/services"] == 2);
}

TEST_CASE("a list obeys its selectors", "[simcluster]")
{
    bed here;
    client asks{here};
    CHECK(names(body_of(asks.ask("GET", "/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb"))).size() == 3);
    CHECK(names(body_of(asks.ask("GET", "/api/v1/namespaces/shop/pods?labelSelector=app%20in%20(web,api)"))).size() == 5);
    CHECK(names(body_of(asks.ask("GET", "/api/v1/pods?fieldSelector=metadata.name%3Dorders-1"))) == words{"orders-1"});
    CHECK(names(body_of(asks.ask("GET", "/api/v1/namespaces/shop/pods?labelSelector=app!%3Dweb,app"))).size() == 16);
}

TEST_CASE("a list comes in pages unless any revision will do", "[simcluster]")
{
    bed here;
    client asks{here};
    const auto first = body_of(asks.ask("GET", "/api/v1/namespaces/shop/services?limit=10"));
    CHECK(names(first).size() == 10);
    CHECK(text_at(first, "metadata.remainingItemCount") == "8");
    const auto token = text_at(first, "metadata.continue");
    const auto second = body_of(asks.ask("GET", "/api/v1/namespaces/shop/services?limit=10&continue=" + percent_encode(token)));
    CHECK(names(second).front() == "idle");
    CHECK(names(second).size() == 8);
    CHECK(text_at(second, "metadata.continue").empty());
    CHECK(names(body_of(asks.ask("GET", "/api/v1/namespaces/shop/services?limit=10&resourceVersion=0"))).size() == 18);

    here.cluster->expire_watches();
    CHECK(asks.ask("GET", "/api/v1/namespaces/shop/services?limit=10&continue=" + percent_encode(token)).starts_with("HTTP/1.1 410"));
}

TEST_CASE("a watch tells what changed since a list, in its selection's words", "[simcluster]")
{
    bed here;
    client lists{here}, watches{here};
    const auto list = body_of(lists.ask("GET", "/api/v1/namespaces/shop/pods"));
    auto answer = watches.ask("GET", "/api/v1/namespaces/shop/pods?watch=1&labelSelector=app%3Dcart&resourceVersion=" + revision_of(list));
    CHECK(answer.find("Transfer-Encoding: chunked") != std::string::npos);
    CHECK(events(answer).empty());

    const auto pod = here.pod_of("cart");
    auto body = here.cluster->store().find(*find_type("", "pods"), pod)->body;
    body["metadata"].get_object()["labels"].get_object()["app"] = "other";
    REQUIRE(here.cluster->put(body).has_value());
    auto heard = events(watches.receive());
    REQUIRE(heard.size() >= 1);
    CHECK(heard[0].starts_with(R"({"type":"DELETED")"));

    body["metadata"].get_object()["labels"].get_object()["app"] = "cart";
    REQUIRE(here.cluster->put(body).has_value());
    heard = events(watches.receive());
    REQUIRE(heard.size() >= 1);
    CHECK(heard.back().starts_with(R"({"type":"ADDED")"));
}

TEST_CASE("a watch without revision begins with what there is", "[simcluster]")
{
    bed here;
    client watches{here};
    CHECK(events(watches.ask("GET", "/api/v1/namespaces/shop/services?watch=true")).size() == 18);
    client streaming{here};
    const auto heard = events(streaming.ask(
        "GET",
        "/api/v1/namespaces/staging/services?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"));
    REQUIRE(heard.size() == 4);
    CHECK(heard.back().find(R"("k8s.io/initial-events-end":"true")") != std::string::npos);
}

TEST_CASE("an idle watch gets bookmarks, and ends when its time is over", "[simcluster]")
{
    bed here;
    client watches{here};
    const auto revision = std::to_string(here.cluster->store().revision());
    (void)watches.ask("GET", "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=100&resourceVersion=" + revision);
    here.clock.advance(61s);
    const auto heard = events(watches.receive());
    REQUIRE(heard.size() == 1);
    CHECK(
        heard[0].starts_with(R"({"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":")" + revision));
    here.clock.advance(40s);
    CHECK(watches.receive() == "0\r\n\r\n");
    // The connection serves on.
    CHECK(watches.ask("GET", "/version").starts_with("HTTP/1.1 200"));
}

TEST_CASE("a watch that is too old is told so", "[simcluster]")
{
    bed here;
    client watches{here};
    const auto revision = std::to_string(here.cluster->store().revision());
    (void)watches.ask("GET", "/api/v1/pods?watch=1&resourceVersion=" + revision);
    here.cluster->expire_watches();
    const auto heard = events(watches.receive());
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].starts_with(R"({"type":"ERROR","object":{"kind":"Status")"));
    CHECK(heard[0].find(R"("code":410)") != std::string::npos);
    client late{here};
    CHECK(events(late.ask("GET", "/api/v1/pods?watch=1&resourceVersion=" + revision)).size() == 1);
}

TEST_CASE("watches can be cut in an orderly way", "[simcluster]")
{
    bed here;
    client pods{here}, services{here};
    (void)pods.ask("GET", "/api/v1/pods?watch=1&resourceVersion=999999");
    (void)services.ask("GET", "/api/v1/services?watch=1&resourceVersion=999999");
    CHECK(here.cluster->cut_watches("pods") == 1);
    CHECK(pods.receive() == "0\r\n\r\n");
    CHECK(services.receive().empty());
}

TEST_CASE("each user has their rights", "[simcluster]")
{
    auto options = bed::plain();
    options.settings.anonymous_is_admin = false;
    bed here{options};
    client asks{here};
    const auto as = [&](std::string_view token, const std::string& target) {
        return asks.ask("GET", target, fmt::format("Authorization: Bearer {}\r\n", token)).substr(9, 3);
    };
    CHECK(as(admin_token, "/api/v1/services") == "200");
    CHECK(as(shop_token, "/api/v1/namespaces/shop/services") == "200");
    CHECK(as(shop_token, "/api/v1/namespaces/staging/services") == "403");
    CHECK(as(shop_token, "/api/v1/services") == "403");
    CHECK(as(nobody_token, "/api/v1/namespaces/shop/pods") == "403");
    CHECK(as("no-such-token", "/api/v1/services") == "401");
    CHECK(asks.ask("GET", "/api/v1/services").substr(9, 3) == "403");

    const auto body = std::string{
        R"({"kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"namespace":"shop","verb":"create","resource":"pods","subresource":"portforward"}}})"};
    const auto path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const auto review = [&](std::string_view token) {
        const auto answer = body_of(asks.ask("POST", path, fmt::format("Authorization: Bearer {}\r\n", token), body));
        return text_at(answer, "status.allowed");
    };
    CHECK(review(shop_token) == "true");
    CHECK(review(nobody_token) == "false");
    const auto denial = here.cluster->rules().deny({"sim-shop", {}, {"pods/portforward"}, {}});
    CHECK(review(shop_token) == "false");
    here.cluster->rules().lift(denial);
    CHECK(review(shop_token) == "true");
}

TEST_CASE("a token ends and the credential plugin has a new one", "[simcluster]")
{
    auto options = bed::plain();
    options.settings.anonymous_is_admin = false;
    bed here{options};
    client asks{here};
    const auto token = [&] { return text_at(parse_json(here.cluster->exec_credential())->get_object(), "status.token"); };
    const auto status = [&](const std::string& with) {
        return asks.ask("GET", "/api/v1/nodes", "Authorization: Bearer " + with + "\r\n").substr(9, 3);
    };
    const auto old = token();
    CHECK(status(old) == "200");
    here.cluster->expire_token("sim-exec");
    CHECK(status(old) == "401");
    CHECK(status(token()) == "200");
}

TEST_CASE("scripted answers come as often as they were asked for", "[simcluster]")
{
    bed here;
    client asks{here};
    scripted_answer busy;
    busy.verb = "list";
    busy.resource = "services";
    busy.status = 429;
    busy.retry_after = 3;
    busy.times = 2;
    here.cluster->answer_with(busy);
    CHECK(asks.ask("GET", "/api/v1/pods").starts_with("HTTP/1.1 200"));
    for (int i = 0; i < 2; ++i) {
        const auto answer = asks.ask("GET", "/api/v1/services");
        CHECK(answer.starts_with("HTTP/1.1 429"));
        CHECK(answer.find("Retry-After: 3\r\n") != std::string::npos);
        CHECK(text_at(body_of(answer), "reason") == "TooManyRequests");
    }
    CHECK(asks.ask("GET", "/api/v1/services").starts_with("HTTP/1.1 200"));

    scripted_answer rubbish;
    rubbish.what = scripted_answer::kind::garbage;
    rubbish.path = "/version";
    here.cluster->answer_with(rubbish);
    CHECK(!asks.ask("GET", "/version").starts_with("HTTP"));
    CHECK(asks.ended);
}

TEST_CASE("the log of a pod can be read and followed", "[simcluster]")
{
    bed here;
    const auto pod = here.pod_of("cart");
    const auto path = "/api/v1/namespaces/shop/pods/" + pod.name + "/log";
    client asks{here}, follows{here};
    CHECK(asks.ask("GET", path).find(pod.name + ": started\n") != std::string::npos);
    (void)follows.ask("GET", path + "?follow=true&tailLines=0");
    here.cluster->pods().log(pod, "something happened");
    CHECK(follows.receive() == "13\r\nsomething happened\n\r\n");
    here.cluster->control().delete_pod(pod, 0ns);
    CHECK(follows.receive() == "0\r\n\r\n");
    CHECK(asks.ask("GET", path).starts_with("HTTP/1.1 404"));
}
