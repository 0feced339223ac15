// Connections to the daemon that stay open for the next question of a burst: an agent that asks twice finds and dials it once.
#pragma once

#include "bridge/daemon_address.hpp"
#include "common/async/timing.hpp"
#include "common/net/data_stream.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace fwd::bridge {

struct daemon_connection {
    daemon_address at;
    std::unique_ptr<data_stream> stream;
};

class kept_connections {
public:
    /// Longer ago than this the daemon is looked for anew: by then it may be another one. Below the daemon's own limit.
    static constexpr duration burst = 5s;
    static constexpr std::size_t most = 4;

    explicit kept_connections(const timing& clock) : clock_{clock} {}

    /// The one that was used last, if it is still open; nothing when that was too long ago.
    [[nodiscard]] std::optional<daemon_connection> take();
    /// One whose last answer was read to its end. Dropped where there are enough.
    void put(daemon_connection one);

private:
    struct kept {
        daemon_connection one;
        time_point since;
    };
    const timing& clock_;
    std::vector<kept> all_; ///< the last used one last
};

} // namespace fwd::bridge
