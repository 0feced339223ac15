// A limit on how long a peer may take. Every wait for one that owes an answer goes through here.
#pragma once

#include "common/async/timing.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <memory>
#include <optional>

namespace fwd {

namespace detail {

template <class T>
awaitable<void> keep(awaitable<T> work, std::shared_ptr<std::optional<T>> into)
{
    into->emplace(co_await std::move(work));
}

} // namespace detail

/// Runs `work`; when it has not ended after `limit` it is cancelled and the answer is errc::timed_out. The caller then closes
/// what was waited for, since its state is unknown. Cancelling the caller cancels the work.
template <class T>
awaitable<result<T>> with_timeout(timing& clock, duration limit, awaitable<result<T>> work)
{
    const auto home = co_await asio::this_coro::executor;
    auto kept = std::make_shared<std::optional<result<T>>>();
    auto inner = detail::keep<result<T>>(std::move(work), kept);
    bool late = false;
    auto start = [&clock, &late, limit, home, inner = std::move(inner)](auto handler) mutable {
        using handler_type = decltype(handler);
        struct state {
            explicit state(handler_type h) : handler{std::move(h)} {}
            handler_type handler;
            asio::cancellation_signal stop;
            timer_id timer = 0;
        };
        auto shared = std::make_shared<state>(std::move(handler));
        auto above = asio::get_associated_cancellation_slot(shared->handler);
        if (above.is_connected()) above.assign([shared](asio::cancellation_type how) { shared->stop.emit(how); });
        shared->timer = clock.call_after(limit, [shared, &late] {
            shared->timer = 0;
            late = true;
            shared->stop.emit(asio::cancellation_type::terminal);
        });
        auto ended = [shared, &clock, above](std::exception_ptr thrown) mutable {
            clock.cancel(shared->timer);
            if (above.is_connected()) above.clear();
            std::move(shared->handler)(thrown);
        };
        asio::co_spawn(home, std::move(inner), asio::bind_cancellation_slot(shared->stop.slot(), std::move(ended)));
    };
    try {
        co_await asio::async_initiate<const asio::use_awaitable_t<asio::any_io_executor>, void(std::exception_ptr)>(std::move(start),
                                                                                                                    asio::use_awaitable);
    } catch (const boost::system::system_error&) {
        // The limit's own cancellation ends the work with operation_aborted; anything else is the caller's to hear.
        if (!late) throw;
    }
    if (*kept) co_return std::move(**kept);
    co_return error{errc::timed_out,
                    "no answer in " + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()) + " ms"};
}

} // namespace fwd
