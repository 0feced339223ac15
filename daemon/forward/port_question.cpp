#include "daemon/forward/port_question.hpp"

namespace fwd::forward {

using portforward::pair_failure;

port_question::port_question(tunnel_pool& pool, std::uint16_t port, duration patience, timing& clock, told tell)
    : pool_{pool}, port_{port}, patience_{patience}, clock_{clock}, tell_{std::move(tell)}
{
    if (auto* const over = pool_.acquire(*this, port_))
        on_tunnel(*over);
    else
        waiting_ = true;
}

port_question::~port_question()
{
    clock_.cancel(timer_);
    if (waiting_) pool_.cancel(*this);
    pair_.reset();
    if (held_) pool_.released();
}

void port_question::on_tunnel(portforward::transport& over)
{
    waiting_ = false;
    held_ = true;
    pool_.hold();
    pair_ = over.open(port_, *this);
}

void port_question::on_no_tunnel(const portforward::tunnel_failure&, bool)
{
    pool_.cancel(*this);
    waiting_ = false;
    end({});
}

void port_question::on_accepted()
{
    if (done_ || timer_) return;
    timer_ = clock_.call_after(patience_, [this] {
        timer_ = 0;
        end({true, {}, {}});
    });
}

void port_question::on_failed(pair_failure why, std::string text)
{
    switch (why) {
    case pair_failure::reset_by_pod: return end({true, {}, {}}); // somebody was there to do it
    case pair_failure::refused:
    case pair_failure::dial_timeout: return end({true, why, std::move(text)});
    default: return end({});
    }
}

void port_question::end(const answer& what)
{
    if (std::exchange(done_, true)) return;
    clock_.cancel(std::exchange(timer_, 0));
    if (pair_) pair_->reset();
    tell_(what);
}

} // namespace fwd::forward
