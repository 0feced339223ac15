#include "bridge/mcp/stdio.hpp"

#include "bridge/mcp/jsonrpc.hpp"
#include "common/async/task_scope.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace fwd::mcp {

namespace {

using descriptor = asio::posix::basic_stream_descriptor<asio::any_io_executor>;

/// A descriptor that can be waited for; a plain file cannot and is always ready.
class waitable {
public:
    waitable(asio::any_io_executor executor, int fd) : fd_{fd}, handle_{executor}
    {
        error_code refused;
        handle_.assign(fd, refused);
        pollable_ = !refused;
    }
    ~waitable()
    {
        if (!pollable_) ::close(fd_);
    }
    waitable(const waitable&) = delete;
    waitable& operator=(const waitable&) = delete;

    [[nodiscard]] int fd() const { return fd_; }
    descriptor& handle() { return handle_; }
    [[nodiscard]] bool pollable() const { return pollable_; }
    /// What is learnt at the first wait: a plain file or /dev/null.
    void never_waits()
    {
        handle_.release();
        pollable_ = false;
    }
    void stop()
    {
        error_code ignored;
        if (pollable_) handle_.cancel(ignored);
    }

private:
    int fd_;
    descriptor handle_;
    bool pollable_ = false;
};

bool writable_now(int fd)
{
    pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
    return ::poll(&one, 1, 0) > 0;
}

class stdio final : public transport {
public:
    stdio(asio::any_io_executor executor, timing& clock, int in, int out) : clock_{clock}, in_{executor, in}, out_{executor, out} {}

    awaitable<std::optional<result<std::string>>> receive() override
    {
        for (;;) {
            if (auto line = lines_.next()) co_return std::move(*line);
            if (ended_ || broken_) co_return std::nullopt;
            if (in_.pollable()) {
                const auto [why] = co_await in_.handle().async_wait(descriptor::wait_read, as_result);
                if (why == asio::error::operation_not_supported)
                    in_.never_waits();
                else if (why)
                    ended_ = true;
                if (why || broken_) continue;
            }
            // Ready, and nobody else reads here: this cannot block although the descriptor may.
            const auto got = ::read(in_.fd(), chunk_.data(), chunk_.size());
            if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (got <= 0) {
                ended_ = true;
                // A last line without its newline is a line.
                lines_.feed("\n");
                continue;
            }
            lines_.feed({chunk_.data(), static_cast<std::size_t>(got)});
        }
    }

    void send(std::string message) override
    {
        if (broken_) return;
        message += '\n';
        queue_.push_back(std::move(message));
        drain();
    }

    awaitable<void> flush(duration most) override
    {
        const auto until = clock_.now() + most;
        while (!queue_.empty() && !broken_) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_.now()).count();
            if (left <= 0) break;
            // The end: nothing else is left to be served meanwhile.
            pollfd one{.fd = out_.fd(), .events = POLLOUT, .revents = 0};
            ::poll(&one, 1, static_cast<int>(left));
            write_some();
        }
        co_return;
    }

private:
    /// Writes while the peer takes it, then waits for it in the background.
    void drain()
    {
        if (waiting_) return;
        write_some();
        if (queue_.empty() || broken_) return;
        waiting_ = true;
        out_.handle().async_wait(descriptor::wait_write, [this](error_code why) {
            if (why) return;
            waiting_ = false;
            drain();
        });
    }

    void write_some()
    {
        // A ready pipe takes PIPE_BUF bytes without blocking, more it may not.
        while (!queue_.empty() && !broken_ && (!out_.pollable() || writable_now(out_.fd()))) {
            const auto& first = queue_.front();
            const auto sent = ::write(out_.fd(), first.data() + sent_, std::min<std::size_t>(first.size() - sent_, PIPE_BUF));
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && errno == EAGAIN) return;
            if (sent <= 0) {
                broken_ = true;
                queue_.clear();
                in_.stop();
                return;
            }
            sent_ += static_cast<std::size_t>(sent);
            if (sent_ == first.size()) {
                queue_.pop_front();
                sent_ = 0;
            }
        }
    }

    timing& clock_;
    waitable in_, out_;
    line_reader lines_;
    std::array<char, 64 * 1024> chunk_;
    std::deque<std::string> queue_;
    std::size_t sent_ = 0; ///< of the first message
    bool waiting_ = false;
    bool ended_ = false, broken_ = false;
};

} // namespace

std::unique_ptr<transport> make_stdio(asio::any_io_executor executor, timing& clock, int in, int out)
{
    return std::make_unique<stdio>(executor, clock, in, out);
}

result<int> claim_stdout()
{
    const int mine = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (mine < 0) return errno_error("copy stdout");
    if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return errno_error("turn stdout to stderr");
    return mine;
}

} // namespace fwd::mcp
