// What services and pods mean for forwarding: which port, which pod, what is wrong. Pure functions.
#pragma once

#include "daemon/kube/types.hpp"

#include <optional>
#include <string>

namespace fwd::kube {

/// The pod's port for a service port: absent or 0 the same number, a number itself, a name by the containers and then the sidecars,
/// with the service port's protocol. Nothing: this pod does not serve it.
[[nodiscard]] std::optional<std::uint16_t> resolve_target_port(const service_port& port, const pod& of);

/// The selector matches (a service without one selects nothing). Same namespace.
[[nodiscard]] bool selects(const service& by, const pod& of);
/// Takes new connections: selected, on a node, not finished, not being deleted, and Ready or published unready.
[[nodiscard]] bool is_eligible(const service& by, const pod& of);
/// May become eligible by itself: selected, starting, without a problem that time does not heal.
[[nodiscard]] bool is_coming(const service& by, const pod& of);

/// Why a pod does not serve, in a code and one sentence.
struct pod_trouble {
    std::string code;     ///< crash_loop, image_pull, unschedulable, not_ready, failed, starting, terminating, config_error ...
    std::string sentence; ///< "pod api-7d9f-x2x1: container api is in CrashLoopBackOff (exit code 1, 7 restarts)"
    bool heals = false;   ///< waiting may help: it is starting or being probed
};
/// Nothing when the pod is Ready and stays.
[[nodiscard]] std::optional<pod_trouble> pod_problem(const pod& of);

/// The name P of P.S in DNS for a pod of a headless service; empty where hostname and subdomain do not say so.
[[nodiscard]] std::string stable_name(const service& by, const pod& of);

} // namespace fwd::kube
