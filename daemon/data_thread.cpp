#include "daemon/data_thread.hpp"

#include "common/async/eager_loop.hpp"
#include "common/async/short_slices.hpp"

#include <csignal>

namespace fwd::daemon {

data_thread::data_thread()
    : guard_{asio::make_work_guard(loop_)}, clock_{make_timing(loop_.get_executor())}, random_{make_system_random()},
      net_{make_network(loop_.get_executor())}
{
}

data_thread::~data_thread()
{
    end();
}

void data_thread::start()
{
    thread_ = std::thread{[this] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr); // signals are the control thread's
        ask_for_short_slices(500us);
        run_eagerly(loop_);
    }};
}

void data_thread::end()
{
    if (!thread_.joinable()) return;
    guard_.reset();
    loop_.stop();
    thread_.join();
}

} // namespace fwd::daemon
