// From what is known about a service to one verdict and one suggestion. Pure: the explainer asks, this decides.
#pragma once

#include "common/past.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/explanation.hpp"
#include "daemon/kube/discovery.hpp"
#include "daemon/kube/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fwd::forward {

/// Everything there is to know. What could not be asked is left out; `unanswered` says why.
struct explain_facts {
    wall_time now;
    std::string service, namespace_name;
    std::string context;                                      ///< as in keys
    std::string kubeconfig_context;                           ///< as in the kubeconfig, for commands
    bool primary_context = true;                              ///< commands and names need not say which
    const catalog::service* forwarded = nullptr;              ///< as the catalog has it; nullptr: it is not
    const catalog::forwarded_namespace* name_space = nullptr; ///< that is forwarded, with or without this service
    std::optional<catalog::context> cluster;                  ///< once it was opened
    bool agent_alive = true;
    std::string hosts_path; ///< empty: names are left alone

    std::optional<kube::service> object;
    bool pods_known = false;
    std::vector<kube::pod> pods;           ///< selected by it
    std::vector<kube::pod> neighbours;     ///< others of the namespace, where the selector matches nothing
    std::vector<kube::workload> workloads; ///< of the namespace
    std::vector<kube::endpoint_slice> slices;
    std::vector<kube::event> events;            ///< of the service, its pods and their owners; newest first
    std::vector<past> errors, returns, changes; ///< of history, newest first
    std::optional<error> unanswered;            ///< why the cluster did not answer

    bool namespace_unknown = false;
    std::vector<std::string> close;     ///< keys almost like it
    std::vector<std::string> elsewhere; ///< keys of the same name in other namespaces
    /// "web.shop", with the context where it is not the primary one.
    [[nodiscard]] std::string name() const;
    [[nodiscard]] std::string key() const { return service + "." + namespace_name + "." + context; }
};

[[nodiscard]] catalog::verdict judge(const explain_facts& of);

/// Of a context that fails, whatever is forwarded from it.
[[nodiscard]] catalog::verdict judge_cluster(const catalog::context& of);

} // namespace fwd::forward
