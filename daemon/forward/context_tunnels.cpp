#include "daemon/forward/context_tunnels.hpp"

#include <boost/asio/post.hpp>

namespace fwd::forward {

namespace {

constexpr duration look_again = 5s; ///< at pools that nobody uses and that still carry connections

} // namespace

context_tunnels::context_tunnels(parts p, events heard, portforward::transport_choice choice, const portforward::transport_limits& limits)
    : parts_{std::move(p)}, heard_{std::move(heard)}, through_{portforward::make_negotiator(parts_.executor, parts_.net, parts_.clock,
                                                                                            parts_.random, choice, limits)}
{
}

context_tunnels::~context_tunnels()
{
    close();
}

void context_tunnels::set_access(std::shared_ptr<const kube::access> access)
{
    generation_ = access->generation;
    const auto server = access->server();
    const bool moved = !server_.empty() && server_ != server;
    server_ = server;
    through_->set_access(std::move(access));
    for (auto& [pod, pool] : pools_) {
        if (moved) pool->retire_all(); // open connections keep theirs
        pool->poke();
    }
}

tunnel_pool& context_tunnels::pool_of(const kube::pod_ref& pod)
{
    auto& pool = pools_[pod];
    if (!pool) {
        pool_events heard;
        heard.opening = [this, pod] { heard_.opening(pod); };
        heard.opened = [this, pod] { heard_.opened(pod); };
        heard.failed = [this, pod](const portforward::tunnel_failure& why) { heard_.failed(pod, why); };
        heard.lost = [this, pod](const error& why) { heard_.lost(pod, why); };
        pool = std::make_unique<tunnel_pool>(pod, *through_, parts_.tasks, parts_.clock, parts_.random, std::move(heard), parts_.limits);
    }
    return *pool;
}

tunnel_pool* context_tunnels::find(const kube::pod_ref& pod) const
{
    const auto found = pools_.find(pod);
    return found == pools_.end() ? nullptr : found->second.get();
}

std::set<forward_id> context_tunnels::users(const kube::pod_ref& pod) const
{
    const auto found = users_.find(pod);
    return found == users_.end() ? std::set<forward_id>{} : found->second;
}

void context_tunnels::drop_user(const kube::pod_ref& pod, forward_id id)
{
    const auto users = users_.find(pod);
    if (users == users_.end()) return;
    users->second.erase(id);
    if (!users->second.empty()) return;
    users_.erase(users);
    if (auto* const pool = find(pod)) pool->retire_all();
    close_unused();
}

void context_tunnels::close_unused()
{
    bool some_left = false;
    for (auto at = pools_.begin(); at != pools_.end();) {
        const auto here = at++;
        if (users_.contains(here->first)) continue;
        if (here->second->in_use()) {
            some_left = true;
            continue;
        }
        here->second->close();
        dead_.push_back(std::move(here->second));
        pools_.erase(here);
    }
    if (!dead_.empty()) // destroyed from the loop: one of them may be calling
        asio::post(parts_.executor, [this, alive = std::weak_ptr{alive_}] {
            if (alive.lock()) dead_.clear();
        });
    if (some_left && !unused_timer_)
        unused_timer_ = parts_.clock.call_after(look_again, [this] {
            unused_timer_ = 0;
            close_unused();
        });
}

void context_tunnels::poke()
{
    for (auto& [pod, pool] : pools_) {
        pool->probe();
        pool->poke();
    }
}

void context_tunnels::close()
{
    parts_.clock.cancel(unused_timer_);
    unused_timer_ = 0;
    for (auto& [pod, pool] : pools_) pool->close();
}

} // namespace fwd::forward
