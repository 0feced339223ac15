// The tunnels into one cluster: a pool for each pod, and which forwards use which pod. Data thread.
#pragma once

#include "daemon/forward/routes.hpp"
#include "daemon/forward/tunnel_pool.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fwd::forward {

class context_tunnels {
public:
    struct parts {
        asio::any_io_executor executor;
        network& net;
        timing& clock;
        random_source& random;
        task_scope& tasks;
        const pool_limits& limits;
    };
    /// What happens to the tunnels of a pod.
    struct events {
        std::function<void(const kube::pod_ref&)> opening, opened;
        std::function<void(const kube::pod_ref&, const portforward::tunnel_failure&)> failed;
        std::function<void(const kube::pod_ref&, const error&)> lost;
    };
    context_tunnels(parts p, events heard, portforward::transport_choice choice, const portforward::transport_limits& limits);
    ~context_tunnels();

    /// A new generation of credentials: whatever waits is tried with it. Until the first one there is no way in.
    void set_access(std::shared_ptr<const kube::access> access);
    void set_server_minor(int minor) { through_->set_server_minor(minor); }
    [[nodiscard]] bool reachable() const { return generation_.has_value(); }
    [[nodiscard]] std::uint64_t generation() const { return generation_.value_or(0); }

    tunnel_pool& pool_of(const kube::pod_ref& pod);
    [[nodiscard]] tunnel_pool* find(const kube::pod_ref& pod) const;

    void add_user(const kube::pod_ref& pod, forward_id id) { users_[pod].insert(id); }
    /// A pod without users takes no new connections; its tunnels end with their last one.
    void drop_user(const kube::pod_ref& pod, forward_id id);
    [[nodiscard]] std::set<forward_id> users(const kube::pod_ref& pod) const;

    /// Asks every tunnel whether it lives, and tries what waits.
    void poke();
    void close();

private:
    void close_unused();

    parts parts_;
    events heard_;
    std::unique_ptr<portforward::negotiator> through_;
    std::optional<std::uint64_t> generation_;
    std::string server_; ///< of the last access
    std::map<kube::pod_ref, std::unique_ptr<tunnel_pool>> pools_;
    std::map<kube::pod_ref, std::set<forward_id>> users_; ///< forwards whose eligible pods include it
    std::vector<std::unique_ptr<tunnel_pool>> dead_;
    timer_id unused_timer_ = 0;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

} // namespace fwd::forward
