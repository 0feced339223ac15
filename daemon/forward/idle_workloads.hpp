// Which services have no pods because somebody wants none: their Deployment or StatefulSet is scaled to zero. Asked only while there
// are services without pods. Control thread.
#pragma once

#include "common/async/retry_pause.hpp"
#include "common/async/task_scope.hpp"
#include "daemon/kube/api_client.hpp"
#include "daemon/kube/surroundings.hpp"
#include "daemon/kube/types.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fwd::forward {

/// A workload that wants no pods.
struct idle_workload {
    std::string name;    ///< "deployment web"
    kube::labels labels; ///< of the pods that it would have
    bool operator==(const idle_workload&) const = default;
};
/// Those of a list (DeploymentList, StatefulSetList) with spec.replicas 0. `kind` is for the name. Errors: parse_error.
[[nodiscard]] result<std::vector<idle_workload>> read_idle_workloads(std::string_view list, std::string_view kind);

class idle_workloads {
public:
    /// `changed` hears a namespace whose answer is another one than before. References outlive this and its tasks.
    idle_workloads(const kube::surroundings& around, kube::api_client& client, task_scope& tasks,
                   std::function<void(const std::string&)> changed);

    /// The workload, scaled to zero, that the service would lead to; empty: none, or not known. The service has no pods; its namespace
    /// is looked at now, and once a minute until every such service has pods or is gone.
    std::string behind(const kube::service& service);
    /// The service has pods, or is not forwarded any more.
    void forget(const std::string& namespace_name, const std::string& service);
    void poke();

private:
    struct room {
        explicit room(timing& clock) : pause{clock} {}
        std::set<std::string> without_pods; ///< services
        std::vector<idle_workload> idle;
        bool running = false;
        retry_pause pause;
    };
    awaitable<void> keep_looking(std::string namespace_name, std::shared_ptr<room> at);
    awaitable<result<std::vector<idle_workload>>> look(std::string namespace_name);

    const kube::surroundings& around_;
    kube::api_client& client_;
    task_scope& tasks_;
    std::function<void(const std::string&)> changed_;
    std::map<std::string, std::shared_ptr<room>> rooms_; ///< by namespace
};

} // namespace fwd::forward
