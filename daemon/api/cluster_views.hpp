// What a cluster has, as the structs of the wire. Pure. Values that look like secrets stay behind.
#pragma once

#include "common/api/wire_cluster.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/kube/discovery.hpp"

#include <boost/json/fwd.hpp>

namespace fwd::api {

/// `context` as in keys; `state` tells whether it is forwarded.
[[nodiscard]] wire::k8s_service view(const kube::service& from, const std::string& context, const catalog::catalog& state);
[[nodiscard]] std::vector<wire::k8s_port> ports_of(const kube::service& from);
/// Ports that the containers of these pods name, each number once.
[[nodiscard]] std::vector<wire::k8s_port> ports_of(const std::vector<kube::pod>& from);

struct pod_place {
    std::string context; ///< as in keys
    const catalog::catalog& state;
    wall_time now;
};
[[nodiscard]] wire::k8s_pod view(const kube::pod& from, const pod_place& in);
/// The whole pod from the server's own document.
[[nodiscard]] wire::k8s_pod_detail detail_view(const boost::json::value& document, const std::vector<kube::event>& events,
                                               const pod_place& in);
/// The container that logs are read of when none is named: by annotation, else the first that is no init container.
[[nodiscard]] std::string default_container(const boost::json::value& document);

[[nodiscard]] wire::k8s_event view(const kube::event& from);
[[nodiscard]] wire::k8s_endpoints view(const std::vector<kube::endpoint_slice>& from);

/// One word as kubectl shows it under STATUS.
[[nodiscard]] std::string status_word(const kube::pod& of);
/// "45s", "12m", "5h", "3d"
[[nodiscard]] std::string age_text(duration age);

} // namespace fwd::api
