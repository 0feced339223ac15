// Which pods stand behind a service port: what the endpoint slice controller computes, and the truth that tests compare with.
// Source: Kubernetes, endpointslice FindPort and ShouldPodBeInEndpoints.
#pragma once

#include "tests/simcluster/object_store.hpp"

#include <optional>

namespace fwd::simcluster {

/// The pod's port for one entry of spec.ports: absent is the same number, a name is looked up in the pod (sidecars included).
[[nodiscard]] std::optional<std::uint16_t> resolve_port(const json::object& pod, const json::object& service_port);

[[nodiscard]] bool pod_is_ready(const json::object& pod);
[[nodiscard]] bool pod_is_terminating(const json::object& pod);

struct eligible_pod {
    std::string name, uid, ip;
    std::uint16_t port;
};
struct service_port_truth {
    std::string namespace_name, service, port_name;
    std::uint16_t port;
    std::vector<eligible_pod> pods;
};

/// Every TCP port of every service with a selector, with the pods that may be given connections.
[[nodiscard]] std::vector<service_port_truth> truth_of(const object_store& store);

/// The EndpointSlices of one service: pods of equal resolved ports share one.
[[nodiscard]] std::vector<json::object> endpoint_slices_of(const stored_object& service, const std::vector<object_ptr>& selected);
/// The Endpoints object of one service.
[[nodiscard]] json::object endpoints_of(const stored_object& service, const std::vector<object_ptr>& selected);

} // namespace fwd::simcluster
