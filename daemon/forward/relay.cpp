#include "daemon/forward/relay.hpp"

#include <array>

namespace fwd::forward {

using portforward::pair_failure;

relay::relay(std::unique_ptr<data_stream> client, timing& clock, std::shared_ptr<catalog::counters> traffic, half_close half,
             relay_events& owner, const relay_limits& limits)
    : client_{std::move(client)}, clock_{clock}, traffic_{std::move(traffic)}, half_{half}, owner_{owner}, limits_{limits}
{
}

relay::~relay()
{
    clock_.cancel(half_close_timer_);
    clock_.cancel(linger_timer_);
}

void relay::start(portforward::transport& over, std::uint16_t pod_port)
{
    pair_ = over.open(pod_port, *this);
    // On a retry what the client said before goes first; it fits, since a fresh pair's room is larger than replay_.
    std::size_t sent = 0;
    while (sent < replay_.size()) {
        const auto room = pair_->write_room();
        std::size_t filled = 0;
        for (const auto& place : room) {
            const auto n = std::min(place.iov_len, replay_.size() - sent - filled);
            std::copy_n(replay_.begin() + static_cast<std::ptrdiff_t>(sent + filled), n, static_cast<std::byte*>(place.iov_base));
            filled += n;
        }
        if (!filled) break;
        pair_->commit(filled);
        sent += filled;
    }
    if (sent < replay_.size()) { // the tunnel is full already: the rest would be lost
        finish(pair_failure::tunnel_lost, "the tunnel took no data");
        return;
    }
    if (client_done_)
        arm_half_close();
    else
        read_client();
}

void relay::abort()
{
    if (over_) return;
    over_ = true;
    pair_.reset();
    client_->reset();
}

void relay::touch(std::size_t bytes)
{
    traffic_->last_active.store(clock_.wall_now().time_since_epoch().count(), std::memory_order_relaxed);
    const bool was_bulk = moved_ >= limits_.bulk;
    moved_ += bytes;
    if (!was_bulk && moved_ >= limits_.bulk) owner_.bulk();
}

void relay::read_client()
{
    if (over_ || client_done_ || !pair_ || pod_done_) return;
    std::size_t turn = 0;
    for (;;) {
        const auto room = pair_->write_room();
        if (room.empty()) return; // on_writable goes on
        const auto step = client_->try_readv(room);
        if (step.what == io_step::state::moved) {
            remember(room, step.bytes);
            pair_->commit(step.bytes);
            traffic_->bytes_out.fetch_add(step.bytes, std::memory_order_relaxed);
            turn += step.bytes;
            std::size_t offered = 0;
            for (const auto& place : room) offered += place.iov_len;
            // A short read has emptied the socket: asking again would only cost a call.
            if (turn >= limits_.turn || step.bytes < offered) break;
            continue;
        }
        if (step.what == io_step::state::end) {
            client_ended();
            return;
        }
        if (step.what == io_step::state::failed) { // the client went away: nobody is left to tell
            pair_->reset();
            finish(std::nullopt, {});
            return;
        }
        break;
    }
    if (turn) touch(turn);
    client_->wait(interest::read, [this] { read_client(); });
}

void relay::remember(std::span<const iovec> room, std::size_t count)
{
    if (answered_ || !replay_whole_) return;
    if (replay_.size() + count > limits_.replay) {
        replay_whole_ = false;
        replay_ = {};
        return;
    }
    for (const auto& place : room) {
        const auto n = std::min(place.iov_len, count);
        const auto* from = static_cast<const std::byte*>(place.iov_base);
        replay_.insert(replay_.end(), from, from + n);
        count -= n;
    }
}

void relay::client_ended()
{
    client_done_ = true;
    if (pod_done_) return;
    half_close_limit_ = clock_.now() + limits_.longest_half_close;
    arm_half_close();
}

void relay::arm_half_close()
{
    if (fin_sent_ || over_ || half_ == half_close::never) return;
    const auto now = clock_.now();
    const auto due = std::min(std::max(last_from_pod_, now - limits_.silence) + limits_.silence, half_close_limit_);
    const bool silent = last_from_pod_ != time_point{} && now - last_from_pod_ >= limits_.silence;
    if (half_ == half_close::eager || silent || now >= half_close_limit_) {
        fin_sent_ = true;
        pair_->finish();
        return;
    }
    // Silence is counted from the half-close on, or from the pod's last byte.
    if (last_from_pod_ == time_point{}) last_from_pod_ = now;
    clock_.cancel(half_close_timer_);
    half_close_timer_ = clock_.call_at(std::max(due, now + 10ms), [this] {
        half_close_timer_ = 0;
        arm_half_close();
    });
}

void relay::on_writable()
{
    read_client();
}

void relay::on_data(std::span<const std::byte> bytes)
{
    if (!over_) pieces_.push_back({const_cast<std::byte*>(bytes.data()), bytes.size()});
}

void relay::on_drained()
{
    if (over_ || pieces_.empty()) return;
    std::size_t count = 0;
    for (const auto& piece : pieces_) count += piece.iov_len;
    traffic_->bytes_in.fetch_add(count, std::memory_order_relaxed);
    last_from_pod_ = clock_.now();
    touch(count);
    if (!answered_) {
        answered_ = true;
        replay_ = {};
        owner_.answered();
    }
    write_client(pieces_);
    pieces_.clear();
}

void relay::write_client(std::span<const iovec> pieces)
{
    if (backlog_.size() > backlog_used_) {
        keep(pieces, 0);
        return;
    }
    std::size_t total = 0;
    for (const auto& piece : pieces) total += piece.iov_len;
    const auto step = client_->try_writev(pieces);
    if (step.what == io_step::state::failed) { // the client left in the middle: the pod must not go on talking to nobody
        pair_->reset();
        finish(std::nullopt, {});
        return;
    }
    if (step.bytes < total) keep(pieces, step.bytes);
}

void relay::keep(std::span<const iovec> pieces, std::size_t skip)
{
    const bool waiting = backlog_.size() > backlog_used_;
    for (const auto& piece : pieces) {
        const auto passed = std::min(skip, piece.iov_len);
        skip -= passed;
        const auto* from = static_cast<const std::byte*>(piece.iov_base);
        backlog_.insert(backlog_.end(), from + passed, from + piece.iov_len);
    }
    if (!choked_ && backlog_.size() - backlog_used_ > limits_.backlog) {
        choked_ = true;
        pair_->choke(true);
    }
    if (!waiting) client_->wait(interest::write, [this] { flush_backlog(); });
}

void relay::flush_backlog()
{
    if (over_) return;
    while (backlog_used_ < backlog_.size()) {
        const iovec rest{backlog_.data() + backlog_used_, backlog_.size() - backlog_used_};
        const auto step = client_->try_writev({&rest, 1});
        if (step.what == io_step::state::failed) {
            if (pair_) pair_->reset();
            finish(std::nullopt, {});
            return;
        }
        if (step.what != io_step::state::moved) break;
        backlog_used_ += step.bytes;
    }
    const auto left = backlog_.size() - backlog_used_;
    if (left == 0) {
        backlog_.clear();
        backlog_used_ = 0;
        if (backlog_.capacity() > 64 * 1024) backlog_ = {};
    } else if (backlog_used_ >= limits_.backlog / 2) {
        backlog_.erase(backlog_.begin(), backlog_.begin() + static_cast<std::ptrdiff_t>(backlog_used_));
        backlog_used_ = 0;
    }
    if (choked_ && left < limits_.backlog / 4) {
        choked_ = false;
        if (pair_) pair_->choke(false);
    }
    if (left)
        client_->wait(interest::write, [this] { flush_backlog(); });
    else if (pod_done_)
        pod_ended_and_flushed();
}

void relay::on_end()
{
    if (over_ || pod_done_) return;
    pod_done_ = true;
    replay_ = {};
    clock_.cancel(half_close_timer_);
    half_close_timer_ = 0;
    if (backlog_.size() == backlog_used_) pod_ended_and_flushed();
}

void relay::pod_ended_and_flushed()
{
    // A runtime's end means that the pod's socket is closed (`kubernetes-wire` 1.2): nothing of the client can reach it any more.
    if (!fin_sent_) pair_->finish();
    fin_sent_ = true;
    client_->shutdown_write();
    if (client_done_) {
        finish(std::nullopt, {});
        return;
    }
    linger_timer_ = clock_.call_after(limits_.linger, [this] {
        linger_timer_ = 0;
        finish(std::nullopt, {});
    });
    discard_client();
}

void relay::discard_client()
{
    if (over_) return;
    std::array<std::byte, 16 * 1024> dropped;
    for (int i = 0; i < 16; ++i) {
        const auto step = client_->try_read(dropped);
        if (step.what == io_step::state::moved) continue;
        if (step.what == io_step::state::would_block) break;
        finish(std::nullopt, {});
        return;
    }
    client_->wait(interest::read, [this] { discard_client(); });
}

void relay::on_failed(pair_failure why, std::string text)
{
    on_drained(); // what came before the failure in this drain is the client's
    if (over_) return;
    clock_.cancel(half_close_timer_);
    half_close_timer_ = 0;
    const bool untouched = pair_->sent() == 0 || nothing_was_dialled(why);
    if (!answered_ && replay_whole_ && untouched) {
        client_->cancel(interest::read);
        pair_.reset();
        owner_.may_retry(why, std::move(text));
        return;
    }
    finish(why, std::move(text));
}

void relay::finish(std::optional<pair_failure> why, std::string text)
{
    if (over_) return;
    over_ = true;
    clock_.cancel(half_close_timer_);
    clock_.cancel(linger_timer_);
    half_close_timer_ = linger_timer_ = 0;
    pair_.reset(); // both sides had finished, or it is reset by this
    if (why)
        client_->reset();
    else
        client_->close();
    owner_.over(why, std::move(text));
}

} // namespace fwd::forward
