// Requests for pods/portforward: the upgrade by each of the three ways, and what refuses one.
#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "tests/simcluster/api_session.hpp"
#include "tests/simcluster/legacy_forward.hpp"
#include "tests/simcluster/service_ports.hpp"
#include "tests/simcluster/spdy_tunnel.hpp"

#include <boost/json/value.hpp>
#include <fmt/core.h>
#include <openssl/sha.h>

namespace fwd::simcluster {

namespace {

constexpr std::string_view protocol = "portforward.k8s.io";
constexpr std::string_view tunnel_protocol = "SPDY/3.1+portforward.k8s.io";

std::string accept_key(std::string_view key)
{
    const auto text = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455 1.3
    std::array<std::byte, SHA_DIGEST_LENGTH> digest;
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), reinterpret_cast<unsigned char*>(digest.data()));
    return base64(digest);
}

http_response switching(std::string_view to)
{
    http_response response;
    response.status = 101;
    response.fields.add("Connection", "Upgrade");
    response.fields.add("Upgrade", std::string{to});
    return response;
}

http_response plain_refusal(unsigned status, std::string text)
{
    http_response response;
    response.status = status;
    response.fields.add("Content-Type", "text/plain; charset=utf-8");
    response.body = std::move(text) + "\n";
    return response;
}

/// The ports of a legacy request, in order; empty when one is bad.
std::vector<std::uint16_t> ports_of(const http_target& target)
{
    std::vector<std::uint16_t> ports;
    for (const auto& [name, value] : target.query) {
        if (name != "ports" && name != "port") continue;
        for (const auto& each : split(value, ',')) {
            const auto port = to_number<std::uint16_t>(each);
            if (!port || *port == 0) return {};
            ports.push_back(*port);
        }
    }
    return ports;
}

} // namespace

awaitable<result<void>> api_server::portforward(session& in, const api_request& request)
{
    const object_key key{request.question.namespace_name, request.question.name};
    const auto pod = cluster_.store.find(*request.type, key);
    const auto& fields = request.http.fields;
    const auto& transport = request.transport;
    if (!pod) co_return co_await refuse_with(in, 404, fmt::format("pods \"{}\" not found", key.name), &request);
    if (text_at(pod->body, "spec.nodeName").empty() || text_at(pod->body, "status.podIP").empty())
        co_return co_await refuse_with(in, 400, fmt::format("pod {} does not have a host assigned", key.name), &request);

    if (cluster_.settings.minor >= 35 && (transport == "websocket" || transport == "legacy")) {
        // AuthorizePodWebsocketUpgradeCreatePermission: the GET of a WebSocket needs the right to create, too.
        auto question = request.question;
        question.verb = "create";
        if (!cluster_.rules.allowed(question)) co_return co_await refuse_with(in, 403, forbidden_message(question), &request);
    }

    http_response answer;
    std::vector<std::uint16_t> ports;
    if (transport.empty()) {
        answer = plain_refusal(400, "Upgrade request required");
    } else if (transport == "spdy") {
        const auto offered = fields.get("X-Stream-Protocol-Version");
        if (offered.empty()) {
            answer = plain_refusal(400, "Upgrade: header \"X-Stream-Protocol-Version\" is required");
        } else if (!fields.lists("X-Stream-Protocol-Version", protocol)) {
            answer = plain_refusal(403, fmt::format("unable to upgrade: unable to negotiate protocol: client supports [{}]", offered));
            answer.fields.add("X-Accepted-Stream-Protocol-Versions", std::string{protocol});
        } else {
            answer = switching("SPDY/3.1");
            answer.fields.add("X-Stream-Protocol-Version", std::string{protocol});
        }
    } else {
        const auto offered = fields.get("Sec-WebSocket-Protocol");
        answer = switching("websocket");
        answer.fields.add("Sec-WebSocket-Accept", accept_key(fields.get("Sec-WebSocket-Key")));
        if (fields.get("Sec-WebSocket-Key").empty() || fields.get("Sec-WebSocket-Version") != "13") {
            answer = plain_refusal(400, "not a WebSocket handshake of version 13");
        } else if (transport == "websocket") {
            if (!cluster_.settings.websockets)
                answer = plain_refusal(400, "query parameter \"port\" is required");
            else if (!fields.lists("Sec-WebSocket-Protocol", tunnel_protocol))
                answer = plain_refusal(403, "unable to negotiate protocol");
            else
                answer.fields.add("Sec-WebSocket-Protocol", std::string{tunnel_protocol});
        } else {
            ports = ports_of(request.target);
            if (ports.empty())
                answer = plain_refusal(400, "query parameter \"port\" is required");
            else if (!offered.empty() && !fields.lists("Sec-WebSocket-Protocol", "v4.channel.k8s.io"))
                answer = plain_refusal(403, "unable to negotiate protocol");
            else if (!offered.empty())
                answer.fields.add("Sec-WebSocket-Protocol", "v4.channel.k8s.io");
        }
    }
    ++cluster_.count.statuses[std::to_string(answer.status)];
    if (answer.status != 101) co_return co_await in.http.answer(std::move(answer));

    auto text = wire_header(answer);
    auto sent = co_await in.http.send(std::move(text));
    if (!sent) co_return sent;
    in.keep = false;
    in.seat->use = connection_use::tunnel;
    in.seat->pod = key;
    ++cluster_.count.tunnels[transport];
    ++cluster_.pods.count(key).tunnels;
    struct open_count {
        std::uint64_t& of;
        explicit open_count(std::uint64_t& n) : of{n} { ++of; }
        ~open_count() { --of; }
    } counted{cluster_.count.tunnels_open};

    alarm over;
    std::unique_ptr<tunnel_io> tunnel;
    auto& stream = *in.http.stream;
    if (transport == "legacy")
        tunnel = std::make_unique<legacy_forward>(cluster_, stream, *in.wire, over, key, pod->uid, ports);
    else
        tunnel = std::make_unique<spdy_tunnel>(
            cluster_, stream, *in.wire, transport == "websocket" ? outbox::framing::websocket : outbox::framing::raw, over, key, pod->uid);
    struct leave {
        session& of;
        ~leave() { of.seat->garble = {}; }
    } leaving{in};
    in.seat->garble = [&tunnel](std::string bytes) { tunnel->garble(bytes); };
    tunnel->start(std::exchange(in.http.rest, {}));
    while (!tunnel->ended()) co_await over.wait();
    co_return result<void>{};
}

} // namespace fwd::simcluster
