#include "daemon/forward/tunnel_pool.hpp"

#include <boost/asio/post.hpp>

namespace fwd::forward {

using portforward::transport;
using portforward::tunnel_failure;

struct tunnel_pool::tunnel final : portforward::transport_sink {
    explicit tunnel(tunnel_pool& of, std::uint16_t first_port) : pool{of}, port{first_port} {}
    void on_closed(error) override { pool.dead(*this); }
    void on_state() override { pool.serve_waiting(); }

    tunnel_pool& pool;
    std::unique_ptr<transport> link;
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
    // Beyond four pairs, or behind a reader that may stall it, a tunnel is shared only when no further one may be opened.
    const bool crowded = best && (best->link->pairs() >= limits_.pairs || best->bulk > 0);
    if (crowded && tunnels_.size() + opening_ < limits_.tunnels) return nullptr;
    return best ? best->link.get() : nullptr;
}

transport* tunnel_pool::acquire(tunnel_waiter& waiter, std::uint16_t port)
{
    last_used_ = clock_.now();
    if (waiting_.empty())
        if (auto* found = pick(port)) {
            keep_spare(port);
            return found;
        }
    waiting_.push_back({&waiter, port});
    if (!retry_timer_ && opening_ < waiting_.size() && tunnels_.size() + opening_ < limits_.tunnels) open_one(port);
    return nullptr;
}

void tunnel_pool::cancel(tunnel_waiter& waiter)
{
    waiting_.remove_if([&](const waiting& one) { return one.who == &waiter; });
}

bool tunnel_pool::has_tunnel() const
{
    for (const auto& one : tunnels_)
        if (one->link->usable()) return true;
    return false;
}

std::size_t tunnel_pool::load() const
{
    std::size_t sum = waiting_.size();
    for (const auto& one : tunnels_) sum += one->link->pairs();
    return sum;
}

void tunnel_pool::keep_spare(std::uint16_t port)
{
    // The connection that was just placed may have taken the last idle tunnel; the next one should find another.
    std::size_t idle = 0;
    for (const auto& one : tunnels_)
        if (one->link->usable() && one->link->pairs() == 0) ++idle;
    // The one handed out counts as idle until its pair opens.
    if (idle <= 1 && opening_ == 0 && !retry_timer_ && tunnels_.size() < limits_.tunnels) open_one(port);
}

void tunnel_pool::open_one(std::uint16_t port)
{
    ++opening_;
    if (events_.opening) events_.opening();
    tasks_.start("tunnel to " + pod_.namespace_name + "/" + pod_.name, opening(port, alive_));
}

awaitable<void> tunnel_pool::opening(std::uint16_t port, std::shared_ptr<bool> alive)
{
    auto made = std::make_unique<tunnel>(*this, port);
    auto got = co_await through_.open(pod_, port, *made);
    if (!*alive) co_return;
    --opening_;
    if (!got) {
        failed(got.error());
        co_return;
    }
    made->link = std::move(*got);
    made->idle_since = clock_.now();
    tunnels_.push_back(std::move(made));
    backoff_.reset();
    if (events_.opened) events_.opened();
    serve_waiting();
    rest_later();
}

void tunnel_pool::serve_waiting()
{
    while (!waiting_.empty()) {
        const auto next = waiting_.front();
        auto* found = pick(next.port);
        if (!found) break;
        waiting_.pop_front();
        next.who->on_tunnel(*found);
    }
    if (!waiting_.empty() && !retry_timer_ && opening_ == 0 && tunnels_.size() < limits_.tunnels) open_one(waiting_.front().port);
}

void tunnel_pool::failed(tunnel_failure why)
{
    if (events_.failed) events_.failed(why);
    using kind = tunnel_failure::kind;
    const bool final = why.what == kind::pod_gone || why.what == kind::forbidden || why.what == kind::refused_upgrade;
    // Waiters may cancel themselves or others meanwhile.
    std::vector<tunnel_waiter*> told;
    for (const auto& one : waiting_) told.push_back(one.who);
    if (final) waiting_.clear();
    if (why.what != kind::canceled && !retry_timer_) {
        auto wait = backoff_.next(random_);
        if (why.retry_after) wait = std::max(wait, *why.retry_after);
        retry_timer_ = clock_.call_after(wait, [this] {
            retry_timer_ = 0;
            serve_waiting();
        });
    }
    for (auto* who : told) {
        const bool there = final || std::any_of(waiting_.begin(), waiting_.end(), [&](const waiting& one) { return one.who == who; });
        if (there) who->on_no_tunnel(why, final);
    }
}

void tunnel_pool::dead(tunnel& which)
{
    const auto at = std::find_if(tunnels_.begin(), tunnels_.end(), [&](const auto& one) { return one.get() == &which; });
    if (at == tunnels_.end()) return;
    graveyard_.splice(graveyard_.end(), tunnels_, at);
    asio::post(tasks_.executor(), [this, alive = alive_] {
        if (*alive) graveyard_.clear();
    });
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
    bool other = opening_ > 0;
    for (const auto& one : tunnels_) {
        if (one->link.get() == &over) ++one->bulk;
        other = other || (one->link->usable() && one->bulk == 0 && one->link->pairs() < limits_.pairs);
    }
    if (!other && !retry_timer_ && tunnels_.size() < limits_.tunnels) open_one(tunnels_.front()->port);
}

void tunnel_pool::bulk_ends(transport& over)
{
    for (const auto& one : tunnels_)
        if (one->link.get() == &over && one->bulk > 0) --one->bulk;
}

void tunnel_pool::released()
{
    for (const auto& one : tunnels_)
        if (one->link->pairs() == 0) one->idle_since = clock_.now();
    serve_waiting();
    rest_later();
}

void tunnel_pool::rest_later()
{
    if (rest_timer_ || tunnels_.empty()) return;
    rest_timer_ = clock_.call_after(limits_.spare_rest / 2, [this] {
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
    backoff_.reset();
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
    retry_timer_ = rest_timer_ = 0;
    waiting_.clear();
    auto closing = std::move(tunnels_);
    tunnels_.clear();
    for (const auto& one : closing) one->link->close();
    graveyard_.clear();
}

} // namespace fwd::forward
