#include "daemon/forward/connection.hpp"

#include "daemon/forward/reports.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace fwd::forward {

using portforward::pair_failure;
using portforward::tunnel_failure;

namespace {

constexpr duration look_every = 1s; ///< at one who waits: only a look tells that a client left whom nobody reads

} // namespace

connection::connection(connection_host& host, std::unique_ptr<data_stream> client, client_facts facts, relay_parts parts,
                       std::shared_ptr<catalog::counters> traffic)
    : host_{host}, clock_{parts.clock}, facts_{std::move(facts)}, traffic_{traffic}, relay_{std::move(client), parts, std::move(traffic),
                                                                                            facts_.half, *this}
{
    traffic_->began();
}

connection::~connection()
{
    leave_pool();
    clock_.cancel(look_timer_);
    if (stage_ == stage::over) return;
    become(stage::over);
    traffic_->ended();
}

void connection::begin()
{
    deadline_ = clock_.now() + facts_.wait;
    choose();
}

void connection::become(stage next)
{
    const auto waits = [](stage at) { return at == stage::held || at == stage::wanting; };
    if (waits(next) && !waits(stage_)) traffic_->waiting.fetch_add(1, std::memory_order_relaxed);
    if (!waits(next) && waits(stage_)) traffic_->waiting.fetch_sub(1, std::memory_order_relaxed);
    if (next == stage::held && stage_ != stage::held) held_since_ = clock_.now();
    if (next != stage::held && stage_ == stage::held) was_held_ += clock_.now() - held_since_;
    stage_ = next;
}

void connection::choose()
{
    pool_ = host_.choose(*this, avoid_, port_);
    if (pool_) return use_pool();
    if (stage_ == stage::held) return;
    refusal_words why;
    if (!wait_for_pod(why)) abort(why.code, std::string{why.text});
}

bool connection::wait_for_pod(refusal_words& why)
{
    place_ = host_.hold(*this, why);
    if (!place_) return false;
    become(stage::held);
    look_later();
    return true;
}

void connection::use_pool()
{
    place_ = {};
    if (auto* over = pool_->acquire(*this, port_)) return on_tunnel(*over);
    become(stage::wanting);
    look_later();
}

void connection::look_later()
{
    if (look_timer_) return;
    look_timer_ = clock_.call_at(std::min(deadline_, clock_.now() + look_every), [this] {
        look_timer_ = 0;
        look();
    });
}

void connection::look()
{
    if (relay_.abandoned()) return abort("client_left", "the client left while it waited");
    if (stage_ == stage::wanting && move_on(when::tunnel_is_open) && stage_ != stage::wanting) return;
    if (stage_ == stage::held) choose(); // a pod may be listed that was said to be gone
    if (stage_ != stage::held && stage_ != stage::wanting) return;
    if (clock_.now() < deadline_) return look_later();
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(facts_.wait).count();
    if (stage_ == stage::held) return abort("no_pod_in_time", fmt::format("it waited {} s for a pod", waited));
    abort("no_tunnel_in_time", fmt::format("it waited {} s for a tunnel to pod {}", waited, pool_->pod().name));
}

void connection::on_tunnel(portforward::transport& over)
{
    clock_.cancel(look_timer_);
    look_timer_ = 0;
    become(stage::running);
    over_tunnel_ = &over;
    pool_->hold();
    host_.opened(*this);
    relay_.served_by(pool_->pod().name);
    relay_.start(over, port_);
}

void connection::pods_changed(std::span<const target> eligible)
{
    if (stage_ == stage::held) return choose();
    if (stage_ != stage::wanting) return;
    if (std::any_of(eligible.begin(), eligible.end(), [this](const target& one) { return one.pod == pool_->pod(); })) return;
    pool_->cancel(*this);
    pool_ = nullptr;
    become(stage::fresh);
    choose();
}

/// Nothing was said to the pod yet, so that another one whose tunnel can be had is as good. False: it waits on where it is.
bool connection::move_on(when to)
{
    std::uint16_t port = 0;
    auto* const next = host_.choose(*this, pool_->pod(), port);
    if (!next || next == pool_ || (to == when::tunnel_is_open ? !next->has_tunnel() : next->backing_off())) return false;
    pool_->cancel(*this);
    pool_ = next;
    port_ = port;
    use_pool();
    return true;
}

