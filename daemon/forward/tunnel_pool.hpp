// The tunnels of one pod: when to open, share, rest and close them. Data thread.
#pragma once

#include "common/async/random.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timing.hpp"
#include "daemon/kube/access.hpp"
#include "daemon/portforward/negotiate.hpp"

#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace fwd::forward {

struct pool_limits {
    std::size_t pairs = 4;     ///< on one tunnel while others may be opened
    std::size_t tunnels = 8;   ///< to one pod that take connections, or are about to; `pairs` times as many where each takes but one
    std::size_t unusable = 8;  ///< besides: stalled, retired, or being opened for too long
    duration patience = 2s;    ///< with a tunnel that is being opened, before another is tried beside it
    duration rest = 5min;      ///< an idle tunnel closes after this
    duration spare_rest = 60s; ///< a spare is kept this long after the last connection
    backoff_limits retry{500ms, 5s};
};

/// Somebody who needs a tunnel. Called from the loop, never from inside acquire().
class tunnel_waiter {
public:
    virtual ~tunnel_waiter() = default;
    virtual void on_tunnel(portforward::transport& over) = 0;
    /// No tunnel for now. With `final` waiting on is useless; without, the waiter stays queued and the pool tries again. It may cancel
    /// itself in this call, and nobody else.
    virtual void on_no_tunnel(const portforward::tunnel_failure& why, bool final) = 0;
};

/// What the pool's owner learns.
struct pool_events {
    std::function<void()> opening;
    std::function<void()> opened;
    std::function<void(const portforward::tunnel_failure&)> failed;
    /// A tunnel that was open ended, and nobody had wanted that.
    std::function<void(const error&)> lost;
};

class tunnel_pool {
public:
    tunnel_pool(kube::pod_ref pod, portforward::negotiator& through, task_scope& tasks, timing& clock, random_source& random,
                pool_events events, const pool_limits& limits);
    ~tunnel_pool();

    /// A tunnel at once, or nullptr: then the waiter is queued and called, until cancel(). `port` matters to legacy tunnels only.
    [[nodiscard]] portforward::transport* acquire(tunnel_waiter& waiter, std::uint16_t port);
    void cancel(tunnel_waiter& waiter);
    /// A connection on `over` moves so much that new ones get other tunnels while there may be others; and its end.
    void bulk_begins(portforward::transport& over);
    void bulk_ends(portforward::transport& over);
    /// A connection was given one of its tunnels, and refers to this until released(), which may be long after the tunnel's end.
    void hold() { ++held_; }
    /// The last connection on `over` may have ended; looks what can be closed.
    void released();
    /// New credentials, network change, wake-up: try now. How long to wait after a further failure is forgotten by success alone.
    void poke();
    /// Asks living tunnels whether they live.
    void probe();
    /// The pod takes no new connections; its tunnels close with their last pair.
    void retire_all();
    /// Closes everything; waiters are dropped without a word.
    void close();

    [[nodiscard]] const kube::pod_ref& pod() const { return pod_; }
    [[nodiscard]] bool has_tunnel() const { return usable() > 0; }
    [[nodiscard]] bool backing_off() const { return retry_timer_ != 0; }
    /// Connections on its tunnels and waiting for one.
    [[nodiscard]] std::size_t load() const;
    /// Somebody refers to it: it must not be destroyed.
    [[nodiscard]] bool in_use() const { return held_ > 0 || load() > 0; }
    [[nodiscard]] std::size_t tunnels() const { return tunnels_.size(); }
    [[nodiscard]] bool idle() const { return tunnels_.empty() && waiting_.empty() && openings_.empty(); }
    /// Of its tunnels, in the order of their opening from 1; 0: not there any more.
    [[nodiscard]] std::uint64_t number_of(const portforward::transport& over) const;

private:
    struct tunnel;
    struct waiting {
        tunnel_waiter* who;
        std::uint16_t port;
    };
    struct an_opening {
        time_point began;
        std::uint16_t port;
    };
    using openings = std::list<an_opening>;

    portforward::transport* pick(std::uint16_t port);
    [[nodiscard]] std::size_t usable() const;
    [[nodiscard]] bool is_fresh(const an_opening& one) const { return one.began > clock_.now() - limits_.patience; }
    [[nodiscard]] std::size_t fresh_openings() const;
    [[nodiscard]] bool unshared() const;
    [[nodiscard]] bool may_open() const;
    void open_one(std::uint16_t port);
    void open_for_waiting();
    awaitable<void> opening(std::uint16_t port, openings::iterator began, std::shared_ptr<bool> alive);
    void serve_waiting();
    void try_again_at(time_point when);
    void lose_patience_later();
    void keep_spare(std::uint16_t port);
    void dead(tunnel& which, const error& why);
    void failed(portforward::tunnel_failure why);
    void rest_later();
    void close_rested();

    kube::pod_ref pod_;
    portforward::negotiator& through_;
    task_scope& tasks_;
    timing& clock_;
    random_source& random_;
    pool_events events_;
    const pool_limits& limits_;
    std::list<std::unique_ptr<tunnel>> tunnels_;
    std::list<std::unique_ptr<tunnel>> graveyard_; ///< dead, destroyed from the loop
    std::list<waiting> waiting_;
    openings openings_;
    std::uint64_t last_number_ = 0;
    backoff backoff_;
    std::size_t held_ = 0;
    timer_id retry_timer_ = 0;
    time_point retry_at_{}; ///< while retry_timer_
    time_point asked_at_{}; ///< no client's asking brings the next try before this
    timer_id patience_timer_ = 0;
    timer_id rest_timer_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace fwd::forward
