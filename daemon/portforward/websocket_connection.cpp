#include "daemon/portforward/websocket_connection.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <fmt/core.h>

namespace fwd::portforward {

namespace {

constexpr auto data_channel = std::byte{0};
constexpr auto error_channel = std::byte{1};
constexpr std::size_t most_text = 4 * 1024;
constexpr std::size_t largest_piece = 32 * 1024;
constexpr duration after_finish = 1s; ///< of silence, before a finished connection is closed: what a runtime gives a half-close

} // namespace

void legacy_connection::open(std::uint16_t port, pair_sink& sink)
{
    pair_ = &sink;
    if (port != port_) {
        pending_ = pair_failure::not_supported;
        text_ = fmt::format("the tunnel is bound to port {}, not {}", port_, port);
    } else if (!alive_ && !text_.empty()) {
        pending_ = classify(text_); // the server dialled at the upgrade, and has said already why it could not
    } else if (!usable()) {
        pending_ = pair_failure::tunnel_lost;
        text_ = "the tunnel is closed";
    }
    dead_ = pending_.has_value();
    opened_ = true;
    tell_later();
}

void legacy_connection::retire()
{
    retired_ = true;
    tell_later();
}

void legacy_connection::close(bool leave)
{
    if (leave) sink_ = nullptr;
    if (!alive_) return;
    end();
    if (pair_ && !dead_) {
        dead_ = true;
        pending_ = pair_failure::tunnel_lost;
        text_ = "the tunnel was closed";
        tell_later();
    }
}

std::span<const iovec> legacy_connection::write_room()
{
    if (dead_ || finished_ || !alive_) return {};
    if (queued_ + pipe_.unsent() >= limits_.queue) {
        wants_room_ = true;
        pipe_.wake();
        return {};
    }
    return pipe_.room(std::min(limits_.frame, largest_piece));
}

void legacy_connection::commit(std::size_t bytes)
{
    if (dead_ || finished_ || !alive_ || bytes == 0) return;
    auto [first, second] = pipe_.take(bytes);
    queue_.push_back(std::move(first));
    if (second.size > 0) queue_.push_back(std::move(second));
    queued_ += bytes;
    sent_ += bytes;
    pipe_.wake();
}

void legacy_connection::finish()
{
    if (dead_ || finished_) return;
    finished_ = true;
    schedule(clock_.now() + after_finish);
}

void legacy_connection::reset()
{
    if (dead_) return;
    dead_ = true;
    queue_.clear();
    queued_ = 0;
    choke(false);
    if (!alive_) return;
    end();
    lost_ = error{errc::canceled, "the connection ended, and with it its tunnel"};
    tell_later();
}

void legacy_connection::choke(bool full)
{
    if (choked_ == full || (full && dead_)) return;
    choked_ = full;
    if (!full) heard_ = clock_.now(); // what came meanwhile is yet to be read: that was our silence, not the pod's
    pipe_.pause(full);
    tell_later();
}

void legacy_connection::drop()
{
    pair_ = nullptr;
    if (finished_ && remote_done_ && alive_ && queued_ + pipe_.unsent() > 0) return; // the rest is sent first, see on_flushed
    reset();
}

/// The first two bytes on each channel are its port, lowest byte first. False while they are not complete, or wrong.
bool legacy_connection::read_preamble(std::span<const std::byte>& bytes)
{
    auto& from = channels_[std::to_integer<std::size_t>(current_)];
    while (from.have < 2 && !bytes.empty()) {
        from.preamble[from.have++] = bytes.front();
        bytes = bytes.subspan(1);
        if (from.have < 2) continue;
        const auto port = std::to_integer<unsigned>(from.preamble[0]) | std::to_integer<unsigned>(from.preamble[1]) << 8;
        if (port != port_) {
            pipe_.close();
            on_lost({errc::protocol_error, fmt::format("the server forwards port {}, not {}", port, port_)});
            return false;
        }
        if (current_ == data_channel) accept();
    }
    return !bytes.empty();
}

void legacy_connection::accept()
{
    accepted_ = true;
    if (!pair_ || told_accepted_) return;
    told_accepted_ = true;
    pair_->on_accepted();
}

void legacy_connection::on_bytes(std::span<const std::byte> bytes, bool begins)
{
    if (begins) at_channel_ = true;
    if (!bytes.empty() && std::exchange(at_channel_, false)) {
        current_ = bytes.front();
        bytes = bytes.subspan(1);
    }
    if (bytes.empty() || current_ > error_channel || !read_preamble(bytes)) return;
    if (current_ == error_channel) {
        text_ += as_text(bytes.first(std::min(bytes.size(), most_text - text_.size())));
    } else if (pair_ && !dead_) {
        touched_ = true;
        pair_->on_data(bytes);
    } else if (!opened_) {
        early_ += as_text(bytes);
        if (early_.size() > limits_.queue) pipe_.pause(true); // until somebody listens
    }
}

void legacy_connection::tell_drained()
{
    if (std::exchange(touched_, false) && pair_) pair_->on_drained();
}

void legacy_connection::on_drained()
{
    heard_ = clock_.now();
    tell_drained();
    // A spare whose connection in the pod was reset before anybody used it is of no use to anybody.
    if (!opened_ && !text_.empty() && !nothing_was_dialled(classify(text_))) return retire();
    if (!text_.empty() && pair_ && !dead_) fail(classify(text_), printable(trim(text_)));
}

void legacy_connection::fail(pair_failure why, std::string text)
{
    tell_drained();
    if (dead_ || !pair_) return;
    auto* const told = pair_;
    reset(); // the tunnel is of no more use
    told->on_failed(why, std::move(text));
}

void legacy_connection::on_lost(error why)
{
    if (!alive_) return;
    end();
    tell_drained();
    // The server closes the tunnel when the connection has ended; that is its only way to say so.
    const bool ended = why.is(errc::closed) && accepted_ && text_.empty();
    if (pair_ && !dead_ && ended) {
        remote_done_ = true;
        auto* const told = pair_;
        told->on_end();
    } else if (pair_ && !dead_) {
        dead_ = true;
        pending_ = text_.empty() ? pair_failure::tunnel_lost : classify(text_);
        if (text_.empty()) text_ = why.message();
    }
    lost_ = std::move(why);
    tell_later();
}

void legacy_connection::fill()
{
    for (auto& piece : queue_) {
        pipe_.end_message(); // a piece is a message
        pipe_.put(piece, {&data_channel, 1});
        pipe_.end_message();
        queued_ -= piece.size;
    }
    queue_.clear();
}

void legacy_connection::on_flushed()
{
    const auto waiting = queued_ + pipe_.unsent();
    if (waiting == 0 && !pair_ && opened_ && !dead_) return reset();
    if (wants_room_ && waiting <= limits_.queue / 2 && pair_ && !dead_) {
        wants_room_ = false;
        pair_->on_writable();
    }
}

void legacy_connection::tell_later()
{
    if (std::exchange(tell_posted_, true)) return;
    asio::post(pipe_.executor(), [self = shared_from_this()] {
        self->tell_posted_ = false;
        self->tell();
    });
}

void legacy_connection::tell()
{
    if (pair_ && !dead_ && accepted_) accept();
    if (pair_ && !dead_ && !early_.empty()) {
        const auto first = std::exchange(early_, {});
        touched_ = true;
        pair_->on_data(as_bytes(first));
        tell_drained();
        if (!choked_) pipe_.pause(false);
    }
    if (pair_ && !dead_ && alive_ && !text_.empty()) fail(classify(text_), printable(trim(text_)));
    if (pending_) {
        const auto why = *std::exchange(pending_, std::nullopt);
        if (pair_) pair_->on_failed(why, printable(trim(text_)));
    }
    if (alive_ && retired_ && !pair_) {
        end();
        lost_ = error{errc::canceled, "the tunnel was retired"};
    }
    if (lost_) {
        const auto why = *std::exchange(lost_, std::nullopt);
        if (auto* const sink = std::exchange(sink_, nullptr)) sink->on_closed(why);
    } else if (sink_ && alive_ && (usable() != told_usable_ || stalled() != told_stalled_)) {
        told_usable_ = usable();
        told_stalled_ = stalled();
        sink_->on_state();
    }
}

/// No timer outlives this: the object itself may be kept by the loop for longer than the clock lives.
void legacy_connection::end()
{
    alive_ = false;
    stop_timer();
    pipe_.close();
}

void legacy_connection::stop_timer()
{
    if (timer_ != 0) clock_.cancel(std::exchange(timer_, 0));
}

void legacy_connection::schedule(time_point when)
{
    if (!alive_) return;
    stop_timer();
    timer_ = clock_.call_at(when, [this] { tick(); });
}

/// Keeps the path open while nothing flows, and ends a finished connection on which nothing comes any more.
void legacy_connection::tick()
{
    const auto self = shared_from_this();
    timer_ = 0;
    const auto now = clock_.now();
    if (finished_) {
        const auto quiet_since = heard_;
        if (!choked_ && queued_ + pipe_.unsent() == 0 && now - quiet_since >= after_finish && pair_ && !dead_) {
            end();
            remote_done_ = true;
            lost_ = error{errc::canceled, "the connection ended, and with it its tunnel"};
            tell_later();
            pair_->on_end();
            return;
        }
        return schedule(now + after_finish);
    }
    const duration silence{limits_.ping_after}, patience{limits_.pong_within};
    if (asked_ && heard_ > *asked_) asked_.reset();
    if (asked_) {
        // A server whose pod does not read our bytes does not read our ping either. Only one that has none of ours owes the answer.
        const bool owes = (sent_before_ping_ == known_read_ && !choked_ && pipe_.unsent() == 0) || pipe_.silence() >= patience;
        if (owes && now >= *asked_ + patience) return on_lost({errc::timed_out, "the tunnel's other end does not answer"});
        return schedule(now + patience);
    }
    if (now < heard_ + silence || choked_) return schedule(std::max(heard_ + silence, now + after_finish));
    ask(now);
}

void legacy_connection::ask(time_point now)
{
    if (!alive_ || asked_) return;
    asked_ = now;
    sent_before_ping_ = sent_;
    pipe_.ping();
    schedule(now + duration{limits_.pong_within});
}

void legacy_connection::on_pong()
{
    asked_.reset();
    known_read_ = sent_before_ping_;
}

} // namespace fwd::portforward
