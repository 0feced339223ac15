#include "common/async/eager_loop.hpp"

#include <algorithm>
#include <ctime>

namespace fwd {

duration eagerness::before_sleep(duration worked)
{
    if (worked > short_work) return {};
    if (worth_ > 0) return moment;
    return ++sleeps_ % rare == 0 ? moment : duration{};
}

void eagerness::looked(bool found)
{
    if (found)
        worth_ = std::min(worth_ + 2, sure);
    else if (worth_ > 0)
        --worth_;
}

namespace {

/// Of this thread; it stands still while the thread sleeps.
duration processor_time()
{
    timespec at{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
}

bool finds_something(asio::io_context& loop, duration within)
{
    const auto until = std::chrono::steady_clock::now() + within;
    do {
        if (loop.poll_one() > 0) return true;
    } while (!loop.stopped() && std::chrono::steady_clock::now() < until);
    return false;
}

} // namespace

void run_eagerly(asio::io_context& loop)
{
    eagerness eager;
    auto mark = processor_time();
    for (;;) {
        loop.poll();
        const auto now = processor_time();
        const auto most = eager.before_sleep(now - std::exchange(mark, now));
        if (most > duration{}) {
            const bool found = finds_something(loop, most);
            eager.looked(found);
            mark = processor_time();
            if (found) continue;
        }
        if (loop.run_one() == 0) return;
    }
}

} // namespace fwd
