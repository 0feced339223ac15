#include "bridge/kept_connections.hpp"

namespace fwd::bridge {

std::optional<daemon_connection> kept_connections::take()
{
    while (!all_.empty()) {
        auto last = std::move(all_.back());
        all_.pop_back();
        if (clock_.now() - last.since > burst)
            all_.clear(); // the others are older still
        else if (!last.one.stream->abandoned())
            return std::move(last.one);
    }
    return std::nullopt;
}

void kept_connections::put(daemon_connection one)
{
    if (all_.size() < most) all_.push_back({std::move(one), clock_.now()});
}

} // namespace fwd::bridge
