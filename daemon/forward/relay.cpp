#include "daemon/forward/relay.hpp"

#include <array>

namespace fwd::forward {

using portforward::pair_failure;

relay::relay(std::unique_ptr<data_stream> client, relay_parts parts, std::shared_ptr<catalog::counters> traffic, half_close half,
             relay_events& owner)
    : client_{std::move(client)}, clock_{parts.clock}, limits_{parts.limits}, budget_{parts.budget}, traffic_{std::move(traffic)},
      half_{half}, owner_{owner}, watch_{traffic_->http, parts.clock, parts.looks}
{
}

relay::~relay()
{
    budget_.used -= budgeted_;
    clock_.cancel(look_timer_);
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
    fin_sent_ = false;
    if (client_gone_)
        pass_on_end();
    else if (client_done_)
        half_closed();
    else
        read_client();
}

void relay::abort()
{
    if (over_) return;
    over_ = true;
    watch_.over(traffic::cut_by::daemon);
    pair_.reset();
    client_->reset();
}

bool relay::abandoned()
{
    // A client that said something and then finished waits for the answer.
    return client_done_ || !replay_.empty() ? client_->peer_closed() : client_->abandoned();
}

void relay::touch()
{
    traffic_->last_active.store(clock_.wall_now().time_since_epoch().count(), std::memory_order_relaxed);
    if (!bulk_ && bytes_in_ + bytes_out_ >= limits_.bulk) {
        bulk_ = true;
        owner_.bulk();
    }
}

void relay::read_client()
{
    if (over_ || client_done_ || !pair_ || pod_done_) return;
    std::size_t turn = 0;
    for (;;) {
        const auto room = pair_->write_room();
        if (room.empty()) return watch_paused_client(); // on_writable goes on
        const auto step = client_->try_readv(room);
        if (step.what == io_step::state::moved) {
            remember(room, step.bytes);
            watch_.client_said(room, step.bytes);
            pair_->commit(step.bytes);
            traffic_->bytes_out.fetch_add(step.bytes, std::memory_order_relaxed);
            bytes_out_ += step.bytes;
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
    if (turn) touch();
    client_->wait(interest::read, [this] { read_client(); });
}

/// Nobody reads the client, so that its reset would go unnoticed for as long as the pod takes nothing.
void relay::watch_paused_client()
{
    if (look_timer_) return;
    look_timer_ = clock_.call_after(limits_.silence, [this] {
        look_timer_ = 0;
        if (over_ || client_done_ || pod_done_ || !pair_) return;
        if (!client_->abandoned()) return watch_paused_client();
        std::array<std::byte, 1> nothing; // no byte is left behind an end or a reset
        if (client_->try_read(nothing).what == io_step::state::end) return client_ended();
        pair_->reset();
        finish(std::nullopt, {});
    });
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
    if (!pod_done_) half_closed();
}

/// The client finished writing. Its end is passed on by the rule of `half_close`, at once where it closed altogether.
void relay::half_closed()
{
    if (release_gone_client()) return;
    const auto now = clock_.now();
    half_close_limit_ = now + limits_.longest_half_close;
    counted_at_limit_ = bytes_in_;
    // What the pod has to say to all of the request it can say from now on: silence before that is none of its.
    last_from_pod_ = now;
    if (half_ == half_close::eager) pass_on_end();
    look_again(now + limits_.gone_after);
}

void relay::look_again(time_point when)
{
    clock_.cancel(look_timer_);
    look_timer_ = clock_.call_at(when, [this] {
        look_timer_ = 0;
        if (over_ || pod_done_ || release_gone_client()) return;
        if (!fin_sent_ && end_is_due()) pass_on_end();
        // Whether the client is still there is worth a look even when nothing else is left to decide.
        const auto now = clock_.now();
        const auto due =
            fin_sent_ || half_ == half_close::never ? now + limits_.silence : std::min(last_from_pod_ + limits_.silence, half_close_limit_);
        look_again(std::max(due, now + 10ms));
    });
}

bool relay::end_is_due()
{
    if (half_ == half_close::never) return false;
    const auto now = clock_.now();
    if (now >= half_close_limit_ && bytes_in_ - counted_at_limit_ >= limits_.in_earnest) {
        // A long answer: the runtime would cut it a second after our end.
        counted_at_limit_ = bytes_in_;
        half_close_limit_ = now + limits_.longest_half_close / 3;
    }
    return now >= std::min(last_from_pod_ + limits_.silence, half_close_limit_);
}

/// A client that closed altogether keeps no descriptor of ours, and its end is the pod's at once: nobody waits for an answer.
bool relay::release_gone_client()
{
    if (!client_->peer_closed()) return false;
    client_gone_ = true;
    client_->close();
    backlog_ = {};
    backlog_used_ = 0;
    count_backlog();
    if (std::exchange(choked_, false)) pair_->choke(false);
    pass_on_end();
    clock_.cancel(linger_timer_);
    linger_timer_ = clock_.call_after(limits_.longest_half_close, [this] { // the runtime ends it much sooner
        linger_timer_ = 0;
        finish(std::nullopt, {});
    });
    return true;
}

void relay::pass_on_end()
{
    if (!std::exchange(fin_sent_, true)) pair_->finish();
}

void relay::on_writable()
{
    if (!client_done_) {
        clock_.cancel(look_timer_);
        look_timer_ = 0;
    }
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
    if (client_gone_) { // as a kernel would: the pod must not go on talking to nobody
        pieces_.clear();
        pair_->reset();
        finish(std::nullopt, {});
        return;
    }
    bytes_in_ += count;
    touch();
    if (!answered_) {
        answered_ = true;
        replay_ = {};
        owner_.answered();
    }
    watch_.pod_said(pieces_, count);
    write_client(pieces_);
    pieces_.clear();
}

void relay::write_client(std::span<const iovec> pieces)
{
    if (backlog() > 0) {
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
    const bool waiting = backlog() > 0;
    for (const auto& piece : pieces) {
        const auto passed = std::min(skip, piece.iov_len);
        skip -= passed;
        const auto* from = static_cast<const std::byte*>(piece.iov_base);
        backlog_.insert(backlog_.end(), from + passed, from + piece.iov_len);
    }
    count_backlog();
    if (!choked_ && (backlog() > limits_.backlog || budget_.used > budget_.most)) {
        choked_ = true;
        pair_->choke(true);
    }
    if (!waiting) client_->wait(interest::write, [this] { flush_backlog(); });
}

void relay::count_backlog()
{
    budget_.used += backlog() - budgeted_;
    budgeted_ = backlog();
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
    count_backlog();
    const auto left = backlog();
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
    watch_.pod_ended();
    replay_ = {};
    clock_.cancel(look_timer_);
    look_timer_ = 0;
    if (backlog() == 0) pod_ended_and_flushed();
}

void relay::pod_ended_and_flushed()
{
    // A runtime's end means that the pod's socket is closed: nothing of the client can reach it any more.
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
    clock_.cancel(look_timer_);
    look_timer_ = 0;
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
    watch_.over(why || pod_done_ ? traffic::cut_by::pod : traffic::cut_by::client);
    clock_.cancel(look_timer_);
    clock_.cancel(linger_timer_);
    look_timer_ = linger_timer_ = 0;
    budget_.used -= std::exchange(budgeted_, 0);
    backlog_ = {};
    backlog_used_ = 0;
    pair_.reset(); // both sides had finished, or it is reset by this
    if (why)
        client_->reset();
    else
        client_->close();
    owner_.over(why, std::move(text));
}

} // namespace fwd::forward
