// Turns the daemon's events into what MCP clients subscribed to. It connects while somebody wants to hear, and not before.
#pragma once

#include "bridge/event_feed.hpp"
#include "bridge/mcp/changes.hpp"
#include "common/async/task_scope.hpp"

#include <map>
#include <set>
#include <string>

namespace fwd::resources {

/// All outlive the watch.
class watch {
public:
    watch(mcp::change_feed& changes, bridge::rest_client rest, asio::any_io_executor executor, timing& clock, random_source& random,
          logger& log);
    ~watch();
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    /// Stops listening and joins; nothing is told afterwards.
    awaitable<void> stop();

private:
    struct touched {
        bool pending = false;
        time_point quiet_until{}; ///< at most two updates a second for each address
        timer_id timer = 0;
    };

    void demand(const std::string& uri, bool wanted);
    awaitable<void> listen();
    void take(const bridge::feed_item& item);
    void touch(const std::string& uri);
    void touch_all();
    void tell(const std::string& uri);
    void log_event(const wire::event& what);

    mcp::change_feed& changes_;
    bridge::rest_client rest_;
    timing& clock_;
    random_source& random_;
    logger& log_;
    asio::any_io_executor executor_;
    std::map<std::string, touched> wanted_; ///< addresses
    bool logs_ = false;
    bool stopped_ = false;
    std::unique_ptr<task_scope> listening_;
    task_scope leaving_;
};

} // namespace fwd::resources
