// When to ask a tunnel's peer whether it is there, and what its silence means: values in, decisions out.
// The runtime's receiver has five queues and answers one ping in each by turns, so that five pings tell a wedged queue
// from a dead path.
#pragma once

#include "common/async/timing.hpp"

#include <cstdint>

namespace fwd::portforward {

class tunnel_pulse {
public:
    struct limits {
        duration ping_after;        ///< silence before the first ping
        duration pong_within;       ///< for its answer
        duration press_within = 4s; ///< for the answers to the last five
        duration hurry_within = 2s; ///< for anything at all, after a probe of a tunnel that nobody would miss
    };
    enum class advice {
        nothing,
        ping,            ///< send one and call asked()
        ping_all_queues, ///< send five and call asked()
        retire,          ///< something lives, but not all of it: no new pairs
        dead,
    };

    tunnel_pulse(limits l, time_point now) : limits_{l}, heard_{now}, able_{now} {}

    void heard(time_point now) { heard_ = now; }
    /// We read and our queue drains again, after a time when we did not: silence counts from here.
    void able_again(time_point now) { able_ = now; }
    [[nodiscard]] time_point able_since() const { return able_; }
    /// Asks at the next advise(), whatever was heard. `hurry`: nothing would be lost with the tunnel, so that a live one may be
    /// given up sooner than a dead one is kept.
    void probe(bool hurry)
    {
        probe_ = true;
        hurry_ = hurry;
    }
    /// Something is at stake from now on.
    void no_hurry() { hurry_ = false; }
    /// A ping of ours came back.
    void pong(std::uint32_t id);
    /// What is to be done now. `able`: we read and our queue drains; otherwise nothing is asked and nothing judged.
    [[nodiscard]] advice advise(time_point now, bool able);
    /// Pings first_id, first_id + 2, ... last_id were sent as advised.
    void asked(std::uint32_t first_id, std::uint32_t last_id, time_point now);
    /// When to ask for advice again.
    [[nodiscard]] time_point next() const;
    /// A probe is due or out, and nothing at all was heard since.
    [[nodiscard]] bool suspect() const { return probe_ || (phase_ != phase::quiet && probing_ && heard_ <= began_); }

private:
    enum class phase { quiet, asked, pressed };

    limits limits_;
    phase phase_ = phase::quiet;
    time_point heard_, able_;
    time_point asked_at_{}; ///< the last pings were sent
    time_point began_{};    ///< the first ping was sent
    std::uint32_t first_ = 0, press_from_ = 0, press_to_ = 0, missing_ = 0;
    bool probe_ = false, probing_ = false, hurry_ = false;
};

} // namespace fwd::portforward
