#include "tests/simcluster/pod_app.hpp"

namespace fwd::simcluster {

pod_app::pod_app(pod_runtime& runtime, pod_place place)
    : runtime_{runtime}, place_{std::move(place)}, count_{runtime.count(place_.pod)}, id_{runtime.enter(place_.pod, *this)}
{
    stalled_ = runtime.behaviour(place_.pod).stalled;
}

pod_app::~pod_app()
{
    for (const auto& [number, timer] : timers_) runtime_.clock().cancel(timer);
    runtime_.leave(place_.pod, id_);
}

std::size_t pod_app::write(std::span<const std::byte> from)
{
    if (state_ != state::open) return 0;
    std::size_t taken = 0;
    if (!stalled_ && in_.empty()) {
        taken = on_bytes(from);
    }
    // What the application does not read waits in its socket's buffer, as long as that has room.
    if (taken < from.size() && in_.size() < input_limit && state_ == state::open) {
        const auto part = std::min(input_limit - in_.size(), from.size() - taken);
        in_.append(reinterpret_cast<const char*>(from.data()) + taken, part);
        taken += part;
    }
    count_.bytes_in += taken;
    return taken;
}

std::span<const std::byte> pod_app::peek()
{
    if (stalled_) return {};
    if (out_used_ < out_.size()) return {reinterpret_cast<const std::byte*>(out_.data()) + out_used_, out_.size() - out_used_};
    return state_ == state::open ? more() : std::span<const std::byte>{};
}

void pod_app::take(std::size_t bytes)
{
    count_.bytes_out += bytes;
    if (out_used_ == out_.size()) {
        more_taken(bytes);
    } else {
        out_used_ += bytes;
        if (out_used_ == out_.size()) {
            out_.clear();
            out_used_ = 0;
            if (out_.capacity() > 2 * output_limit) out_.shrink_to_fit();
        } else if (out_used_ > output_limit) {
            out_.erase(0, out_used_);
            out_used_ = 0;
        }
    }
    if (congested() || stalled_) return;
    on_room();
    if (!in_.empty()) {
        feed();
        changed(); // the buffer has room again
    }
}

void pod_app::feed()
{
    while (!in_.empty() && !stalled_ && state_ == state::open) {
        auto input = std::exchange(in_, {});
        const auto used = on_bytes({reinterpret_cast<const std::byte*>(input.data()), input.size()});
        input.erase(0, used);
        in_ = std::move(input);
        if (used == 0) return;
    }
}

void pod_app::close()
{
    told_.reset();
    if (state_ == state::open && !stalled_) on_end();
    state_ = state::finished;
}

void pod_app::set_stalled(bool stalled)
{
    if (stalled_ == stalled) return;
    stalled_ = stalled;
    if (stalled_) return;
    feed();
    changed();
}

void pod_app::end(bool reset)
{
    if (std::exchange(stalled_, false)) changed(); // what is killed need not be woken first
    if (state_ != state::open) return;
    state_ = reset || !in_.empty() ? state::reset : state::finished;
    changed();
}

void pod_app::changed()
{
    // Through the loop, and once for many: the runtime may destroy this object when it hears of it.
    if (timers_.contains(0)) return;
    timers_[0] = runtime_.clock().call_after(0ns, [this] {
        timers_.erase(0);
        if (!told_) return;
        auto told = std::move(told_);
        told_.reset();
        told();
    });
}

void pod_app::later(duration wait, callback what)
{
    const auto number = ++last_timer_;
    timers_[number] = runtime_.clock().call_after(wait, [this, number, what = std::move(what)]() mutable {
        timers_.erase(number);
        what();
        feed();
        changed();
    });
}

} // namespace fwd::simcluster
