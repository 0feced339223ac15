// Whether a port of a pod takes connections again that it had refused: one connection without a byte, on a tunnel of the pod. Where the
// port still refuses, the application sees nothing of it; where it does not, one connection that comes and goes. Data thread.
#pragma once

#include "daemon/forward/tunnel_pool.hpp"

#include <functional>
#include <optional>

namespace fwd::forward {

class port_question final : private tunnel_waiter, private portforward::pair_sink {
public:
    struct answer {
        bool known = false;                           ///< false: it could not be found out
        std::optional<portforward::pair_failure> why; ///< nothing: the port takes connections
        std::string text;
    };
    /// Called once, from the loop.
    using told = std::function<void(const answer&)>;

    /// `patience`: a runtime tells of refusals only, so who hears none for so long takes it that there is none. The pool outlives this.
    port_question(tunnel_pool& pool, std::uint16_t port, duration patience, timing& clock, told tell);
    ~port_question() override;

    /// Whether it may be destroyed, though not inside of the call of told.
    [[nodiscard]] bool done() const { return done_; }

private:
    void on_tunnel(portforward::transport& over) override;
    void on_no_tunnel(const portforward::tunnel_failure&, bool) override;
    void on_data(std::span<const std::byte>) override { end({true, {}, {}}); }
    void on_drained() override {}
    void on_accepted() override;
    void on_end() override { end({true, {}, {}}); }
    void on_failed(portforward::pair_failure why, std::string text) override;
    void on_writable() override {}
    void end(const answer& what);

    tunnel_pool& pool_;
    const std::uint16_t port_;
    const duration patience_;
    timing& clock_;
    told tell_;
    std::unique_ptr<portforward::pair> pair_;
    timer_id timer_ = 0;
    bool waiting_ = false, held_ = false, done_ = false;
};

} // namespace fwd::forward
