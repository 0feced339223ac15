// The thread of the listener, tunnels and relays: one loop, its own clock, chance and network.
#pragma once

#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "common/net/network.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <thread>

namespace fwd::daemon {

class data_thread {
public:
    data_thread();
    ~data_thread();
    void start();
    /// Stops the loop where it is and joins. What lives there is gone or idle by then.
    void end();
    [[nodiscard]] asio::any_io_executor executor() { return loop_.get_executor(); }
    [[nodiscard]] timing& clock() { return *clock_; }
    [[nodiscard]] random_source& random() { return *random_; }
    [[nodiscard]] network& net() { return *net_; }

private:
    asio::io_context loop_{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard_;
    std::thread thread_;
    std::unique_ptr<timing> clock_;
    std::unique_ptr<random_source> random_;
    std::unique_ptr<network> net_;
};

} // namespace fwd::daemon
