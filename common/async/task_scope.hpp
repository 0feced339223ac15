// Children that are cancelled and joined by their owner. Nothing is detached anywhere else.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/callback.hpp"

#include <memory>
#include <string>

namespace fwd {

class logger;

/// Owns coroutines on one executor. An exception that escapes one is logged with the task's name; cancellation is not an error.
/// The scope must be joined, or its loop stopped for good, before it is destroyed.
class task_scope {
public:
    task_scope(asio::any_io_executor executor, logger& log);
    ~task_scope();
    task_scope(const task_scope&) = delete;
    task_scope& operator=(const task_scope&) = delete;

    /// Starts it on the executor (not inline). After cancel() nothing starts any more.
    void start(std::string name, awaitable<void> work);
    /// Asks all children to end, by asio's terminal cancellation.
    void cancel();
    /// Suspends until no child is left. Not cancellable itself.
    awaitable<void> join();
    [[nodiscard]] std::size_t running() const;
    [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }

private:
    struct state;
    asio::any_io_executor executor_;
    std::shared_ptr<state> state_;
};

/// A wake-up that any number of coroutines of one thread wait for; set() wakes those that wait now.
class async_event {
public:
    async_event();
    ~async_event();
    void set();
    awaitable<void> wait();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace fwd
