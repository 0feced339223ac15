#include "daemon/catalog/event_bus.hpp"

namespace fwd::catalog {

struct event_bus::state {
    event_limits limits;
    std::uint64_t last = 0;
    std::deque<event> kept;
    std::list<reader*> readers;
};

event_bus::event_bus(timing& clock, event_limits limits) : clock_{clock}, state_{std::make_shared<state>()}
{
    state_->limits = limits;
}

event_bus::~event_bus() = default;

void event_bus::emit(event what)
{
    auto& s = *state_;
    what.id = ++s.last;
    if (what.when == wall_time{}) what.when = clock_.wall_now();
    for (auto* to : s.readers) {
        if (to->queue_.size() >= to->most_) {
            to->queue_.pop_front();
            ++to->dropped_;
        }
        to->queue_.push_back(what);
    }
    s.kept.push_back(std::move(what));
    if (s.kept.size() > s.limits.replay) s.kept.pop_front();
    for (auto* to : s.readers)
        if (to->call_) to->call_();
}

std::unique_ptr<event_bus::reader> event_bus::subscribe(std::optional<std::uint64_t> after)
{
    auto& s = *state_;
    std::unique_ptr<reader> made{new reader};
    made->of_ = state_;
    made->most_ = s.limits.queue;
    // An id from an earlier run of the daemon may lie ahead of ours: everything since this start is new to that reader.
    if (after && *after > s.last) after = 0;
    if (after && *after < s.last) {
        const auto oldest = s.kept.empty() ? s.last + 1 : s.kept.front().id;
        if (*after + 1 < oldest) made->dropped_ = oldest - *after - 1;
        for (const auto& past : s.kept) {
            if (past.id > *after) made->queue_.push_back(past);
        }
        // What is replayed is bounded by the ring; room for new events comes on top of it.
        made->most_ = std::max(made->most_, made->queue_.size() + s.limits.queue);
    }
    made->place_ = s.readers.insert(s.readers.end(), made.get());
    return made;
}

std::uint64_t event_bus::last_id() const
{
    return state_->last;
}

std::size_t event_bus::readers() const
{
    return state_->readers.size();
}

event_bus::reader::~reader()
{
    if (const auto of = of_.lock()) of->readers.erase(place_);
}

std::optional<event> event_bus::reader::take()
{
    if (queue_.empty()) return std::nullopt;
    auto first = std::move(queue_.front());
    queue_.pop_front();
    return first;
}

std::uint64_t event_bus::reader::take_dropped()
{
    return std::exchange(dropped_, 0);
}

void event_bus::reader::on_event(callback call)
{
    call_ = std::move(call);
}

} // namespace fwd::catalog
