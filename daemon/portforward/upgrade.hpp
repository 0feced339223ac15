// The requests that open a tunnel, and what their answers mean: values only.
#pragma once

#include "common/async/random.hpp"
#include "common/net/http_message.hpp"
#include "daemon/kube/access.hpp"
#include "daemon/portforward/negotiate.hpp"

namespace fwd::portforward {

/// Sixteen random bytes in base64.
[[nodiscard]] std::string make_websocket_key(random_source& random);
/// Sec-WebSocket-Accept for a key. Source: RFC 6455 4.2.2.
[[nodiscard]] std::string websocket_accept(std::string_view key);

/// Asks for a tunnel of `kind` to the pod; `port` goes into a legacy request alone, `key` into the WebSocket ones.
[[nodiscard]] http_request upgrade_request(transport_kind kind, const kube::access& access, const kube::pod_ref& pod, std::uint16_t port,
                                           std::string_view key);

/// Why there is no tunnel of this kind, and whether another kind may do better.
struct refusal {
    tunnel_failure failure;
    bool try_other = false;    ///< another transport may be accepted
    bool blames_proxy = false; ///< it did not come from Kubernetes: even the oldest transport is worth a try
    bool from_server = false;  ///< a Status object of the API server: tells more than a proxy's page
};

/// Nothing when the answer opens the tunnel.
[[nodiscard]] std::optional<refusal> judge_upgrade(transport_kind kind, const http_response& answer, std::string_view key,
                                                   const kube::pod_ref& pod);

/// Which transports to try, in order. `remembered` worked last.
[[nodiscard]] std::vector<transport_kind> transport_order(transport_choice choice, std::optional<int> server_minor,
                                                          std::optional<transport_kind> remembered);

} // namespace fwd::portforward
