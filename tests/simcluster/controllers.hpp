// The parts of a cluster that act by themselves: workloads keep their number of pods, pods become ready and go away in
// time, services get their EndpointSlices. All of it derives from the objects, so that an object is enough to make it happen.
#pragma once

#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "tests/simcluster/object_store.hpp"

#include <set>

namespace fwd::simcluster {

/// Annotations of pods and pod templates that tell the simulation what the pod is.
inline constexpr std::string_view apps_annotation = "sim.fwd.dev/apps";     ///< "8080=http 7000=echo": what answers on which port
inline constexpr std::string_view health_annotation = "sim.fwd.dev/health"; ///< "never-ready", "crash-loop", "image-pull"
inline constexpr std::string_view owner_annotation = "sim.fwd.dev/owner";   ///< "Deployment/web", set on pods
inline constexpr std::string_view ready_after_annotation = "sim.fwd.dev/ready-after-ms";

struct controller_limits {
    duration ready_after = 500ms;     ///< from creation of a pod to Ready
    duration terminate_after = 300ms; ///< from the deletion of a pod to its end
};

class controllers {
public:
    controllers(object_store& store, timing& clock, random_source& random, controller_limits limits);
    ~controllers();
    controllers(const controllers&) = delete;
    controllers& operator=(const controllers&) = delete;

    /// Pods made before this are ready at once: the cluster as it is found.
    void go_live();
    /// Does now what would be done at the next turn of the loop.
    void settle();

    /// Starts the pod's end; `after` 0 ends it at once. False when there is no such pod.
    bool delete_pod(const object_key& pod, std::optional<duration> after);
    /// Whether the readiness probe passes. False when there is no such pod.
    bool set_ready(const object_key& pod, bool ready);
    /// Deployment or StatefulSet. False when there is no such workload.
    bool scale(const resource_type& type, const object_key& workload, std::int64_t replicas);
    /// A Warning or Normal event about a pod.
    void report(const stored_object& pod, std::string_view type, std::string_view reason, std::string_view message, std::int64_t count = 1);

    controller_limits limits;

private:
    void heard(const object_change& change);
    void mark(const object_change& change);
    void keep_replicas(const resource_type& type, const object_key& key);
    void make_pod(const stored_object& workload, const std::string& name, bool stateful);
    void pod_runs(const object_key& pod, const std::string& uid, bool ready);
    void note_status(const stored_object& workload, const std::vector<object_ptr>& pods);
    void keep_slices(const object_key& service, const std::vector<object_ptr>& candidates);
    void keep_all_slices(const std::set<object_key>& services);
    [[nodiscard]] std::vector<object_ptr> pods_of(const resource_type& type, const object_key& key) const;
    void later(duration wait, callback what);

    object_store& store_;
    timing& clock_;
    random_source& random_;
    std::uint64_t subscription_ = 0;
    bool live_ = false;
    bool settling_ = false;
    std::uint32_t last_ip_ = 0;
    std::set<object_key> services_; ///< whose slices may be stale
    std::set<std::pair<std::size_t, object_key>> workloads_;
    timer_id settle_timer_ = 0;
    std::set<timer_id> timers_;
};

/// The body of a pod from a template {metadata, spec}, in the state it has when it is running.
[[nodiscard]] json::object running_pod(const json::object& pod_template, const object_key& key, const std::string& ip,
                                       const std::string& now, bool ready);

} // namespace fwd::simcluster
