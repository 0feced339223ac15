// Blocking work on the side thread, resumed at home: values in, values out.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/callback.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace fwd {

/// Somewhere that blocking work may run: a thread, or in a simulation the spot.
class offload {
public:
    virtual ~offload() = default;
    /// Runs `work` elsewhere, in the order of the calls. `work` must not touch what the caller owns.
    virtual void post(callback work) = 0;

    /// The value of `work()`, computed elsewhere; the caller resumes on its own executor.
    template <class F, class T = std::invoke_result_t<F&>>
    awaitable<T> run(F work)
    {
        auto home = co_await asio::this_coro::executor;
        auto start = [this, home, work = std::move(work)](auto handler) mutable {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            post([home, work = std::move(work), shared]() mutable {
                auto value = std::make_shared<std::optional<T>>(work());
                asio::post(home, [shared, value]() mutable { std::move (*shared)(std::move(**value)); });
            });
        };
        co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(std::move(start), asio::use_awaitable);
    }
};

[[nodiscard]] std::unique_ptr<offload> make_offload_thread();
/// Runs everything at once on the caller's loop; for simulation.
[[nodiscard]] std::unique_ptr<offload> make_inline_offload(asio::any_io_executor executor);

} // namespace fwd
