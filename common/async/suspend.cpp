#include "common/async/suspend.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace fwd {

struct waker::state {
    asio::any_io_executor home;
    unique_function<void(error_code)> resume;
};

void waker::operator()(error_code why) const
{
    if (!state_->resume) return;
    asio::post(state_->home, [resume = std::exchange(state_->resume, {}), why]() mutable { resume(why); });
}

awaitable<void> suspend(unique_function<void(waker)> begin, callback abandon)
{
    const auto home = co_await asio::this_coro::executor;
    auto start = [home, &begin, &abandon](auto handler) {
        auto state = std::make_shared<waker::state>();
        state->home = home;
        auto slot = asio::get_associated_cancellation_slot(handler);
        const waker wake{state};
        state->resume = [handler = std::move(handler), slot](error_code why) mutable {
            if (slot.is_connected()) slot.clear();
            std::move(handler)(why);
        };
        if (slot.is_connected())
            slot.assign([wake, state, &abandon](asio::cancellation_type) {
                if (!state->resume) return;
                wake(asio::error::operation_aborted);
                if (abandon) abandon();
            });
        begin(wake);
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<asio::any_io_executor>, void(error_code)>(std::move(start),
                                                                                                        asio::use_awaitable);
}

} // namespace fwd
