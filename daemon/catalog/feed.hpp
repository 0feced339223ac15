// One ordered stream of values to any number of readers, each with a bounded queue; the last ones are kept for replay.
// A value is kept once, however many readers have yet to take it. Control thread.
#pragma once

#include "common/async/callback.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <utility>

namespace fwd::catalog {

struct feed_limits {
    std::size_t queue = 1024;  ///< values per reader; when full, the oldest of that reader is dropped and counted
    std::size_t replay = 1024; ///< values kept for readers that come back
};

/// `T` has a member `id`, which the feed gives: from 1 on, without gaps. A reader may outlive the feed: it then stays empty.
template <class T>
class feed {
    struct state;

public:
    using value = std::shared_ptr<const T>;

    class reader {
    public:
        ~reader()
        {
            if (const auto of = of_.lock()) of->readers.erase(place_);
        }
        reader(const reader&) = delete;
        reader& operator=(const reader&) = delete;
        /// The oldest value that was not taken yet; null: there is none.
        [[nodiscard]] value take()
        {
            if (queue_.empty()) return nullptr;
            auto first = std::move(queue_.front());
            queue_.pop_front();
            return first;
        }
        /// How many were lost since the last call: to a full queue, or before what replay still had.
        [[nodiscard]] std::uint64_t take_dropped() { return std::exchange(dropped_, 0); }
        /// Called on each new value while anything waits to be taken; must not emit or unsubscribe.
        void on_event(callback call) { call_ = std::move(call); }

    private:
        friend class feed;
        reader() = default;
        std::weak_ptr<state> of_;
        typename std::list<reader*>::iterator place_;
        std::size_t most_ = 0;
        std::deque<value> queue_;
        std::uint64_t dropped_ = 0;
        callback call_;
    };

    explicit feed(feed_limits limits) : state_{std::make_shared<state>()} { state_->limits = limits; }

    /// `keep`: it may be replayed.
    void emit(T what, bool keep = true)
    {
        auto& s = *state_;
        what.id = ++s.last;
        const auto kept = std::make_shared<const T>(std::move(what));
        for (auto* to : s.readers) {
            if (to->queue_.size() >= to->most_) {
                to->queue_.pop_front();
                ++to->dropped_;
            }
            to->queue_.push_back(kept);
        }
        if (keep) s.kept.push_back(kept);
        if (s.kept.size() > s.limits.replay) s.kept.pop_front();
        for (auto* to : s.readers)
            if (to->call_) to->call_();
    }

    /// With `after`, the id that was seen last, what came later is replayed; without, only new values come.
    [[nodiscard]] std::unique_ptr<reader> subscribe(std::optional<std::uint64_t> after = {})
    {
        auto& s = *state_;
        std::unique_ptr<reader> made{new reader};
        made->of_ = state_;
        made->most_ = s.limits.queue;
        // An id from an earlier run of the daemon may lie ahead of ours: everything since this start is new to that reader.
        if (after && *after > s.last) after = 0;
        if (after && *after < s.last) {
            const auto oldest = s.kept.empty() ? s.last + 1 : s.kept.front()->id;
            if (*after + 1 < oldest) made->dropped_ = oldest - *after - 1;
            for (const auto& past : s.kept)
                if (past->id > *after) made->queue_.push_back(past);
            // What is replayed is bounded by the ring; room for new values comes on top of it.
            made->most_ = std::max(made->most_, made->queue_.size() + s.limits.queue);
        }
        made->place_ = s.readers.insert(s.readers.end(), made.get());
        return made;
    }

    [[nodiscard]] std::uint64_t last_id() const { return state_->last; }
    [[nodiscard]] std::size_t readers() const { return state_->readers.size(); }
    /// What replay has, oldest first.
    [[nodiscard]] const std::deque<value>& kept() const { return state_->kept; }
    /// Forgets what replay has; ids go on. Returns how many there were.
    std::size_t clear() { return std::exchange(state_->kept, {}).size(); }

private:
    struct state {
        feed_limits limits;
        std::uint64_t last = 0;
        std::deque<value> kept;
        std::list<reader*> readers;
    };
    std::shared_ptr<state> state_;
};

} // namespace fwd::catalog
