#include "daemon/catalog/counters.hpp"

namespace fwd::catalog {

void counters::began()
{
    connections.fetch_add(1, std::memory_order_relaxed);
    // In this order: who sees no open connection after it took the note away may rely on a new note of the next one.
    open.fetch_add(1);
    if (board_ && !noted_.exchange(true)) board_->note(weak_from_this());
}

void counters::ended()
{
    open.fetch_sub(1); // what moved before is seen by whom sees this
}

traffic::rates counters::average(wall_time started) const
{
    const auto age = board_ ? std::chrono::duration<double>(board_->looked() - started).count() : 0;
    if (age <= 0) return {};
    return {static_cast<double>(meter.total().in) / age, static_cast<double>(meter.total().out) / age};
}

std::shared_ptr<counters> counter_board::make()
{
    auto made = std::make_shared<counters>();
    made->board_ = shared_from_this();
    return made;
}

void counter_board::note(std::weak_ptr<counters> one)
{
    const std::lock_guard held{guard_};
    noted_.push_back(std::move(one));
}

bool counter_board::rests(counters& one)
{
    if (one.meter.stirred() || one.open.load() > 0) return false;
    one.noted_.store(false);
    const bool still = one.open.load() == 0 && one.moved() == one.meter.total();
    return still || one.noted_.exchange(true); // noted by another in between: it will be taken from there
}

void counter_board::look(wall_time now, const std::function<void(const counters&)>& changed)
{
    {
        const std::lock_guard held{guard_};
        used_.insert(used_.end(), noted_.begin(), noted_.end());
        noted_.clear();
    }
    const auto before = std::exchange(looked_, now);
    std::erase_if(used_, [&](const std::weak_ptr<counters>& each) {
        const auto one = each.lock();
        if (!one) return true;
        one->meter.sample(before, now, one->moved());
        if (one->meter.stirred()) changed(*one);
        return rests(*one);
    });
}

} // namespace fwd::catalog
