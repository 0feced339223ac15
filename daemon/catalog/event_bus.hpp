// One ordered stream of events to any number of readers, each with a bounded queue; the last ones are kept for replay.
// Control thread.
#pragma once

#include "common/async/callback.hpp"
#include "daemon/catalog/event.hpp"

#include <deque>
#include <list>
#include <memory>
#include <optional>

namespace fwd::catalog {

struct event_limits {
    std::size_t queue = 1024;  ///< events per reader; when full, the oldest of that reader is dropped and counted
    std::size_t replay = 2048; ///< events kept for readers that come back
};

/// Gives ids from 1 on, without gaps, and the time where there is none, and fans out in the order of the calls. A reader may outlive the
/// bus: it then stays empty.
class event_bus final : public event_sink {
    struct state;

public:
    class reader {
    public:
        ~reader();
        reader(const reader&) = delete;
        reader& operator=(const reader&) = delete;
        /// The oldest event that was not taken yet.
        [[nodiscard]] std::optional<event> take();
        /// How many were lost since the last call: to a full queue, or before what replay still had.
        [[nodiscard]] std::uint64_t take_dropped();
        /// Called on each new event while anything waits to be taken; must not emit or unsubscribe.
        void on_event(callback call);

    private:
        friend class event_bus;
        reader() = default;
        std::weak_ptr<state> of_;
        std::list<reader*>::iterator place_;
        std::size_t most_ = 0;
        std::deque<event> queue_;
        std::uint64_t dropped_ = 0;
        callback call_;
    };

    explicit event_bus(timing& clock, event_limits limits = {});
    ~event_bus() override;

    void emit(event what) override;
    /// With `after`, the id that was seen last, what came later is replayed; without, only new events come.
    [[nodiscard]] std::unique_ptr<reader> subscribe(std::optional<std::uint64_t> after = {});
    [[nodiscard]] std::uint64_t last_id() const;
    [[nodiscard]] std::size_t readers() const;

private:
    timing& clock_;
    std::shared_ptr<state> state_;
};

} // namespace fwd::catalog
