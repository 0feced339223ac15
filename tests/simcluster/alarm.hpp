// A bell for one coroutine: any number of sources ring it, before or while it waits.
#pragma once

#include "common/async/suspend.hpp"

#include <optional>

namespace fwd::simcluster {

class alarm {
public:
    alarm() = default;
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;

    void ring()
    {
        rung_ = true;
        if (!waiting_) return;
        const auto wake = *std::exchange(waiting_, std::nullopt);
        wake();
    }
    /// Returns at once when it was rung since the last wait.
    awaitable<void> wait()
    {
        if (!rung_) co_await suspend([this](waker wake) { waiting_ = wake; }, [this] { waiting_.reset(); });
        rung_ = false;
    }

private:
    std::optional<waker> waiting_;
    bool rung_ = false;
};

} // namespace fwd::simcluster
