#include "daemon/forward/tunnel_pool.hpp"

#include "common/async/gathered.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <set>

namespace fwd::forward {

using portforward::transport;
using portforward::tunnel_failure;

struct tunnel_pool::tunnel final : portforward::transport_sink {
    explicit tunnel(tunnel_pool& of, std::uint16_t first_port) : pool{of}, port{first_port} {}
    void on_closed(error why) override { pool.dead(*this, why); }
    void on_state() override { pool.serve_waiting(); }

    tunnel_pool& pool;
    std::unique_ptr<transport> link;
    std::uint64_t number = 0;
    std::uint16_t port;      ///< the only one that a legacy tunnel serves
    time_point idle_since{}; ///< valid while it has no pairs
    std::size_t bulk = 0;    ///< connections on it that move much
};

tunnel_pool::tunnel_pool(kube::pod_ref pod, portforward::negotiator& through, task_scope& tasks, timing& clock, random_source& random,
                         pool_events events, const pool_limits& limits)
    : pod_{std::move(pod)}, through_{through}, tasks_{tasks}, clock_{clock}, random_{random}, events_{std::move(events)}, limits_{limits},
      backoff_{limits.retry}
{
}

tunnel_pool::~tunnel_pool()
{
    close();
    *alive_ = false;
}

transport* tunnel_pool::pick(std::uint16_t port)
{
    tunnel* best = nullptr;
    for (const auto& candidate : tunnels_) {
        auto& link = *candidate->link;
        if (!link.usable() || link.pairs() >= link.most_pairs()) continue;
        if (link.kind() == portforward::transport_kind::legacy && candidate->port != port) continue;
        if (!best || std::pair{candidate->bulk, link.pairs()} < std::pair{best->bulk, best->link->pairs()}) best = candidate.get();
    }
    if (!best) return nullptr;
    // Beyond four pairs, or behind a reader that may stall it, a tunnel is shared only when no further one may be opened, or none
    // could be.
    const bool crowded = best->link->pairs() >= limits_.pairs || best->bulk > 0;
    const bool others = fresh_openings() > 0 || (!retry_timer_ && openings_.empty() && may_open());
    return crowded && others ? nullptr : best->link.get();
}

std::size_t tunnel_pool::usable() const
{
    return static_cast<std::size_t>(std::count_if(tunnels_.begin(), tunnels_.end(), [](const auto& one) { return one->link->usable(); }));
}

std::size_t tunnel_pool::fresh_openings() const
{
    return static_cast<std::size_t>(std::count_if(openings_.begin(), openings_.end(), [this](const auto& one) { return is_fresh(one); }));
}

/// Each of its tunnels takes one connection.
bool tunnel_pool::unshared() const
{
    return !tunnels_.empty() && tunnels_.back()->link->most_pairs() == 1;
}

/// Tunnels that are stalled by their readers or lost in the dark must not keep others out.
bool tunnel_pool::may_open() const
{
    const auto most = unshared() ? limits_.tunnels * limits_.pairs : limits_.tunnels;
    return usable() + fresh_openings() < most && tunnels_.size() + openings_.size() < most + limits_.unusable;
}

transport* tunnel_pool::acquire(tunnel_waiter& waiter, std::uint16_t port)
{
    if (waiting_.empty())
        if (auto* found = pick(port)) {
            keep_spare(port);
            return found;
        }
    waiting_.push_back({&waiter, port});
    // A client is reason enough to try at once, as long as that is not twice in a moment.
    if (retry_timer_ && asked_at_ < retry_at_) try_again_at(std::max(asked_at_, clock_.now()));
    if (!retry_timer_ && fresh_openings() < waiting_.size() && may_open()) open_one(port);
    lose_patience_later();
    return nullptr;
}

void tunnel_pool::cancel(tunnel_waiter& waiter)
{
    waiting_.remove_if([&](const waiting& one) { return one.who == &waiter; });
}

std::size_t tunnel_pool::load() const
{
    std::size_t sum = waiting_.size();
    for (const auto& one : tunnels_) sum += one->link->pairs();
    return sum;
}

std::uint64_t tunnel_pool::number_of(const transport& over) const
{
    for (const auto& one : tunnels_)
        if (one->link.get() == &over) return one->number;
    return 0;
}

void tunnel_pool::keep_spare(std::uint16_t port)
{
    // The connection that was just placed may have taken the last idle tunnel; the next one should find another.
    std::size_t idle = 0;
    for (const auto& one : tunnels_)
        if (one->link->usable() && one->link->pairs() == 0) ++idle;
    // The one handed out counts as idle until its pair opens.
    if (idle <= 1 && openings_.empty() && !retry_timer_ && may_open()) open_one(port);
}

void tunnel_pool::open_one(std::uint16_t port)
{
    const auto began = openings_.insert(openings_.end(), {clock_.now(), port});
    if (events_.opening) events_.opening();
    tasks_.start("tunnel to " + pod_.namespace_name + "/" + pod_.name, opening(port, began, alive_));
}

awaitable<void> tunnel_pool::opening(std::uint16_t port, openings::iterator began, std::shared_ptr<bool> alive)
{
    auto made = std::make_unique<tunnel>(*this, port);
    auto got = co_await through_.open(pod_, port, *made);
    if (!*alive) co_return;
    openings_.erase(began);
    if (!got) {
        failed(got.error());
        co_return;
    }
    made->link = std::move(*got);
    made->idle_since = clock_.now();
    made->number = ++last_number_;
    tunnels_.push_back(std::move(made));
    backoff_.reset();
    clock_.cancel(retry_timer_); // of another that failed beside this one
    retry_timer_ = 0;
    if (events_.opened) events_.opened();
    serve_waiting();
    rest_later();
}

void tunnel_pool::serve_waiting()
{
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        auto* found = pick(at->port);
        if (!found && !unshared()) break;
        if (!found) { // who comes after it may want another port
            ++at;
            continue;
        }
        auto& next = *at->who;
        waiting_.erase(at);
        next.on_tunnel(*found); // in which others may come and go
        at = waiting_.begin();
    }
    if (waiting_.empty()) return;
    open_for_waiting();
    lose_patience_later();
}

