// Time: three clocks and one timer queue, real over the loop's one Asio timer or virtual for tests and simulation.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/callback.hpp"
#include "common/result.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>

namespace fwd {

using namespace std::chrono_literals;

using duration = std::chrono::nanoseconds;
/// A moment of the monotonic clock. It stands still during suspend; `boot_now` does not.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;
using wall_time = std::chrono::time_point<std::chrono::system_clock, duration>;

/// Names one pending timer; 0 names none.
using timer_id = std::uint64_t;

/// The clocks and timers of one thread. Everything that waits for time does so here, so that a test can own time.
class timing {
public:
    virtual ~timing() = default;
    timing() = default;
    timing(const timing&) = delete;
    timing& operator=(const timing&) = delete;

    [[nodiscard]] virtual time_point now() const = 0;
    /// CLOCK_BOOTTIME: grows during suspend. boot_now() - now() growing means the machine slept.
    [[nodiscard]] virtual duration boot_now() const = 0;
    [[nodiscard]] virtual wall_time wall_now() const = 0;

    /// Calls `then` once, from the loop, at `when` or soon after; never from inside this call.
    timer_id call_at(time_point when, callback then);
    timer_id call_after(duration wait, callback then) { return call_at(now() + wait, std::move(then)); }
    /// The callback is destroyed uncalled. Nothing happens when it was called already or `id` is 0.
    void cancel(timer_id id);

    /// Suspends until `when`. Ends early, by asio's cancellation, with operation_aborted thrown at the await.
    awaitable<void> wait_until(time_point when);
    awaitable<void> sleep_for(duration wait) { return wait_until(now() + wait); }

    [[nodiscard]] bool empty() const { return queue_.empty(); }
    /// When the next timer is due. Must not be asked of an empty queue.
    [[nodiscard]] time_point next() const { return queue_.begin()->first.when; }

protected:
    /// Called when the earliest moment changed, and after run_due while timers are left.
    virtual void arm(time_point when) = 0;
    /// Runs what is due, in order of time, then of call.
    void run_due();

private:
    struct slot {
        time_point when;
        timer_id id;
        auto operator<=>(const slot&) const = default;
    };
    std::map<slot, callback> queue_;
    std::map<timer_id, time_point> by_id_;
    timer_id last_ = 0;
};

/// Real clocks; timers run on `executor`'s loop.
[[nodiscard]] std::unique_ptr<timing> make_timing(asio::any_io_executor executor);

/// A wait that grows: first, doubled up to `most`, each with full jitter by `random`; start over after success.
struct backoff_limits {
    duration first = 500ms;
    duration most = 5s;
};

class random_source;

class backoff {
public:
    explicit backoff(backoff_limits limits) : limits_{limits} {}
    /// The next wait, between half the current step and the step itself.
    [[nodiscard]] duration next(random_source& random);
    void reset() { failures_ = 0; }
    [[nodiscard]] unsigned failures() const { return failures_; }

private:
    backoff_limits limits_;
    unsigned failures_ = 0;
};

} // namespace fwd
