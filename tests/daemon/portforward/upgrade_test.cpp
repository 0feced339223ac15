#include "daemon/portforward/upgrade.hpp"

#include <catch2/catch.hpp>

using namespace fwd::portforward;
using fwd::http_response;
using failed = tunnel_failure::kind;

namespace {

const fwd::kube::pod_ref pod{"shop", "web-1", "uid"};
constexpr auto key = "dGhlIHNhbXBsZSBub25jZQ==";

fwd::kube::access access_to(std::string host)
{
    fwd::kube::access made;
    made.host = std::move(host);
    made.port = 6443;
    made.authorization.add("Authorization", "Bearer secret");
    return made;
}

http_response answer(unsigned status, std::string body = {}, std::vector<std::pair<std::string, std::string>> fields = {})
{
    http_response made;
    made.status = status;
    made.body = std::move(body);
    for (auto& [name, value] : fields) made.fields.add(name, value);
    return made;
}

http_response websocket_answer(std::string protocol)
{
    return answer(101, {},
                  {{"Connection", "Upgrade"},
                   {"Upgrade", "websocket"},
                   {"Sec-WebSocket-Accept", websocket_accept(key)},
                   {"Sec-WebSocket-Protocol", std::move(protocol)}});
}

std::string status_object(int code, std::string reason, std::string message, std::string details = "{}")
{
    return R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":")" + message + R"(","reason":")" + reason +
           R"(","details":)" + details + R"(,"code":)" + std::to_string(code) + "}";
}

refusal judged(transport_kind kind, const http_response& response)
{
    const auto found = judge_upgrade(kind, response, key, pod);
    REQUIRE(found.has_value());
    return *found;
}

} // namespace