void connection::on_no_tunnel(const tunnel_failure& why, bool final)
{
    if (!final) { // the pool tries again until our deadline
        move_on(when::not_backing_off);
        return;
    }
    const auto pod = pool_->pod();
    const bool gone = why.what == tunnel_failure::kind::pod_gone;
    if (retried_ && !gone) {
        pool_ = nullptr;
        abort(code_of(why.what), why.why.message());
    } else
        try_again(pod, gone, code_of(why.what), why.why.message());
}

void connection::bulk()
{
    bulk_ = true;
    pool_->bulk_begins(*over_tunnel_);
}

/// Another try, which must not be lost to the time that the first one took; further ones have no more time, however often a pod that
/// is gone is still listed. The same pod would refuse again, unless it is only gone from a watch that is behind: then its successor
/// is waited for.
void connection::try_again(const kube::pod_ref& failed, bool same_pod_may_help, std::string_view code, std::string text)
{
    avoid_ = failed;
    pool_ = nullptr;
    over_tunnel_ = nullptr;
    become(stage::fresh);
    if (!std::exchange(retried_, true)) deadline_ = std::max(deadline_, clock_.now() + facts_.wait - was_held_);
    auto* next = host_.choose(*this, avoid_, port_);
    if (next && next->pod() == failed && !same_pod_may_help) return abort(code, std::move(text));
    pool_ = next;
    if (pool_) return use_pool();
    wait_for_successor(failed, code, std::move(text));
}

/// Nothing was said to anybody: who comes instead is waited for, also where the list is behind and still has the one that is gone.
void connection::wait_for_successor(const kube::pod_ref& gone, std::string_view code, std::string text)
{
    avoid_ = gone;
    refusal_words none;
    if (!wait_for_pod(none)) abort(code, std::move(text));
}

/// The tunnel under it. A pair may hear of its end only after that was destroyed.
portforward::transport* connection::living_tunnel() const
{
    return over_tunnel_ && pool_->number_of(*over_tunnel_) != 0 ? over_tunnel_ : nullptr;
}

void connection::may_retry(pair_failure why, std::string text)
{
    const auto pod = pool_->pod();
    host_.pair_failed(*this, pod, why, text, living_tunnel());
    pool_->released();
    if (retried_) {
        pool_ = nullptr;
        over_tunnel_ = nullptr;
        become(stage::fresh);
        if (why == pair_failure::sandbox_gone) return wait_for_successor(pod, code_of(why), std::move(text));
        return abort(code_of(why), std::move(text));
    }
    // Asking the same pod for a port at once would only be refused again.
    try_again(pod, why != pair_failure::refused && why != pair_failure::not_supported, code_of(why), std::move(text));
}

void connection::over(std::optional<pair_failure> why, std::string text)
{
    if (why && pool_) host_.pair_failed(*this, pool_->pod(), *why, text, living_tunnel());
    end(why ? code_of(*why) : std::string_view{}, std::move(text));
}

void connection::abort(std::string_view code, std::string text)
{
    if (stage_ == stage::over) return;
    relay_.abort();
    end(code, std::move(text));
}

void connection::leave_pool()
{
    if (!pool_) return;
    if (stage_ == stage::wanting)
        pool_->cancel(*this);
    else {
        if (std::exchange(bulk_, false)) pool_->bulk_ends(*over_tunnel_);
        pool_->released();
    }
    pool_ = nullptr;
}

void connection::end(std::string_view code, std::string text)
{
    clock_.cancel(look_timer_);
    look_timer_ = 0;
    place_ = {};
    host_.ended(*this, code, std::move(text));
    leave_pool();
    over_tunnel_ = nullptr;
    become(stage::over);
    traffic_->ended();
}

connection_snapshot connection::snapshot() const
{
    using at = connection_snapshot::stage;
    connection_snapshot made;
    made.id = facts_.id;
    made.forward = facts_.forward;
    made.client = facts_.client;
    made.local = facts_.local;
    made.since = facts_.since;
    made.bytes_in = relay_.bytes_in();
    made.bytes_out = relay_.bytes_out();
    made.now = stage_ == stage::held || stage_ == stage::fresh ? at::waiting_for_pod : at::waiting_for_tunnel;
    if (pool_) {
        made.pod = pool_->pod();
        made.pod_port = port_;
    }
    if (stage_ != stage::running || !over_tunnel_) return made;
    made.now = relay_.closing() ? at::closing : at::open;
    made.tunnel = pool_->number_of(*over_tunnel_);
    if (made.tunnel == 0) return made; // it has just died
    made.transport = name_of(over_tunnel_->kind());
    made.stalled = over_tunnel_->stalled();
    return made;
}

} // namespace fwd::forward
