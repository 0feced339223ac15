#include "daemon/portforward/tunnel_pulse.hpp"

#include <algorithm>
#include <utility>

namespace fwd::portforward {

void tunnel_pulse::pong(std::uint32_t id)
{
    if (phase_ == phase::pressed && id >= press_from_ && id <= press_to_ && missing_ > 0 && --missing_ == 0) phase_ = phase::quiet;
    if (phase_ != phase::quiet && id == first_) phase_ = phase::quiet;
}

tunnel_pulse::advice tunnel_pulse::advise(time_point now, bool able)
{
    if (!able || now < next()) return advice::nothing;
    switch (phase_) {
    case phase::quiet: return advice::ping;
    case phase::asked:
        if (!std::exchange(hurry_, false) || !probing_) return advice::ping_all_queues;
        return heard_ > began_ ? advice::nothing : advice::dead;
    case phase::pressed: phase_ = phase::quiet; return heard_ > began_ ? advice::retire : advice::dead;
    }
    return advice::nothing;
}

void tunnel_pulse::asked(std::uint32_t first_id, std::uint32_t last_id, time_point now)
{
    asked_at_ = now;
    if (phase_ == phase::quiet) {
        phase_ = phase::asked;
        first_ = first_id;
        began_ = now;
        probing_ = std::exchange(probe_, false);
    } else {
        phase_ = phase::pressed;
        press_from_ = first_id;
        press_to_ = last_id;
        missing_ = (last_id - first_id) / 2 + 1;
    }
}

time_point tunnel_pulse::next() const
{
    switch (phase_) {
    case phase::quiet: return probe_ ? time_point::min() : std::max(heard_, able_) + limits_.ping_after;
    case phase::asked: return std::max(asked_at_, able_) + (hurry_ && probing_ ? limits_.hurry_within : limits_.pong_within);
    case phase::pressed: return std::max(asked_at_, able_) + limits_.press_within;
    }
    return heard_;
}

} // namespace fwd::portforward
