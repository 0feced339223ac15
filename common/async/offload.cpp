#include "common/async/offload.hpp"

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>

namespace fwd {

namespace {

class offload_thread final : public offload {
public:
    offload_thread() : thread_{[this] { serve(); }} {}
    ~offload_thread() override
    {
        {
            std::lock_guard hold{guard_};
            ending_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }
    void post(callback work) override
    {
        {
            std::lock_guard hold{guard_};
            work_.push_back(std::move(work));
        }
        wake_.notify_one();
    }

private:
    void serve()
    {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr); // signals belong to the loops
        for (;;) {
            callback next;
            {
                std::unique_lock hold{guard_};
                wake_.wait(hold, [this] { return ending_ || !work_.empty(); });
                if (work_.empty()) return;
                next = std::move(work_.front());
                work_.pop_front();
            }
            next();
        }
    }

    std::mutex guard_;
    std::condition_variable wake_;
    std::deque<callback> work_;
    bool ending_ = false;
    std::thread thread_; // last: it starts when all else is there
};

class inline_offload final : public offload {
public:
    explicit inline_offload(asio::any_io_executor executor) : executor_{std::move(executor)} {}
    void post(callback work) override
    {
        asio::post(executor_, [work = std::move(work)]() mutable { work(); });
    }

private:
    asio::any_io_executor executor_;
};

} // namespace

std::unique_ptr<offload> make_offload_thread()
{
    return std::make_unique<offload_thread>();
}

std::unique_ptr<offload> make_inline_offload(asio::any_io_executor executor)
{
    return std::make_unique<inline_offload>(std::move(executor));
}

} // namespace fwd
