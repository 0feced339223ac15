// One client's connection from accept to end: held while a pod is on its way, given a pod and a tunnel, relayed, tried once more
// where that is safe. Data thread. Source: product, section 5 "Waiting" and "Retry".
#pragma once

#include "daemon/forward/relay.hpp"
#include "daemon/forward/tunnel_pool.hpp"

#include <memory>
#include <optional>
#include <string>

namespace fwd::forward {

class connection;

/// What a connection needs from the plane.
class connection_host {
public:
    virtual ~connection_host() = default;
    /// A pod for it, `avoid` only where there is no other; nullptr when nobody is eligible. Sets `port` to the pod's.
    virtual tunnel_pool* choose(connection& who, const std::optional<kube::pod_ref>& avoid, std::uint16_t& port) = 0;
    /// Nobody is eligible. True: it is held and will hear pods_changed(); false: it must be reset now.
    virtual bool hold(connection& who) = 0;
    virtual void answered(connection& who) = 0;
    virtual void pair_failed(connection& who, const kube::pod_ref& pod, portforward::pair_failure why, const std::string& text,
                             portforward::transport* over) = 0;
    /// It is over and may be destroyed, later than this call.
    virtual void ended(connection& who) = 0;
};

class connection final : private relay_events, private tunnel_waiter {
public:
    connection(connection_host& host, std::unique_ptr<data_stream> client, timing& clock, std::shared_ptr<catalog::counters> traffic,
               half_close half, const relay_limits& limits, time_point deadline);
    ~connection() override;

    void begin();
    /// Eligible pods changed, or none may come any more.
    void pods_changed();
    /// Resets the client. ended() follows.
    void abort();
    [[nodiscard]] bool held() const { return stage_ == stage::held; }
    [[nodiscard]] bool abandoned() { return relay_.client().abandoned(); }
    [[nodiscard]] time_point deadline() const { return deadline_; }

private:
    enum class stage { fresh, held, wanting, running, over };

    void answered() override { host_.answered(*this); }
    void bulk() override;
    void may_retry(portforward::pair_failure why, std::string text) override;
    void over(std::optional<portforward::pair_failure> why, std::string text) override;
    void on_tunnel(portforward::transport& over) override;
    void on_no_tunnel(const portforward::tunnel_failure& why, bool final) override;

    void choose();
    void end();
    void leave_pool();

    connection_host& host_;
    timing& clock_;
    std::shared_ptr<catalog::counters> traffic_;
    relay relay_;
    time_point deadline_;
    timer_id deadline_timer_ = 0;
    stage stage_ = stage::fresh;
    tunnel_pool* pool_ = nullptr; ///< valid in wanting and running: a pool with load is never destroyed
    portforward::transport* over_tunnel_ = nullptr;
    std::uint16_t port_ = 0;
    std::optional<kube::pod_ref> avoid_;
    bool retried_ = false;
    bool bulk_ = false;
};

} // namespace fwd::forward
