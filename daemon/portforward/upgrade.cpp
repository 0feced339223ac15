#include "daemon/portforward/upgrade.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "daemon/kube/api_client.hpp"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <openssl/evp.h>

namespace fwd::portforward {

namespace {

constexpr std::string_view stream_protocol = "portforward.k8s.io";
constexpr std::string_view tunnel_protocol = "SPDY/3.1+portforward.k8s.io";
constexpr std::string_view legacy_protocol = "v4.channel.k8s.io";
constexpr int first_minor_with_tunnel = 31; ///< on by default there

std::string host_field(const kube::access& access)
{
    const auto host = access.host.find(':') == std::string::npos ? access.host : "[" + access.host + "]";
    return access.port == (access.tls ? 443 : 80) ? host : fmt::format("{}:{}", host, access.port);
}

std::string_view words_of(transport_kind kind)
{
    switch (kind) {
    case transport_kind::websocket: return "WebSocket tunnel";
    case transport_kind::spdy: return "SPDY";
    case transport_kind::legacy: return "legacy WebSocket";
    }
    return "";
}

bool is_websocket_answer(const http_response& answer, std::string_view key, std::string_view protocol)
{
    return answer.fields.lists("Upgrade", "websocket") && answer.fields.get("Sec-WebSocket-Protocol") == protocol &&
           answer.fields.get("Sec-WebSocket-Accept") == websocket_accept(key) && !answer.fields.has("Sec-WebSocket-Extensions");
}

bool opens_tunnel(transport_kind kind, const http_response& answer, std::string_view key)
{
    if (answer.status != 101 || !answer.fields.lists("Connection", "upgrade")) return false;
    switch (kind) {
    case transport_kind::websocket: return is_websocket_answer(answer, key, tunnel_protocol);
    case transport_kind::legacy: return is_websocket_answer(answer, key, legacy_protocol);
    case transport_kind::spdy:
        return answer.fields.lists("Upgrade", "spdy/3.1") && answer.fields.get("X-Stream-Protocol-Version") == stream_protocol;
    }
    return false;
}

} // namespace

std::string make_websocket_key(random_source& random)
{
    std::array<std::byte, 16> bytes;
    random.fill(bytes);
    return base64(bytes);
}

std::string websocket_accept(std::string_view key)
{
    const auto text = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<std::byte, 20> digest;
    EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha1(), nullptr);
    return base64(digest);
}

http_request upgrade_request(transport_kind kind, const kube::access& access, const kube::pod_ref& pod, std::uint16_t port,
                             std::string_view key)
{
    http_request made;
    made.target = fmt::format("{}/api/v1/namespaces/{}/pods/{}/portforward", access.path_prefix, percent_encode(pod.namespace_name),
                              percent_encode(pod.name));
    made.fields.add("Host", host_field(access));
    made.fields.add("User-Agent", "fwd/" FWD_VERSION);
    for (const auto& [name, value] : access.authorization) made.fields.add(name, value);
    made.fields.add("Connection", "Upgrade");
    if (kind == transport_kind::spdy) {
        made.method = "POST"; // the RBAC verb create; a WebSocket's GET is the verb get
        made.fields.add("Upgrade", "SPDY/3.1");
        made.fields.add("X-Stream-Protocol-Version", std::string{stream_protocol});
        made.fields.add("Content-Length", "0");
        return made;
    }
    if (kind == transport_kind::legacy) made.target += fmt::format("?ports={}", port);
    made.fields.add("Upgrade", "websocket");
    made.fields.add("Sec-WebSocket-Version", "13");
    made.fields.add("Sec-WebSocket-Key", std::string{key});
    made.fields.add("Sec-WebSocket-Protocol", std::string{kind == transport_kind::websocket ? tunnel_protocol : legacy_protocol});
    return made;
}

std::optional<refusal> judge_upgrade(transport_kind kind, const http_response& answer, std::string_view key, const kube::pod_ref& pod)
{
    if (opens_tunnel(kind, answer, key)) return std::nullopt;
    using failed = tunnel_failure::kind;
    const auto what = fmt::format("open a {} to pod {}/{}",
                                  kind == transport_kind::websocket ? "WebSocket tunnel" : std::string{words_of(kind)} + " tunnel",
                                  pod.namespace_name, pod.name);
    if (answer.status == 101) {
        error why{errc::upgrade_failed, what + ": the server upgraded to another protocol"};
        return refusal{{failed::refused_upgrade, std::move(why), std::nullopt}, true, true, false};
    }
    auto said = kube::failure_of(answer.status, answer.body, answer.fields.get("Retry-After"), what);
    const bool from_server = !said.reason.empty();
    const auto says = [body = std::string_view{answer.body}](std::string_view words) { return body.find(words) != std::string_view::npos; };
    const auto final = [&](failed kind_of) { return refusal{{kind_of, said.why, said.retry_after}, false, false, from_server}; };
    const auto fall_back = [&](failed kind_of) { return refusal{{kind_of, said.why, said.retry_after}, true, !from_server, from_server}; };

    if (said.status == 401) return final(failed::credentials_rejected);
    const bool no_pod = said.status == 404 && from_server && (says("\"kind\":\"pods\"") || says("pods \\\""));
    if (no_pod || says("pod does not exist") || says("pod not found")) return final(failed::pod_gone);
    if (says("does not have a host assigned")) return final(failed::not_ready);
    if (says("error dialing backend")) return final(failed::unreachable); // the API server does not reach the node
    if (said.status == 429 || (said.status == 503 && (said.retry_after || from_server))) return final(failed::busy);
    if (said.status == 403) {
        said.why.context += "; port-forward needs the verbs get and create on pods/portforward";
        return fall_back(failed::forbidden);
    }
    said.why.code = make_error_code(errc::upgrade_failed);
    return fall_back(said.status == 503 ? failed::busy : said.status >= 500 ? failed::unreachable : failed::refused_upgrade);
}

std::vector<transport_kind> transport_order(transport_choice choice, std::optional<int> server_minor,
                                            std::optional<transport_kind> remembered)
{
    switch (choice) {
    case transport_choice::websocket: return {transport_kind::websocket};
    case transport_choice::spdy: return {transport_kind::spdy};
    case transport_choice::legacy: return {transport_kind::legacy};
    case transport_choice::automatic: break;
    }
    std::vector order = {transport_kind::websocket, transport_kind::spdy, transport_kind::legacy};
    if (server_minor && *server_minor < first_minor_with_tunnel) std::swap(order[0], order[1]);
    if (remembered) std::stable_partition(order.begin(), order.end(), [&](auto kind) { return kind == *remembered; });
    return order;
}

} // namespace fwd::portforward
