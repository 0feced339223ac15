// What a burst of changes leaves free goes back to the system: a thousand services are listed once, and then the daemon rests for hours.
#pragma once

#include "daemon/catalog/event_bus.hpp"

namespace fwd::daemon {

class heap_release {
public:
    /// A burst is at least so many lasting events, and over after so long without one.
    static constexpr std::size_t least = 100;
    static constexpr duration quiet = 100ms;
    /// What wrote the burst down needs a moment longer: pages are given back once more.
    static constexpr duration later = 1s;

    /// `give_back` is called when a burst is over; all outlive this.
    heap_release(catalog::event_bus& events, timing& clock, callback give_back);
    ~heap_release();
    heap_release(const heap_release&) = delete;
    heap_release& operator=(const heap_release&) = delete;

private:
    void take_all();
    void look();
    void look_after(duration wait);

    timing& clock_;
    callback give_back_;
    std::unique_ptr<catalog::event_bus::reader> heard_;
    std::size_t burst_ = 0, seen_ = 0; ///< events of this burst, and how many of them at the last look
    timer_id timer_ = 0;
};

/// Of every arena.
void give_back_free_pages();

} // namespace fwd::daemon
