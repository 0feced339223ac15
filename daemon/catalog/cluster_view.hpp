// What a cluster has, forwarded or not: read-only questions of faces. Control thread; implemented over kube/discovery.
#pragma once

#include "daemon/catalog/commands.hpp"

#include <string>
#include <vector>

namespace fwd::kube {
class discovery;
}

namespace fwd::catalog {

struct cluster_port {
    std::string name, target_port, protocol;
    std::uint16_t port = 0;
};
struct cluster_service {
    std::string name, namespace_name, context, type, cluster_ip;
    std::vector<cluster_port> ports;
    std::vector<std::pair<std::string, std::string>> selector;
    std::string forward_key; ///< of the service here; empty: not forwarded
};
struct cluster_namespace {
    std::string name, status;
    bool forwarded = false;
};

/// A context that may be asked.
struct open_cluster {
    kube::discovery* ask = nullptr; ///< lives as long as the daemon
    std::string name, shown;        ///< as in the kubeconfig, and as in keys
    std::string namespace_name;     ///< the context's own
};

class cluster_view {
public:
    virtual ~cluster_view() = default;
    /// The cluster of a context (empty: the primary one), to be asked directly. Errors: not_found, those of the kubeconfig.
    virtual result<open_cluster> open(const std::string& context) = 0;
    /// All contexts of the kubeconfig, by name, opened or not.
    [[nodiscard]] virtual std::vector<context> known() const = 0;
    virtual awaitable<answer<std::vector<cluster_service>>> services(std::string context, std::string namespace_name) = 0;
    virtual awaitable<answer<std::vector<cluster_namespace>>> namespaces(std::string context) = 0;
};

} // namespace fwd::catalog
