#include "common/async/retry_pause.hpp"

namespace fwd {

awaitable<void> wait_for(timing& clock, async_event& event, time_point until)
{
    struct alarm {
        timing& clock;
        timer_id id;
        ~alarm() { clock.cancel(id); }
    };
    const alarm set{clock, clock.call_at(until, [&event] { event.set(); })};
    co_await event.wait();
}

void retry_pause::poke()
{
    poked_ = true;
    event_.set();
}

awaitable<void> retry_pause::wait(duration span)
{
    const auto until = clock_.now() + span;
    while (!poked_ && clock_.now() < until) co_await wait_for(clock_, event_, until);
    co_await keep_apart();
}

awaitable<void> retry_pause::wait()
{
    while (!poked_) co_await event_.wait();
    co_await keep_apart();
}

awaitable<void> retry_pause::keep_apart()
{
    poked_ = false;
    const auto soonest = began_ + gap_;
    if (clock_.now() < soonest) co_await clock_.wait_until(soonest);
}

} // namespace fwd
