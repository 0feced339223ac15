// A connection that can be made to misbehave: late, stuck, silent or gone. It lies beneath TLS, where networks fail.
#pragma once

#include "common/async/timing.hpp"
#include "common/net/data_stream.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace fwd::simcluster {

class unruly_stream final : public data_stream {
public:
    /// `one_way` is added to each direction.
    unruly_stream(std::unique_ptr<data_stream> beneath, boost::asio::any_io_executor executor, timing& clock, duration one_way);
    ~unruly_stream() override;

    io_step try_read(std::span<std::byte> into) override;
    io_step try_readv(std::span<const iovec> into) override;
    io_step try_writev(std::span<const iovec> from) override;
    void wait(interest what, callback ready) override;
    void cancel(interest what) override;
    void shutdown_write() override;
    void reset() override;
    void close() override;
    [[nodiscard]] std::size_t unsent() const override { return out_bytes_ + beneath_->unsent(); }
    [[nodiscard]] int descriptor() const override { return beneath_->descriptor(); }

    /// The peer sees a reset, our side a failure.
    void drop();
    /// Nothing is read any more, as by a stuck server, until it is called with false.
    void stop_reading(bool stop);
    /// No byte passes either way, as behind a dead link, until it is called with false; then all of them do.
    void black_hole(bool silent);
    /// Writes would block until uncork(), which calls whoever waits to write and takes all that it writes then: the TLS above
    /// gathers its records meanwhile, and they leave in one system call.
    void cork() { ++corked_; }
    void uncork();
    /// try_writev that takes all or nothing: what the kernel has no room for is kept, up to a limit.
    io_step write_all(std::span<const iovec> from);
    /// Sends these bytes as they are, past TLS.
    void inject(std::string bytes);

private:
    struct chunk {
        time_point due;
        std::string bytes;
    };
    void fire(callback& which);
    void post_ready(interest what);
    void flush();
    io_step keep_rest(std::span<const iovec> from, std::size_t sent);
    void take_in();
    void arm_read();
    [[nodiscard]] bool readable_now() const;
    [[nodiscard]] bool quiet() const { return reading_stopped_ || silent_; }

    std::shared_ptr<data_stream> beneath_; ///< outlives this while what was written before close() is being sent
    boost::asio::any_io_executor executor_;
    timing& clock_;
    duration one_way_;
    callback on_read_, on_write_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::deque<chunk> out_;
    std::size_t out_used_ = 0; ///< of the first chunk
    std::size_t out_bytes_ = 0;
    std::deque<chunk> in_;
    std::size_t in_used_ = 0;
    std::size_t in_bytes_ = 0;
    std::optional<io_step> in_end_;
    timer_id in_timer_ = 0, out_timer_ = 0;
    int corked_ = 0;
    bool uncorking_ = false, flush_waits_ = false, reading_stopped_ = false, silent_ = false, dropped_ = false, shut_when_sent_ = false;
};

} // namespace fwd::simcluster