TEST_CASE("the accept value is that of RFC 6455's example", "[upgrade]")
{
    CHECK(websocket_accept(key) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("upgrade requests name the pod, the protocol and the user", "[upgrade]")
{
    auto access = access_to("api.example");
    access.path_prefix = "/k8s/clusters/c-1";
    const auto spdy = upgrade_request(transport_kind::spdy, access, pod, 80, key);
    CHECK(spdy.method == "POST");
    CHECK(spdy.target == "/k8s/clusters/c-1/api/v1/namespaces/shop/pods/web-1/portforward");
    CHECK(spdy.fields.get("Host") == "api.example:6443");
    CHECK(spdy.fields.get("Authorization") == "Bearer secret");
    CHECK(spdy.fields.get("Connection") == "Upgrade");
    CHECK(spdy.fields.get("Upgrade") == "SPDY/3.1");
    CHECK(spdy.fields.get("X-Stream-Protocol-Version") == "portforward.k8s.io");

    const auto tunnel = upgrade_request(transport_kind::websocket, access_to("10.0.0.1"), pod, 80, key);
    CHECK(tunnel.method == "GET");
    CHECK(tunnel.target == "/api/v1/namespaces/shop/pods/web-1/portforward");
    CHECK(tunnel.fields.get("Sec-WebSocket-Protocol") == "SPDY/3.1+portforward.k8s.io");
    CHECK(tunnel.fields.get("Sec-WebSocket-Version") == "13");
    CHECK(tunnel.fields.get("Sec-WebSocket-Key") == key);

    const auto legacy = upgrade_request(transport_kind::legacy, access_to("fd00::1"), pod, 80, key);
    CHECK(legacy.target == "/api/v1/namespaces/shop/pods/web-1/portforward?ports=80");
    CHECK(legacy.fields.get("Host") == "[fd00::1]:6443");
    CHECK(legacy.fields.get("Sec-WebSocket-Protocol") == "v4.channel.k8s.io");
}

TEST_CASE("only the right 101 opens a tunnel; another falls back", "[upgrade]")
{
    CHECK_FALSE(judge_upgrade(transport_kind::websocket, websocket_answer("SPDY/3.1+portforward.k8s.io"), key, pod));
    CHECK_FALSE(judge_upgrade(transport_kind::legacy, websocket_answer("v4.channel.k8s.io"), key, pod));
    const auto spdy =
        answer(101, {}, {{"connection", "upgrade"}, {"upgrade", "SPDY/3.1"}, {"X-Stream-Protocol-Version", "portforward.k8s.io"}});
    CHECK_FALSE(judge_upgrade(transport_kind::spdy, spdy, key, pod));

    CHECK(judged(transport_kind::websocket, websocket_answer("v4.channel.k8s.io")).try_other);
    CHECK(judged(transport_kind::websocket, websocket_answer("")).try_other);
    CHECK(judge_upgrade(transport_kind::websocket, websocket_answer("SPDY/3.1+portforward.k8s.io"), "another key", pod).has_value());
    CHECK(judged(transport_kind::spdy, answer(101, {}, {{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}})).try_other);
}

TEST_CASE("refusals say what the pool is to do", "[upgrade]")
{
    const auto forbidden =
        judged(transport_kind::websocket,
               answer(403, status_object(403, "Forbidden", "pods \\\"web-1\\\" is forbidden: User \\\"u\\\" cannot get")));
    CHECK(forbidden.failure.what == failed::forbidden);
    CHECK(forbidden.try_other);
    CHECK_FALSE(forbidden.blames_proxy);
    CHECK(forbidden.failure.why.message().find("verbs get and create on pods/portforward") != std::string::npos);

    const auto unknown = judged(transport_kind::spdy, answer(401, "Unauthorized"));
    CHECK(unknown.failure.what == failed::credentials_rejected);
    CHECK_FALSE(unknown.try_other);

    const auto gone =
        judged(transport_kind::websocket,
               answer(404, status_object(404, "NotFound", "pods \\\"web-1\\\" not found", R"({"name":"web-1","kind":"pods"})")));
    CHECK(gone.failure.what == failed::pod_gone);
    CHECK_FALSE(gone.try_other);
    CHECK(judged(transport_kind::spdy, answer(500, "error: pod does not exist")).failure.what == failed::pod_gone);

    const auto route = judged(transport_kind::websocket, answer(404, "404 page not found"));
    CHECK(route.failure.what == failed::refused_upgrade);
    CHECK(route.try_other);
    CHECK(route.blames_proxy);

    const auto waiting =
        judged(transport_kind::spdy, answer(400, status_object(400, "BadRequest", "pod web-1 does not have a host assigned")));
    CHECK(waiting.failure.what == failed::not_ready);
    CHECK_FALSE(waiting.try_other);

    const auto node =
        judged(transport_kind::spdy, answer(500, status_object(500, "InternalError", "error dialing backend: dial tcp 10.0.0.2:10250")));
    CHECK(node.failure.what == failed::unreachable);
    CHECK_FALSE(node.try_other);

    const auto busy = judged(transport_kind::spdy, answer(429, "slow down", {{"Retry-After", "3"}}));
    CHECK(busy.failure.what == failed::busy);
    CHECK(busy.failure.retry_after == std::chrono::seconds{3});
    CHECK_FALSE(busy.try_other);
    CHECK_FALSE(judged(transport_kind::websocket, answer(503, {}, {{"Retry-After", "1"}})).try_other);
    CHECK(judged(transport_kind::websocket, answer(503, "<html>no websockets here</html>")).try_other);

    for (const unsigned status : {200u, 400u, 405u, 426u, 501u, 502u}) {
        const auto proxy = judged(transport_kind::spdy, answer(status, "<html>proxy</html>"));
        CHECK(proxy.try_other);
        CHECK(proxy.blames_proxy);
    }
    CHECK_FALSE(judged(transport_kind::spdy, answer(400, status_object(400, "BadRequest", "Upgrade request required"))).blames_proxy);
}

TEST_CASE("the order of transports follows choice, server and memory", "[upgrade]")
{
    using kind = transport_kind;
    const auto order = [](auto... of) { return transport_order(of...); };
    const auto automatic = transport_choice::automatic;
    CHECK(order(automatic, std::nullopt, std::nullopt) == std::vector{kind::websocket, kind::spdy, kind::legacy});
    CHECK(order(automatic, 31, std::nullopt) == std::vector{kind::websocket, kind::spdy, kind::legacy});
    CHECK(order(automatic, 30, std::nullopt) == std::vector{kind::spdy, kind::websocket, kind::legacy});
    CHECK(order(automatic, 31, kind::spdy) == std::vector{kind::spdy, kind::websocket, kind::legacy});
    CHECK(order(automatic, 31, kind::legacy) == std::vector{kind::legacy, kind::websocket, kind::spdy});
    CHECK(order(transport_choice::spdy, 31, kind::websocket) == std::vector{kind::spdy});
    CHECK(order(transport_choice::legacy, 29, std::nullopt) == std::vector{kind::legacy});
}
