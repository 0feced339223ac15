// One ordered stream of events to any number of readers. Control thread.
#pragma once

#include "daemon/catalog/event.hpp"
#include "daemon/catalog/feed.hpp"

namespace fwd::catalog {

using event_limits = feed_limits;

/// Gives the time where there is none, and fans out in the order of the calls.
class event_bus final : public event_sink {
public:
    using reader = feed<event>::reader;

    explicit event_bus(timing& clock, event_limits limits = {});

    void emit(event what) override;
    [[nodiscard]] bool heard() const override { return feed_.readers() > 0; }
    /// With `after`, the id that was seen last, what came later is replayed; without, only new events come.
    [[nodiscard]] std::unique_ptr<reader> subscribe(std::optional<std::uint64_t> after = {});
    [[nodiscard]] std::uint64_t last_id() const { return feed_.last_id(); }
    [[nodiscard]] std::size_t readers() const { return feed_.readers(); }

private:
    timing& clock_;
    feed<event> feed_;
};

} // namespace fwd::catalog
