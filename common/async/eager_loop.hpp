// A loop that looks again for a moment before it sleeps, where that has been worth it.
#pragma once

#include "common/async/timing.hpp"

#include <boost/asio/io_context.hpp>

namespace fwd {

/// Whether to look again. Waking a core that sleeps takes tens of microseconds, which is more than an answer from a server on this
/// machine takes; one from elsewhere is never that soon, and then looking is given up but for a rare try.
class eagerness {
public:
    static constexpr duration moment = 30us; ///< so long it looks
    static constexpr duration short_work =
        60us;                            ///< who worked for longer moves bytes in bulk: more will come, and nobody waits for a wake-up
    static constexpr unsigned rare = 32; ///< one in so many sleeps is a try

    /// How long to look, after so much work since the last time; 0: sleep at once.
    [[nodiscard]] duration before_sleep(duration worked);
    /// What came of it.
    void looked(bool found);

private:
    static constexpr unsigned sure = 8;
    unsigned worth_ = 0; ///< grows with what was found, shrinks with what was not
    unsigned sleeps_ = 0;
};

/// Runs the loop in this thread until it is stopped or has no work left.
void run_eagerly(asio::io_context& loop);

} // namespace fwd
