#include "common/async/timing.hpp"

#include "common/async/random.hpp"
#include "common/async/suspend.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <ctime>
#include <optional>

namespace fwd {

timer_id timing::call_at(time_point when, callback then)
{
    const auto id = ++last_;
    const auto at = queue_.emplace(slot{when, id}, std::move(then)).first;
    by_id_.emplace(id, when);
    if (at == queue_.begin()) arm(when);
    return id;
}

void timing::cancel(timer_id id)
{
    const auto known = by_id_.find(id);
    if (known == by_id_.end()) return;
    // The callback is destroyed after the books are in order: its destructor may call us again.
    auto node = queue_.extract(slot{known->second, id});
    by_id_.erase(known);
}

void timing::run_due()
{
    const auto until = now();
    while (!queue_.empty() && queue_.begin()->first.when <= until) {
        auto node = queue_.extract(queue_.begin());
        by_id_.erase(node.key().id);
        node.mapped()();
    }
    if (!queue_.empty()) arm(next());
}

awaitable<void> timing::wait_until(time_point when)
{
    timer_id timer = 0;
    co_await suspend([&](waker wake) { timer = call_at(when, [wake] { wake(); }); }, [&] { cancel(timer); });
}

namespace {

duration read_clock(clockid_t which)
{
    timespec at{};
    clock_gettime(which, &at);
    return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
}

class real_timing final : public timing {
public:
    explicit real_timing(asio::any_io_executor executor) : timer_{std::move(executor)} {}
    ~real_timing() override { *alive_ = false; }

    time_point now() const override { return time_point{read_clock(CLOCK_MONOTONIC)}; }
    duration boot_now() const override { return read_clock(CLOCK_BOOTTIME); }
    wall_time wall_now() const override { return wall_time{read_clock(CLOCK_REALTIME)}; }

private:
    /// One that rings earlier stays, though what it was for was cancelled: a limit on each of a thousand answers would else cost a
    /// system call each, and a ring for nothing costs one in all that time.
    void arm(time_point when) override
    {
        if (armed_ && *armed_ <= when) return;
        armed_ = when;
        timer_.expires_at(std::chrono::steady_clock::time_point{when.time_since_epoch()});
        timer_.async_wait([this, alive = alive_](error_code why) {
            if (!*alive || why) return;
            armed_.reset();
            run_due();
        });
    }

    asio::steady_timer timer_;
    std::optional<time_point> armed_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace

std::unique_ptr<timing> make_timing(asio::any_io_executor executor)
{
    return std::make_unique<real_timing>(std::move(executor));
}

duration backoff::next(random_source& random)
{
    auto step = limits_.first;
    for (unsigned i = 0; i < failures_ && step < limits_.most; ++i) step *= 2;
    step = std::min(step, limits_.most);
    ++failures_;
    return step / 2 + duration{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(step.count() / 2) + 1))};
}

} // namespace fwd
