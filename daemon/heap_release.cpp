#include "daemon/heap_release.hpp"

#include <malloc.h>

namespace fwd::daemon {

namespace {

/// Traffic alone, however much of it, leaves nothing behind.
bool is_traffic(catalog::event_type type)
{
    using type_of = catalog::event_type;
    return type == type_of::bandwidth_update || type == type_of::connection_opened || type == type_of::connection_closed;
}

} // namespace

heap_release::heap_release(catalog::event_bus& events, timing& clock, callback give_back)
    : clock_{clock}, give_back_{std::move(give_back)}, heard_{events.subscribe()}
{
    heard_->on_event([this] { take_all(); });
}

heap_release::~heap_release()
{
    clock_.cancel(timer_);
}

void heap_release::take_all()
{
    while (const auto next = heard_->take()) burst_ += is_traffic(next->type) ? 0 : 1;
    if (burst_ > 0 && timer_ == 0) look_after(quiet);
}

void heap_release::look_after(duration wait)
{
    seen_ = burst_;
    timer_ = clock_.call_after(wait, [this] {
        timer_ = 0;
        look();
    });
}

void heap_release::look()
{
    if (burst_ != seen_) return look_after(quiet);
    const bool was_burst = burst_ >= least, was_told = burst_ == 0;
    burst_ = 0;
    if (was_burst || was_told) give_back_();
    if (was_burst) look_after(later);
}

void give_back_free_pages()
{
    ::malloc_trim(0);
}

} // namespace fwd::daemon
