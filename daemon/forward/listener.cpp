#include "daemon/forward/listener.hpp"

namespace fwd::forward {

listeners::listeners(timing& clock, logger& log, std::size_t keep_free, handler came)
    : clock_{clock}, log_{log}, keep_free_{keep_free}, came_{std::move(came)}
{
}

void listeners::add(std::unique_ptr<acceptor> from)
{
    const auto at = from->local();
    from->keep_free(keep_free_);
    open_[at] = std::move(from);
    accept_from(at);
}

void listeners::drop(const endpoint& at)
{
    open_.erase(at);
    paused_.erase(at);
}

void listeners::close()
{
    clock_.cancel(timer_);
    timer_ = 0;
    open_.clear();
    paused_.clear();
}

void listeners::accept_from(const endpoint& at)
{
    for (int i = 0; i < most_at_once; ++i) {
        const auto found = open_.find(at); // who came may have closed us
        if (found == open_.end()) return;
        auto got = found->second->try_accept();
        if (!got) return pause_at(at, got.error());
        if (!*got) break;
        came_(std::move(**got));
    }
    const auto found = open_.find(at);
    if (found != open_.end()) found->second->wait([this, at] { accept_from(at); });
}

void listeners::pause_at(const endpoint& at, const error& why)
{
    paused_.insert(at);
    if (!std::exchange(told_, true)) log_.warn("accepting pauses: what comes waits in the backlog", {{"error", why.message()}});
    if (!timer_) timer_ = clock_.call_after(pause, [this] { go_on(); });
}

void listeners::go_on()
{
    timer_ = 0;
    for (const auto& at : std::exchange(paused_, {})) accept_from(at);
    if (!paused_.empty() || !std::exchange(told_, false)) return;
    log_.info("accepting again", {});
}

} // namespace fwd::forward
