// The sockets that clients come to: one routed listener, or one for each route. Data thread.
#pragma once

#include "common/async/timing.hpp"
#include "common/log.hpp"
#include "common/net/network.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>

namespace fwd::forward {

/// Accepts as they come. Out of descriptors or memory it pauses: the backlog keeps what comes, one timer for all listeners tries
/// again, and the log has one line for the beginning and one for the end.
class listeners {
public:
    using handler = std::function<void(accepted)>;
    /// `keep_free`: descriptors that are left to tunnels, watches and the API.
    listeners(timing& clock, logger& log, std::size_t keep_free, handler came);
    ~listeners() { close(); }

    void add(std::unique_ptr<acceptor> from);
    void drop(const endpoint& at);
    void close();

private:
    static constexpr int most_at_once = 256; ///< accepted before others get their turn
    static constexpr duration pause = 50ms;

    void accept_from(const endpoint& at);
    void pause_at(const endpoint& at, const error& why);
    void go_on();

    timing& clock_;
    logger& log_;
    const std::size_t keep_free_;
    handler came_;
    std::map<endpoint, std::unique_ptr<acceptor>> open_;
    std::set<endpoint> paused_;
    timer_id timer_ = 0;
    bool told_ = false;
};

} // namespace fwd::forward
