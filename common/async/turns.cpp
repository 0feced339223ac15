#include "common/async/turns.hpp"

#include "common/async/suspend.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <map>

namespace fwd {

struct turns::state : std::enable_shared_from_this<state> {
    bool taken = false; ///< in this round
    std::uint64_t last = 0;
    std::map<std::uint64_t, waker> waiting;

    /// What is posted from a round comes after the loop has asked for what became ready.
    void begin_round(const asio::any_io_executor& on)
    {
        taken = true;
        asio::post(on, [self = shared_from_this(), on] {
            self->taken = false;
            if (self->waiting.empty()) return;
            self->waiting.extract(self->waiting.begin()).mapped()();
            self->begin_round(on);
        });
    }
};

turns::turns() : state_{std::make_shared<state>()} {}
turns::~turns() = default;

awaitable<void> turns::take()
{
    const auto state = state_; // may outlive its owner by those that wait
    if (!state->taken) {
        state->begin_round(co_await asio::this_coro::executor);
        co_return;
    }
    const auto id = ++state->last;
    co_await suspend([&](waker wake) { state->waiting.emplace(id, wake); }, [&] { state->waiting.erase(id); });
}

} // namespace fwd
