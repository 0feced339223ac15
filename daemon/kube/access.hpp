// Everything needed to reach one API server as one user, at one moment: what control gives to data with each generation.
#pragma once

#include "common/net/dialer.hpp"
#include "common/net/http_message.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fwd::kube {

/// A value; a new generation replaces it whole. `tls` is not in it: each thread makes its own context from `trust`.
struct access {
    std::string context; ///< kubeconfig context it came from
    std::string host;
    std::uint16_t port = 443;
    bool tls = true;
    std::string path_prefix; ///< of the server URL, without a final slash; "" mostly
    std::string tls_name;    ///< empty: host
    tls_client_settings trust;
    std::optional<proxy_address> proxy;
    http_fields authorization; ///< Authorization and Impersonate-* fields, ready to send
    std::optional<wall_time> expires;
    std::uint64_t generation = 0;
    [[nodiscard]] std::string server() const; ///< "https://10.0.0.1:6443/prefix", for messages
};

/// Names one pod for good: a successor of the same name has another uid.
struct pod_ref {
    std::string namespace_name;
    std::string name;
    std::string uid;
    auto operator<=>(const pod_ref&) const = default;
};

} // namespace fwd::kube
