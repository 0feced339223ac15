// One client's connection from accept to end: held while a pod is on its way, given a pod and a tunnel, relayed, tried once more
// where that is safe. Data thread.
#pragma once

#include "daemon/forward/relay.hpp"
#include "daemon/forward/tunnel_pool.hpp"
#include "daemon/forward/waiting.hpp"

#include <memory>
#include <optional>
#include <string>

namespace fwd::forward {

class connection;

struct refusal_words {
    std::string_view code, text;
};

/// What a connection needs from the plane.
class connection_host {
public:
    virtual ~connection_host() = default;
    /// A pod for it, `avoid` only where there is no other; nullptr when nobody is eligible. Sets `port` to the pod's.
    virtual tunnel_pool* choose(connection& who, const std::optional<kube::pod_ref>& avoid, std::uint16_t& port) = 0;
    /// Nobody is eligible. A place: it is held and will hear pods_changed(); none: it must be reset now, and `why` says why.
    virtual waiting_room::place hold(connection& who, refusal_words& why) = 0;
    virtual void opened(connection& who) = 0;
    virtual void answered(connection& who) = 0;
    virtual void pair_failed(connection& who, const kube::pod_ref& pod, portforward::pair_failure why, const std::string& text,
                             portforward::transport* over) = 0;
    /// It is over and may be destroyed, later than this call. `code` and `text` say why, empty for an orderly end.
    virtual void ended(connection& who, std::string_view code, std::string text) = 0;
};

/// Who came, where to, and how long it may wait for a pod and a tunnel.
struct client_facts {
    std::uint64_t id = 0;
    forward_id forward = 0;
    endpoint client, local;
    wall_time since;
    duration wait = 30s;
    half_close half = half_close::lazy;
};

class connection final : private relay_events, private tunnel_waiter {
public:
    connection(connection_host& host, std::unique_ptr<data_stream> client, client_facts facts, relay_parts parts,
               std::shared_ptr<catalog::counters> traffic);
    ~connection() override;

    void begin();
    /// These pods are eligible now. Who waits for a pod, or for a tunnel to one that is not among them, chooses again.
    void pods_changed(std::span<const target> eligible);
    /// Resets the client. ended() follows.
    void abort(std::string_view code, std::string text = {});
    [[nodiscard]] bool held() const { return stage_ == stage::held; }
    [[nodiscard]] connection_snapshot snapshot() const;

    bool noted = false; ///< the host's: somebody was told that it came

private:
    enum class stage { fresh, held, wanting, running, over };

    void answered() override { host_.answered(*this); }
    void bulk() override;
    [[nodiscard]] portforward::transport* living_tunnel() const;
    void may_retry(portforward::pair_failure why, std::string text) override;
    void over(std::optional<portforward::pair_failure> why, std::string text) override;
    void on_tunnel(portforward::transport& over) override;
    void on_no_tunnel(const portforward::tunnel_failure& why, bool final) override;

    void choose();
    bool wait_for_pod(refusal_words& why);
    void use_pool();
    enum class when { tunnel_is_open, not_backing_off };
    bool move_on(when to);
    void try_again(const kube::pod_ref& failed, bool same_pod_may_help, std::string_view code, std::string text);
    void wait_for_successor(const kube::pod_ref& gone, std::string_view code, std::string text);
    void look_later();
    void look();
    void become(stage next);
    void end(std::string_view code, std::string text);
    void leave_pool();

    connection_host& host_;
    timing& clock_;
    const client_facts facts_;
    std::shared_ptr<catalog::counters> traffic_;
    relay relay_;
    waiting_room::place place_; ///< while held
    time_point deadline_{};     ///< of waiting for a pod or a tunnel
    time_point held_since_{};
    duration was_held_{}; ///< before the try under way
    timer_id look_timer_ = 0;
    stage stage_ = stage::fresh;
    tunnel_pool* pool_ = nullptr;                   ///< valid in wanting and running: a pool with load is never destroyed
    portforward::transport* over_tunnel_ = nullptr; ///< may be gone while the pair's end is on its way: see living_tunnel()
    std::uint16_t port_ = 0;
    std::optional<kube::pod_ref> avoid_;
    bool retried_ = false;
    bool bulk_ = false;
};

} // namespace fwd::forward
