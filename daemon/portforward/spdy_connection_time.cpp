// What a SPDY tunnel does as time passes: deadlines of new streams, pings, and the notice that nothing leaves any more.
#include "daemon/portforward/spdy_connection.hpp"

#include "common/async/gathered.hpp"

#include <algorithm>

namespace fwd::portforward {

namespace {

constexpr duration stuck_after = 1s; ///< without the kernel taking a byte of our backlog
constexpr duration dark_after = 25s; ///< of silence of the peer's machine: one that does not read says so, one that is gone does not

} // namespace

void spdy_connection::note_able(bool before)
{
    if (!before && able()) pulse_.able_again(clock_.now());
}

/// A dead tunnel has no timer: the loop may keep it for longer than the clock lives.
void spdy_connection::stop_timer()
{
    if (timer_ != 0) clock_.cancel(std::exchange(timer_, 0));
}

void spdy_connection::schedule(time_point when)
{
    if (!alive_ || (timer_ != 0 && timer_due_ <= when)) return;
    stop_timer();
    timer_due_ = when;
    timer_ = clock_.call_at(when, [this] { tick(); });
}

void spdy_connection::tick()
{
    const turn guard{*this};
    timer_ = 0;
    const auto now = clock_.now();
    if (backlog() > 0 || watching_backlog_) watch_backlog(now);
    check_replies(now);
    check_pulse(now);
    if (alive_) schedule(std::max(next_beat(), able() ? now : now + stuck_after));
}

/// Tunnels that nobody uses ask together, at the full second.
time_point spdy_connection::next_beat() const
{
    const auto when = pulse_.next();
    return live_ > 0 || pulse_.suspect() ? when : gathered(when, 1s);
}

/// Notices that nothing leaves any more: the peer, or somebody on the way, does not read.
void spdy_connection::watch_backlog(time_point now)
{
    const bool before = able();
    watching_backlog_ = watching_backlog_ && backlog() > 0;
    if (backlog() == 0) {
        stuck_ = false;
    } else if (const auto moved = pipe_.progress(); !watching_backlog_ || moved > backlog_mark_) {
        watching_backlog_ = true;
        backlog_mark_ = moved;
        backlog_since_ = now;
        stuck_ = false;
    } else if (now - backlog_since_ >= stuck_after) {
        stuck_ = true;
        if (now - backlog_since_ >= dark_after && pipe_.silence() >= dark_after)
            return lose({errc::timed_out, "the tunnel's other end is out of reach"});
    }
    note_able(before);
    if (watching_backlog_) schedule(now + stuck_after);
    changed();
}

void spdy_connection::check_replies(time_point now)
{
    for (std::size_t i = 0; i < pairs_.size() && alive_; ++i) {
        auto& each = *pairs_[i];
        if (each.replied || each.dead || !each.sink) continue;
        const auto due = std::max(each.opened, pulse_.able_since()) + duration{limits_.reply};
        if (!able())
            schedule(std::max(due, now + stuck_after));
        else if (now < due)
            schedule(due);
        else
            fail(each, pair_failure::no_reply, "the container runtime did not answer the new stream");
    }
}

void spdy_connection::check_pulse(time_point now)
{
    if (!alive_) return;
    switch (pulse_.advise(now, able())) {
    case tunnel_pulse::advice::nothing: return;
    case tunnel_pulse::advice::ping: send_pings(1, now); break;
    case tunnel_pulse::advice::ping_all_queues: send_pings(queues_of_peer, now); break;
    case tunnel_pulse::advice::retire: retire(); return;
    case tunnel_pulse::advice::dead: lose({errc::timed_out, "the tunnel's other end does not answer"}); return;
    }
    changed();
}

void spdy_connection::send_pings(int count, time_point now)
{
    const auto first = next_ping_;
    for (int i = 0; i < count; ++i, next_ping_ += 2) spdy::append_ping(control_, next_ping_);
    pulse_.asked(first, next_ping_ - 2, now);
    pipe_.wake();
}

} // namespace fwd::portforward
