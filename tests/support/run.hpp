// Drives coroutines in tests, on a private loop.
#pragma once

#include "common/async/awaitable.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <stdexcept>

namespace fwd::test {

/// Runs `work` on `loop` until it has ended, and gives its value; what it throws is thrown here.
/// Throws when the loop ran dry before that: the work waits for something that nobody does.
template <class T>
T run_on(asio::io_context& loop, awaitable<T> work)
{
    std::optional<T> value;
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(loop, std::move(work), [&](std::exception_ptr e, T v) {
        ended = true;
        thrown = e;
        if (!e) value.emplace(std::move(v));
    });
    loop.restart();
    while (!ended && loop.run_one() > 0) {}
    if (!ended) throw std::logic_error{"the loop ran dry before the coroutine ended"};
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*value);
}

inline void run_on(asio::io_context& loop, awaitable<void> work)
{
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(loop, std::move(work), [&](std::exception_ptr e) {
        ended = true;
        thrown = e;
    });
    loop.restart();
    while (!ended && loop.run_one() > 0) {}
    if (!ended) throw std::logic_error{"the loop ran dry before the coroutine ended"};
    if (thrown) std::rethrow_exception(thrown);
}

template <class T>
T run(awaitable<T> work)
{
    asio::io_context loop{1};
    return run_on(loop, std::move(work));
}

} // namespace fwd::test
