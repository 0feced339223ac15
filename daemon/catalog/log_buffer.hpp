// The last lines of the daemon's log, for faces. A sink of the logger: lines come from any thread and are kept on the control thread.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/log.hpp"
#include "daemon/catalog/feed.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace fwd::catalog {

struct kept_line {
    std::uint64_t id = 0;
    log_line line;
};

/// Which lines are wanted.
struct line_filter {
    log_level least = log_level::debug;
    std::string search; ///< in the line as text, without case; empty: any
    [[nodiscard]] bool passes(const log_line& one) const;
};

/// What looks like a credential is replaced: tokens of our API and bearer tokens, values of fields called so. The code that logs
/// leaves them out already; this is for what others put into their messages.
[[nodiscard]] log_line without_secrets(log_line from);

class log_buffer {
public:
    using reader = feed<kept_line>::reader;
    explicit log_buffer(asio::any_io_executor control, feed_limits limits = {.queue = 1000, .replay = 5000});

    /// To be added to the logger. May outlive the buffer.
    [[nodiscard]] logger::sink sink();
    /// The last `most` that pass, oldest first.
    [[nodiscard]] std::vector<kept_line> last(std::size_t most, const line_filter& which) const;
    /// New lines as they come, unfiltered.
    [[nodiscard]] std::unique_ptr<reader> subscribe() { return lines_->subscribe(); }
    /// Forgets all; returns how many there were.
    std::size_t clear() { return lines_->clear(); }

private:
    asio::any_io_executor control_;
    std::shared_ptr<feed<kept_line>> lines_;
};

} // namespace fwd::catalog
