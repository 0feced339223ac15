#include "daemon/portforward/spdy_connection.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <fmt/core.h>

namespace fwd::portforward {

namespace {

constexpr std::size_t quantum = 48 * 1024;       ///< of one pair, rounded up to whole frames, before the next has its turn
constexpr std::size_t urgent = 4 * 1024;         ///< pairs with less waiting go first
constexpr std::size_t largest_frame = 32 * 1024; ///< fifty of them are what a stuck runtime may have to hold
constexpr std::uint32_t id_step = 10;            ///< from the error to the data stream: same parity, same worker

} // namespace

spdy_connection::spdy_connection(std::unique_ptr<data_stream> stream, framing how, std::uint64_t seed, timing& clock,
                                 asio::any_io_executor executor, transport_sink& sink, transport_limits limits)
    : clock_{clock}, sink_{&sink}, limits_{limits}, how_{how}, pipe_{std::move(stream),   how,  spdy::header_size, seed,
                                                                     std::move(executor), *this},
      pulse_{{.ping_after = duration{limits.ping_after}, .pong_within = duration{limits.pong_within}}, clock.now()}
{
}

spdy_connection::~spdy_connection()
{
    stop_timer();
}

void spdy_connection::start(std::string rest)
{
    pipe_.start(std::move(rest));
    schedule(next_beat());
}

// --- the transport's calls

bool spdy_connection::usable() const
{
    return alive_ && !retired_ && !stalled() && !pulse_.suspect() && live_ < most_pairs && next_id_ + 4 * id_step < spdy::most_stream_id;
}

/// The next ids are above the last pair's; of those the first whose worker at the peer serves no other pair of ours.
std::uint32_t spdy_connection::pick_id() const
{
    std::uint32_t best = next_id_;
    for (std::uint32_t id = next_id_; id < next_id_ + 2 * queues_of_peer; id += 2)
        if (residues_[id % queues_of_peer] < residues_[best % queues_of_peer]) best = id;
    return best;
}

stream_pair& spdy_connection::open(std::uint16_t port, pair_sink& sink)
{
    const auto id = pick_id();
    auto& made = *pairs_.emplace_back(std::make_unique<stream_pair>());
    made.sink = &sink;
    ++live_;
    pulse_.no_hurry();
    made.error_id = id;
    ++residues_[id % queues_of_peer];
    made.data_id = made.error_id + id_step;
    next_id_ = made.data_id + 2;
    made.opened = clock_.now();
    if (!alive_ || made.data_id > spdy::most_stream_id) {
        made.dead = true;
        made.pending = pair_failure::tunnel_lost;
        made.text = "the tunnel is closed";
        pending_ = unsettled_ = true;
        changed();
        return made;
    }
    const auto request = std::to_string(requests_++);
    spdy::header_list headers = {{"streamtype", "error"}, {"port", std::to_string(port)}, {"requestid", request}};
    const auto error_block = headers_out_.write(headers);
    spdy::append_syn_stream(control_, made.error_id, spdy::flag_fin, as_bytes(error_block)); // we never write there
    headers.front().second = "data";
    const auto data_block = headers_out_.write(headers);
    spdy::append_syn_stream(control_, made.data_id, 0, as_bytes(data_block));
    pipe_.wake();
    schedule(made.opened + duration{limits_.reply});
    changed();
    return made;
}

void spdy_connection::retire()
{
    if (!alive_ || retired_) return;
    retired_ = true;
    unsettled_ = true;
    changed();
}

void spdy_connection::probe()
{
    if (!alive_ || !able()) return;
    pulse_.probe(live_ == 0);
    schedule(clock_.now());
    changed();
}

void spdy_connection::close(bool leave)
{
    if (leave) sink_ = nullptr;
    if (!alive_) return;
    alive_ = false;
    spdy::append_goaway(control_, 0, 0);
    pipe_.close(control_);
    end_all("the tunnel was closed");
    changed();
}

// --- the pairs' calls

std::span<const iovec> spdy_connection::write_room(stream_pair& of)
{
    if (of.dead || of.finished) return {};
    const auto waiting = backlog();
    // A pair that has nothing queued gets one share more, so that a busy one does not starve it.
    if (waiting >= limits_.queue && (of.queued > 0 || waiting >= 2 * limits_.queue)) {
        if (!std::exchange(of.wants_room, true)) waiting_.push_back(&of);
        pipe_.wake();
        return {};
    }
    return pipe_.room(std::min(limits_.frame, largest_frame));
}

void spdy_connection::commit(stream_pair& of, std::size_t bytes)
{
    if (of.dead || of.finished || bytes == 0) return;
    auto [first, second] = pipe_.take(bytes);
    enqueue(of, std::move(first), false);
    if (second.size > 0) enqueue(of, std::move(second), false);
    of.queued += bytes;
    of.sent += bytes;
    queued_ += bytes;
    pipe_.wake();
}

void spdy_connection::finish(stream_pair& of)
{
    if (of.dead || of.finished) return;
    of.finished = true;
    if (of.has_queue())
        of.queue.back().fin = true;
    else
        enqueue(of, {}, true);
    pipe_.wake();
}

void spdy_connection::enqueue(stream_pair& of, out_piece piece, bool fin)
{
    if (of.queue_head >= 64) { // a queue that never runs empty must not grow for ever
        of.queue.erase(of.queue.begin(), of.queue.begin() + static_cast<std::ptrdiff_t>(of.queue_head));
        of.queue_head = 0;
    }
    of.queue.push_back({std::move(piece), fin});
    if (!std::exchange(of.ready, true)) ready_.push_back(&of);
}

void spdy_connection::reset(stream_pair& of)
{
    if (of.dead) return;
    stop(of);
    changed();
}

void spdy_connection::choke(stream_pair& of, bool full)
{
    if (of.dead || of.choked == full) return;
    if (!full) {
        unchoke(of);
    } else {
        of.choked = true;
        ++choked_;
        pipe_.pause(true);
    }
    changed();
}

void spdy_connection::drop(stream_pair& of)
{
    of.sink = nullptr;
    --live_;
    unchoke(of);
    // With both sides finished what is still queued is sent; otherwise the pair is over now.
    if (!of.dead && !(of.finished && of.remote_done)) stop(of);
    note_gone(of);
    changed();
}

/// Sweeping costs a look at every pair, so it waits until half of them are gone.
void spdy_connection::note_gone(stream_pair& of)
{
    if (of.sink || of.gone || (!of.dead && of.has_queue())) return;
    of.gone = true;
    ++gone_;
    --residues_[of.error_id % queues_of_peer];
    if (retired_ || (gone_ >= 32 && gone_ * 2 >= pairs_.size())) unsettled_ = true;
}

/// Nothing goes either way any more; the peer is told unless it knows.
void spdy_connection::stop(stream_pair& of)
{
    of.dead = true;
    queued_ -= of.queued;
    of.drop_queue();
    unchoke(of);
    if (!alive_ || of.remote_reset || (of.finished && of.remote_done)) return;
    spdy::append_rst_stream(control_, of.data_id, spdy::status_cancel);
    pipe_.wake();
}

void spdy_connection::unchoke(stream_pair& of)
{
    if (!std::exchange(of.choked, false)) return;
    const bool before = able();
    --choked_;
    note_able(before);
    if (choked_ == 0) pipe_.pause(false);
}

// --- the pipe's calls

void spdy_connection::on_bytes(std::span<const std::byte> bytes, bool)
{
    const turn now{*this};
    while (alive_) {
        const auto found = scanner_.next(bytes);
        if (!found) return lose(found.error());
        if (!*found) return;
        on_frame(**found);
    }
}

void spdy_connection::on_drained()
{
    const turn now{*this};
    pulse_.heard(clock_.now());
    for (std::size_t i = 0; i < touched_.size(); ++i) tell_drained(*touched_[i]);
    touched_.clear();
    if (!told_usable_) changed();
}

void spdy_connection::on_lost(error why)
{
    const turn now{*this};
    lose(std::move(why));
}

void spdy_connection::on_flushed()
{
    const turn now{*this};
    if (backlog() > 0 || watching_backlog_) watch_backlog(clock_.now());
    if (waiting_.empty() || backlog() > limits_.queue / 2) return;
    const auto told = std::exchange(waiting_, {}); // who wants more comes behind the others
    for (auto* const each : told) {
        each->wants_room = false;
        if (each->sink && !each->dead) each->sink->on_writable();
    }
}

void spdy_connection::fill()
{
    if (!control_.empty()) {
        pipe_.put(as_bytes(control_));
        control_.clear();
    }
    std::erase_if(ready_, [this](auto* each) {
        if (each->queued < urgent)
            while (each->has_queue()) emit(*each);
        if (!each->has_queue()) each->ready = false;
        return !each->ready;
    });
    while (!ready_.empty() && !pipe_.batch_full()) {
        auto* const each = ready_.front();
        ready_.erase(ready_.begin());
        for (std::size_t sent = 0; each->has_queue() && sent < quantum;) {
            sent += each->queue[each->queue_head].piece.size;
            emit(*each);
        }
        each->ready = each->has_queue();
        if (each->ready) ready_.push_back(each);
    }
}

void spdy_connection::emit(stream_pair& of)
{
    auto [piece, fin] = std::move(of.queue[of.queue_head++]);
    if (!of.has_queue()) {
        of.queue.clear();
        of.queue_head = 0;
    }
    of.queued -= piece.size;
    queued_ -= piece.size;
    note_gone(of);
    std::array<std::byte, spdy::header_size> header;
    spdy::put_data_header(header.data(), of.data_id, fin ? spdy::flag_fin : 0, piece.size);
    if (piece.size > 0)
        pipe_.put(piece, header);
    else
        pipe_.put(header);
}

// --- ends

void spdy_connection::tell_drained(stream_pair& of)
{
    if (std::exchange(of.touched, false) && of.sink) of.sink->on_drained();
}

void spdy_connection::remote_end(stream_pair& of)
{
    tell_drained(of);
    if (of.dead || !of.sink || std::exchange(of.remote_done, true)) return;
    of.sink->on_end();
}

void spdy_connection::fail(stream_pair& of, pair_failure why, std::string text)
{
    tell_drained(of);
    if (of.dead || !of.sink) return;
    stop(of);
    if (why == pair_failure::no_reply) spdy::append_rst_stream(control_, of.error_id, spdy::status_cancel);
    of.sink->on_failed(why, std::move(text));
    if (retires_tunnel(why)) retire();
}

void spdy_connection::end_all(std::string text)
{
    for (const auto& each : pairs_) {
        queued_ -= each->queued;
        each->drop_queue();
        if (!each->dead) {
            each->pending = pair_failure::tunnel_lost;
            each->text = text;
        }
        each->dead = true;
        note_gone(*each);
    }
    pending_ = true;
    stop_timer();
    unsettled_ = true;
}

void spdy_connection::lose(error why)
{
    if (!alive_) return;
    alive_ = false;
    pipe_.close();
    end_all(why.message());
    lost_ = std::move(why);
}

/// Sees to it that settle() runs soon, from the loop, if there is anything for it.
void spdy_connection::changed()
{
    if (alive_ && (usable() != told_usable_ || stalled() != told_stalled_)) unsettled_ = true;
    if (!unsettled_ || busy_ > 0 || settle_posted_) return;
    settle_posted_ = true;
    asio::post(pipe_.executor(), [self = shared_from_this()] {
        self->settle_posted_ = false;
        const turn now{*self};
    });
}

void spdy_connection::settle()
{
    ++busy_;
    unsettled_ = false;
    for (std::size_t i = std::exchange(pending_, false) ? 0 : pairs_.size(); i < pairs_.size(); ++i) {
        auto& each = *pairs_[i];
        if (!each.pending) continue;
        tell_drained(each);
        const auto why = *std::exchange(each.pending, std::nullopt);
        if (each.sink) each.sink->on_failed(why, each.text);
    }
    --busy_;
    sweep();
    if (alive_ && retired_ && pairs_.empty()) {
        close(false);
        lost_ = error{errc::canceled, "the tunnel was retired"};
        unsettled_ = false;
    }
    if (lost_) {
        const auto why = *std::exchange(lost_, std::nullopt);
        if (auto* const sink = std::exchange(sink_, nullptr)) sink->on_closed(why);
    } else if (alive_ && sink_ && (usable() != told_usable_ || stalled() != told_stalled_)) {
        told_usable_ = usable();
        told_stalled_ = stalled();
        sink_->on_state();
    }
    if (unsettled_) changed();
}

void spdy_connection::sweep()
{
    if (gone_ == 0) return;
    const auto is_gone = [](const auto& each) { return each->gone; };
    last_found_ = nullptr;
    std::erase_if(ready_, is_gone);
    std::erase_if(touched_, is_gone);
    std::erase_if(waiting_, is_gone);
    std::erase_if(pairs_, is_gone);
    gone_ = 0;
}

} // namespace fwd::portforward
