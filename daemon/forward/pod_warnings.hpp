// What the cluster last warned of pods that do not come up, where their status says nothing: volumes that cannot be mounted, sandboxes
// that cannot be made, probes that fail. Asked only while a forwarded service waits for such a pod. Control thread.
#pragma once

#include "common/async/task_scope.hpp"
#include "daemon/kube/discovery.hpp"
#include "daemon/kube/surroundings.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace fwd::forward {

class pod_warnings {
public:
    /// `changed` hears a namespace in which a pod is warned of otherwise than before. References outlive this and its tasks.
    pod_warnings(const kube::surroundings& around, kube::discovery& ask, task_scope& tasks,
                 std::function<void(const std::string&)> changed);

    /// "FailedMount: MountVolume.SetUp failed for volume ..."; empty: nothing is known. The service waits for that pod: when it has done
    /// so for a while, and from then on now and then, the namespace is asked.
    std::string about(const kube::pod_ref& pod, const std::string& service);
    /// The service waits no longer, or is not forwarded any more.
    void forget(const std::string& namespace_name, const std::string& service);

private:
    struct room {
        std::map<std::string, std::string> waiting; ///< service to pod
        std::map<std::string, std::string> said;    ///< by pod
        async_event other;                          ///< somebody new waits, or nobody does
        bool soon = false;                          ///< somebody new waits
        bool running = false;
    };
    awaitable<void> keep_asking(std::string namespace_name, std::shared_ptr<room> at);
    static bool take(room& at, const std::vector<kube::event>& warnings);

    const kube::surroundings& around_;
    kube::discovery& ask_;
    task_scope& tasks_;
    std::function<void(const std::string&)> changed_;
    std::map<std::string, std::shared_ptr<room>> rooms_; ///< by namespace
};

} // namespace fwd::forward
