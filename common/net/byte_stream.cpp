#include "common/net/byte_stream.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/error.hpp>

namespace fwd {

namespace {

/// One wait of a coroutine. The stream's callback owns it, the cancellation slot only knows it: when the stream is destroyed
/// first, nothing is left that could be called.
template <class Handler>
struct pending_wait {
    data_stream* stream;
    interest what;
    Handler handler;
};

struct start_wait {
    data_stream* stream;
    interest what;

    template <class Handler>
    void operator()(Handler handler) const
    {
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto op = std::make_shared<pending_wait<Handler>>(pending_wait<Handler>{stream, what, std::move(handler)});
        if (slot.is_connected()) {
            slot.assign([weak = std::weak_ptr{op}](asio::cancellation_type) {
                auto waiting = weak.lock();
                if (!waiting) return;
                waiting->stream->cancel(waiting->what); // destroys the callback; `waiting` keeps the handler
                auto executor = asio::get_associated_executor(waiting->handler);
                asio::post(executor, [handler = std::move(waiting->handler)]() mutable {
                    std::move(handler)(error_code{asio::error::operation_aborted});
                });
            });
        }
        stream->wait(what, [op]() mutable {
            auto finished = std::move(op);
            auto handler = std::move(finished->handler);
            asio::get_associated_cancellation_slot(handler).clear();
            finished.reset();
            std::move(handler)(error_code{});
        });
    }
};

class stream_over final : public byte_stream {
public:
    explicit stream_over(std::unique_ptr<data_stream> beneath) : beneath_{std::move(beneath)} {}

    awaitable<result<std::size_t>> read_some(std::span<std::byte> into) override
    {
        for (;;) {
            if (!beneath_) co_return error{errc::closed};
            const auto step = beneath_->try_read(into);
            switch (step.what) {
            case io_step::state::moved: co_return step.bytes;
            case io_step::state::end: co_return std::size_t{0};
            case io_step::state::failed: co_return error{step.failure};
            case io_step::state::would_block: co_await ready(*beneath_, interest::read); break;
            }
        }
    }

    awaitable<result<void>> write_all(std::span<const std::byte> from) override
    {
        while (!from.empty()) {
            if (!beneath_) co_return error{errc::closed};
            const iovec piece{const_cast<std::byte*>(from.data()), from.size()};
            const auto step = beneath_->try_writev({&piece, 1});
            if (step.what == io_step::state::moved)
                from = from.subspan(step.bytes);
            else if (step.what == io_step::state::would_block)
                co_await ready(*beneath_, interest::write);
            else
                co_return error{step.what == io_step::state::end ? make_error_code(errc::closed) : step.failure};
        }
        while (beneath_ && beneath_->unsent() > 0) co_await ready(*beneath_, interest::write);
        co_return result<void>{};
    }

    void close() override
    {
        if (beneath_) beneath_->close();
    }

    std::unique_ptr<data_stream> release() override { return std::move(beneath_); }

private:
    std::unique_ptr<data_stream> beneath_;
};

} // namespace

std::unique_ptr<byte_stream> make_byte_stream(std::unique_ptr<data_stream> beneath)
{
    return std::make_unique<stream_over>(std::move(beneath));
}

awaitable<void> ready(data_stream& stream, interest what)
{
    start_wait start{&stream, what};
    co_await asio::async_initiate<const asio::use_awaitable_t<asio::any_io_executor>, void(error_code)>(std::move(start),
                                                                                                        asio::use_awaitable);
}

} // namespace fwd
