#include "daemon/forward/connection.hpp"

namespace fwd::forward {

using portforward::pair_failure;
using portforward::tunnel_failure;

connection::connection(connection_host& host, std::unique_ptr<data_stream> client, timing& clock,
                       std::shared_ptr<catalog::counters> traffic, half_close half, const relay_limits& limits, time_point deadline)
    : host_{host}, clock_{clock}, traffic_{traffic}, relay_{std::move(client), clock, traffic, half, *this, limits}, deadline_{deadline}
{
    traffic_->connections.fetch_add(1, std::memory_order_relaxed);
    traffic_->open.fetch_add(1, std::memory_order_relaxed);
}

connection::~connection()
{
    leave_pool();
    clock_.cancel(deadline_timer_);
    if (stage_ == stage::held) traffic_->waiting.fetch_sub(1, std::memory_order_relaxed);
    if (stage_ != stage::over) traffic_->open.fetch_sub(1, std::memory_order_relaxed);
}

void connection::begin()
{
    choose();
}

void connection::choose()
{
    pool_ = host_.choose(*this, avoid_, port_);
    if (!pool_) {
        if (stage_ == stage::held) return;
        if (!host_.hold(*this)) {
            abort();
            return;
        }
        stage_ = stage::held;
        traffic_->waiting.fetch_add(1, std::memory_order_relaxed);
    } else {
        if (stage_ == stage::held) traffic_->waiting.fetch_sub(1, std::memory_order_relaxed);
        stage_ = stage::wanting;
        if (auto* over = pool_->acquire(*this, port_)) {
            on_tunnel(*over);
            return;
        }
    }
    if (!deadline_timer_)
        deadline_timer_ = clock_.call_at(deadline_, [this] {
            deadline_timer_ = 0;
            abort();
        });
}

void connection::on_tunnel(portforward::transport& over)
{
    clock_.cancel(deadline_timer_);
    deadline_timer_ = 0;
    stage_ = stage::running;
    over_tunnel_ = &over;
    relay_.start(over, port_);
}

void connection::pods_changed()
{
    if (stage_ == stage::held) choose();
}

void connection::on_no_tunnel(const tunnel_failure& why, bool final)
{
    const auto pod = pool_->pod();
    if (!final) return; // the pool tries again until our deadline
    pool_ = nullptr;
    stage_ = stage::fresh;
    if (retried_ && why.what != tunnel_failure::kind::pod_gone) {
        abort();
        return;
    }
    retried_ = true;
    avoid_ = pod;
    choose();
    // The same pod again: whatever refused for good will refuse again.
    if (stage_ == stage::wanting && pool_ && pool_->pod() == pod && why.what != tunnel_failure::kind::pod_gone) abort();
}

void connection::bulk()
{
    bulk_ = true;
    pool_->bulk_begins(*over_tunnel_);
}

void connection::may_retry(pair_failure why, std::string text)
{
    const auto pod = pool_->pod();
    host_.pair_failed(*this, pod, why, text, over_tunnel_);
    pool_->released();
    over_tunnel_ = nullptr;
    pool_ = nullptr;
    if (retried_) {
        abort();
        return;
    }
    retried_ = true;
    avoid_ = pod;
    stage_ = stage::fresh;
    if (why == pair_failure::refused) {
        // Asking the same pod at once would only be refused again.
        std::uint16_t port = 0;
        auto* other = host_.choose(*this, avoid_, port);
        if (!other || other->pod() == pod) {
            abort();
            return;
        }
    }
    choose();
}

void connection::over(std::optional<pair_failure> why, std::string text)
{
    if (why && pool_) host_.pair_failed(*this, pool_->pod(), *why, text, over_tunnel_);
    end();
}

void connection::abort()
{
    if (stage_ == stage::over) return;
    relay_.abort();
    end();
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

void connection::end()
{
    leave_pool();
    clock_.cancel(deadline_timer_);
    deadline_timer_ = 0;
    if (stage_ == stage::held) traffic_->waiting.fetch_sub(1, std::memory_order_relaxed);
    traffic_->open.fetch_sub(1, std::memory_order_relaxed);
    host_.ended(*this); // which asks held()
    stage_ = stage::over;
}

} // namespace fwd::forward
