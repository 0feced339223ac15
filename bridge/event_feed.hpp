// The daemon's events as typed values, for as long as somebody asks: connects, comes back after every loss, and tells what was lost.
#pragma once

#include "bridge/rest_client.hpp"
#include "common/async/random.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace fwd::bridge {

/// The stream is there. `anew`: it is the first one, or another daemon than before, so all that was known must be read again.
struct feed_up {
    bool anew = true;
};
/// This many events are missing from here on (0: some); what was known must be read again.
struct feed_lost {
    std::uint64_t count = 0;
};
/// The stream broke or could not be opened. Told once; the feed goes on trying until it can tell feed_up.
struct feed_down {
    rest_problem why;
};

using feed_item = std::variant<feed_up, wire::event, feed_lost, feed_down>;

struct feed_limits {
    duration silence = 40s; ///< the daemon comments every 15 s; a stream without a byte for this long is dead
    backoff_limits wait{.first = 250ms, .most = 5s};
};

/// One reader. The parts of the client, the clock and the chance outlive it. One next() at a time.
class event_feed {
public:
    /// `types`: "ServiceAdded,ServiceRemoved", empty for all.
    event_feed(rest_client rest, timing& clock, random_source& random, std::string types = {}, feed_limits limits = {});
    ~event_feed();

    /// The next thing that happened; waits for it as long as it takes. Ends only by cancellation, which throws operation_aborted.
    awaitable<feed_item> next();
    /// Where the stream stands.
    [[nodiscard]] bool connected() const { return stream_ != nullptr; }

private:
    awaitable<std::optional<feed_item>> connect();
    awaitable<std::optional<feed_item>> read();
    std::optional<feed_item> down(rest_problem why);

    rest_client rest_;
    timing& clock_;
    random_source& random_;
    std::string types_;
    feed_limits limits_;
    backoff wait_;
    std::unique_ptr<live_stream> stream_;
    std::string last_id_;
    std::string daemon_; ///< which one: pid and start; empty: none yet
    bool told_down_ = false, failed_ = false;
};

} // namespace fwd::bridge
