// What a cluster has, forwarded or not: read-only questions of faces. Control thread; implemented over kube/discovery.
#pragma once

#include "daemon/catalog/commands.hpp"

#include <string>
#include <vector>

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

class cluster_view {
public:
    virtual ~cluster_view() = default;
    virtual awaitable<answer<std::vector<cluster_service>>> services(std::string context, std::string namespace_name) = 0;
    virtual awaitable<answer<std::vector<cluster_namespace>>> namespaces(std::string context) = 0;
};

} // namespace fwd::catalog
