// Which services are forwarded and on which local ports: wishes as values, and pure decisions on them.
#pragma once

#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/commands.hpp"
#include "daemon/forward/routes.hpp"
#include "daemon/kube/pod_rules.hpp"
#include "daemon/kube/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fwd::forward {

/// A namespace (empty: all of the context), or one service, that somebody wants.
struct wish {
    std::string context;        ///< as in the kubeconfig
    std::string namespace_name; ///< empty: every namespace
    std::string service;        ///< empty: those of the namespace
    std::string label_selector, field_selector;
    std::vector<std::string> services, exclude; ///< name patterns
    std::vector<catalog::wanted_port> ports;
    std::optional<ipv4> local_ip;
    catalog::wish_owner owner;

    /// Whether the service is meant, selectors aside (the server applies those).
    [[nodiscard]] bool means(const kube::service& one) const;
};

/// `-m PORT:LOCAL` or `SVC:PORT:LOCAL`.
struct port_mapping {
    std::string service; ///< empty: every
    std::uint16_t port = 0, local = 0;
    /// Errors: invalid_request.
    [[nodiscard]] static result<port_mapping> parse(std::string_view text);
    bool operator==(const port_mapping&) const = default;
};

/// `--local SVC[:PORT]`: it runs on this machine, so its names lead here and nothing is forwarded.
struct local_service {
    std::string service;               ///< name pattern
    std::optional<std::uint16_t> port; ///< where it listens; only shown
    /// Errors: invalid_request.
    [[nodiscard]] static result<local_service> parse(std::string_view text);
    bool operator==(const local_service&) const = default;
};

/// One port to listen on, and who serves it now.
struct planned_port {
    std::uint16_t local_port = 0; ///< wanted
    std::uint16_t service_port = 0;
    std::string name, target_text, app_protocol;
    std::vector<target> eligible;
    std::string pod, container; ///< of the first eligible
    std::uint16_t pod_port = 0;
};

/// A service as it is to be forwarded at this moment.
struct service_plan {
    std::vector<planned_port> ports;
    std::vector<catalog::unsupported_port> unsupported;
    catalog::pod_count pods;
    bool coming = false;                              ///< a pod is on its way
    bool deserted = false;                            ///< no pod is there, but for those that are being deleted
    bool stuck = false;                               ///< each pod there fails to start: crash loop, no image, bad configuration
    std::string reason_code, reason;                  ///< why nobody is eligible, when nobody is
    std::optional<kube::pod_ref> waits_for;           ///< of whom the reason tells, where that pod is starting or not ready yet
    std::string unsupported_code, unsupported_reason; ///< why the whole service cannot be forwarded; empty: it can
    struct stable_pod {
        std::string hostname;
        std::vector<planned_port> ports;
        bool coming = false;
        std::string reason_code, reason;
    };
    std::vector<stable_pod> stable; ///< of a headless service
};

struct plan_question {
    const kube::service& service;
    std::vector<const kube::pod*> pods;              ///< selected by it, in order of their names
    std::vector<const kube::endpoint_slice*> slices; ///< of a service without selector
    bool pods_known = false;                         ///< the first list of pods is in
    bool slices_known = false;
    std::vector<catalog::wanted_port> ports; ///< empty: all
    std::vector<port_mapping> mappings;
    std::optional<catalog::failure> pods_failure; ///< why the pods are not known
    bool every_port = false;                      ///< also those that `ports` does not name
};
[[nodiscard]] service_plan plan(const plan_question& of);

} // namespace fwd::forward