/// One at a time, which many may share; or one for each who waits, where they cannot be shared.
void tunnel_pool::open_for_waiting()
{
    std::multiset<std::uint16_t> coming;
    for (const auto& one : openings_)
        if (is_fresh(one)) coming.insert(one.port);
    std::vector<std::uint16_t> wanted;
    for (const auto& one : waiting_) {
        const auto its = unshared() ? coming.find(one.port) : coming.begin();
        if (its == coming.end())
            wanted.push_back(one.port);
        else
            coming.erase(its);
        if (!unshared()) break;
    }
    for (const auto port : wanted)
        if (!retry_timer_ && may_open()) open_one(port);
}

void tunnel_pool::try_again_at(time_point when)
{
    clock_.cancel(retry_timer_);
    retry_at_ = when;
    retry_timer_ = clock_.call_at(when, [this] {
        retry_timer_ = 0;
        serve_waiting();
    });
}

/// A dial into a black hole ends after many seconds; whoever waits gets another one beside it, or shares a tunnel.
void tunnel_pool::lose_patience_later()
{
    if (patience_timer_ || openings_.empty()) return;
    patience_timer_ = clock_.call_after(limits_.patience, [this] {
        patience_timer_ = 0;
        if (!waiting_.empty()) serve_waiting();
    });
}

