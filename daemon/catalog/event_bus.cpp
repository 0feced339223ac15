#include "daemon/catalog/event_bus.hpp"

namespace fwd::catalog {

event_bus::event_bus(timing& clock, event_limits limits) : clock_{clock}, feed_{limits} {}

void event_bus::emit(event what)
{
    if (what.when == wall_time{}) what.when = clock_.wall_now();
    // Numbers that the next second replaces are not worth the place of what happened.
    const bool keep = what.type != event_type::bandwidth_update;
    feed_.emit(std::move(what), keep);
}

std::unique_ptr<event_bus::reader> event_bus::subscribe(std::optional<std::uint64_t> after)
{
    return feed_.subscribe(after);
}

} // namespace fwd::catalog
