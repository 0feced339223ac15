// Time that a test owns: it stands still while anything can run, and jumps to the next timer when nothing can.
#pragma once

#include "common/async/timing.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace fwd::test {

class virtual_clock final : public timing {
public:
    explicit virtual_clock(asio::io_context& loop) : loop_{loop} {}

    time_point now() const override { return now_; }
    duration boot_now() const override { return now_.time_since_epoch() + slept_; }
    wall_time wall_now() const override { return wall_start_ + now_.time_since_epoch() + slept_; }

    /// Runs all that is ready, and every timer that falls due within `span`.
    void advance(duration span)
    {
        const auto until = now_ + span;
        settle();
        while (!empty() && next() <= until) {
            now_ = std::max(now_, next());
            run_due();
            settle();
        }
        now_ = until;
    }
    /// Jumps to the next timer. False when there is none.
    bool step()
    {
        settle();
        if (empty()) return false;
        now_ = std::max(now_, next());
        run_due();
        settle();
        return true;
    }
    /// The machine slept: boot and wall clock go on, the monotonic one does not.
    void suspend(duration span) { slept_ += span; }
    void settle()
    {
        loop_.restart();
        loop_.poll();
    }
    /// Runs `work`, jumping over every wait.
    template <class T>
    T run(awaitable<T> work)
    {
        std::optional<T> value;
        std::exception_ptr thrown;
        bool ended = false;
        asio::co_spawn(loop_, std::move(work), [&](std::exception_ptr e, T v) {
            ended = true;
            thrown = e;
            if (!e) value.emplace(std::move(v));
        });
        drive(ended);
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*value);
    }
    void run(awaitable<void> work)
    {
        std::exception_ptr thrown;
        bool ended = false;
        asio::co_spawn(loop_, std::move(work), [&](std::exception_ptr e) {
            ended = true;
            thrown = e;
        });
        drive(ended);
        if (thrown) std::rethrow_exception(thrown);
    }

private:
    void arm(time_point) override {}
    void drive(const bool& ended)
    {
        settle();
        while (!ended)
            if (!step()) throw std::logic_error{"nothing is left to happen, and the coroutine has not ended"};
    }

    asio::io_context& loop_;
    time_point now_{1000s};
    duration slept_{0};
    wall_time wall_start_{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}.time_since_epoch()};
};

} // namespace fwd::test