void tunnel_pool::failed(tunnel_failure why)
{
    if (events_.failed) events_.failed(why);
    using kind = tunnel_failure::kind;
    const bool final = why.what == kind::pod_gone || why.what == kind::forbidden || why.what == kind::refused_upgrade;
    if (why.what != kind::canceled && !retry_timer_) {
        const auto now = clock_.now();
        auto wait = backoff_.next(random_);
        if (why.retry_after) wait = std::max(wait, *why.retry_after);
        // What the server asked for, and a refusal of our credentials, no client's wish can shorten.
        const bool told_when = why.retry_after || why.what == kind::credentials_rejected;
        asked_at_ = now + (told_when ? wait : std::min(wait, limits_.retry.first));
        try_again_at(now + wait);
    }
    // Thousands may wait: told one by one, each of which may leave meanwhile.
    std::list<waiting> leaving;
    if (final) leaving.swap(waiting_);
    auto& told = final ? leaving : waiting_;
    for (auto at = told.begin(); at != told.end();) {
        const auto next = *at++;
        next.who->on_no_tunnel(why, final);
    }
    if (retry_timer_ && !waiting_.empty()) serve_waiting(); // a crowded tunnel is better than none
}

void tunnel_pool::dead(tunnel& which, const error& why)
{
    const auto at = std::find_if(tunnels_.begin(), tunnels_.end(), [&](const auto& one) { return one.get() == &which; });
    if (at == tunnels_.end()) return;
    graveyard_.splice(graveyard_.end(), tunnels_, at);
    asio::post(tasks_.executor(), [this, alive = alive_] {
        if (*alive) graveyard_.clear();
    });
    if (events_.lost && !why.is(errc::canceled)) events_.lost(why);
    serve_waiting();
}

void tunnel_pool::retire_all()
{
    for (const auto& one : tunnels_) one->link->retire();
    close_rested();
}

void tunnel_pool::bulk_begins(transport& over)
{
    if (tunnels_.empty()) return; // it died meanwhile
    bool other = !openings_.empty();
    for (const auto& one : tunnels_) {
        if (one->link.get() == &over) ++one->bulk;
        other = other || (one->link->usable() && one->bulk == 0 && one->link->pairs() < limits_.pairs);
    }
    if (!other && !retry_timer_ && may_open()) open_one(tunnels_.front()->port);
}

void tunnel_pool::bulk_ends(transport& over)
{
    for (const auto& one : tunnels_)
        if (one->link.get() == &over && one->bulk > 0) --one->bulk;
}

void tunnel_pool::released()
{
    if (held_ > 0) --held_;
    for (const auto& one : tunnels_)
        if (one->link->pairs() == 0) one->idle_since = clock_.now();
    serve_waiting();
    rest_later();
}

void tunnel_pool::rest_later()
{
    if (rest_timer_ || tunnels_.empty()) return;
    rest_timer_ = clock_.call_at(gathered(clock_.now() + limits_.spare_rest / 2, 10s), [this] {
        rest_timer_ = 0;
        close_rested();
        rest_later();
    });
}

void tunnel_pool::close_rested()
{
    const auto now = clock_.now();
    std::size_t idle = 0;
    for (auto at = tunnels_.begin(); at != tunnels_.end();) {
        const auto here = at++;
        auto& one = **here;
        if (one.link->pairs() > 0) continue;
        ++idle;
        const auto rested = now - one.idle_since;
        const bool spare = idle > 1;
        if (one.link->usable() && rested < (spare ? limits_.spare_rest : limits_.rest)) continue;
        one.link->close();
        tunnels_.erase(here);
    }
}

void tunnel_pool::poke()
{
    clock_.cancel(retry_timer_);
    retry_timer_ = 0;
    serve_waiting();
}

void tunnel_pool::probe()
{
    for (const auto& one : tunnels_) one->link->probe();
}

void tunnel_pool::close()
{
    clock_.cancel(retry_timer_);
    clock_.cancel(rest_timer_);
    clock_.cancel(patience_timer_);
    retry_timer_ = rest_timer_ = patience_timer_ = 0;
    waiting_.clear();
    auto closing = std::move(tunnels_);
    tunnels_.clear();
    for (const auto& one : closing) one->link->close();
    graveyard_.clear();
}

} // namespace fwd::forward
