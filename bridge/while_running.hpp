// One task beside another, for as long as that runs: the progress of a call.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/task_scope.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace fwd::bridge {

/// Awaits `work` while `beside` runs, which ends with it at the latest.
template <class T>
awaitable<T> while_running(awaitable<T> work, awaitable<void> beside, asio::any_io_executor executor, logger& log)
{
    task_scope scope{std::move(executor), log};
    scope.start("progress of a call", std::move(beside));
    std::optional<T> value;
    std::exception_ptr thrown;
    try {
        value.emplace(co_await std::move(work));
    } catch (...) {
        thrown = std::current_exception();
    }
    // Canceled or not, what runs beside refers to our caller and must be over first.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    scope.cancel();
    co_await scope.join();
    if (thrown) std::rethrow_exception(thrown);
    co_return std::move(*value);
}

} // namespace fwd::bridge
