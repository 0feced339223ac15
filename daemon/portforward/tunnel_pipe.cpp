#include "daemon/portforward/tunnel_pipe.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <fmt/core.h>

namespace fwd::portforward {

namespace {

constexpr std::size_t websocket_front = 8; // of a message below 64 KiB: two bytes, its length, the key

error lost_words(const websocket::close_reason& reason)
{
    if (reason.code == websocket::close_normal || reason.code == websocket::close_none)
        return {errc::closed, "the API server closed the tunnel"};
    return {errc::closed, fmt::format("the API server closed the tunnel with WebSocket code {}{}{}", reason.code,
                                      reason.text.empty() ? "" : ": ", printable(reason.text))};
}

} // namespace

tunnel_pipe::tunnel_pipe(std::unique_ptr<data_stream> stream, framing how, std::size_t front, std::uint64_t seed,
                         asio::any_io_executor executor, user& user)
    : stream_{std::move(stream)}, executor_{std::move(executor)}, user_{user}, scratch_{scratch::of(executor_)}, how_{how},
      front_{front + (how == framing::websocket ? websocket_front : 0)}, random_{seed}
{
}

void tunnel_pipe::post(void (tunnel_pipe::*what)())
{
    asio::post(executor_, [this, what, alive = std::weak_ptr{alive_}] {
        if (alive.lock()) (this->*what)();
    });
}

// --- reading

void tunnel_pipe::start(std::string rest)
{
    rest_ = std::move(rest);
    pause(false);
}

void tunnel_pipe::pause(bool reading_stops)
{
    if (closed_ || paused_ == reading_stops) return;
    paused_ = reading_stops;
    if (paused_) {
        stream_->cancel(interest::read);
    } else if (!drain_posted_) {
        drain_posted_ = true;
        post(&tunnel_pipe::drain);
    }
}

void tunnel_pipe::arm_read()
{
    stream_->wait(interest::read, [this] { drain(); });
}

/// Reads until nothing is there, the budget is spent or the user wants a pause. TLS may hold bytes that no readiness will
/// announce, so only "would block" leads to a wait.
void tunnel_pipe::drain()
{
    drain_posted_ = false;
    if (closed_ || paused_) return;
    const auto keep = user_.keep();
    if (!rest_.empty()) {
        std::string first = std::exchange(rest_, {});
        if (!deliver({reinterpret_cast<std::byte*>(first.data()), first.size()})) return;
    }
    const auto buffer = scratch_.drain();
    for (std::size_t total = 0; !paused_ && total < budget;) {
        std::size_t got = 0;
        io_step step;
        do { // fill the buffer, so that each connection gets one write for all of it
            step = stream_->try_read(buffer.subspan(got));
            if (step.what == io_step::state::moved) got += step.bytes;
        } while (step.what == io_step::state::moved && got < buffer.size());
        if (got > 0 && !deliver(buffer.first(got))) return;
        total += got;
        if (step.what == io_step::state::would_block) {
            if (!paused_) arm_read();
            return;
        }
        if (step.what == io_step::state::end) return lose({errc::closed, "the API server closed the tunnel"});
        if (step.what == io_step::state::failed) return lose(error{step.failure, "tunnel"});
    }
    if (!paused_ && !drain_posted_) {
        drain_posted_ = true;
        post(&tunnel_pipe::drain);
    }
}

/// False when the pipe was closed by it.
bool tunnel_pipe::deliver(std::span<std::byte> bytes)
{
    if (how_ == framing::raw) {
        user_.on_bytes(bytes, false);
    } else {
        while (!closed_) {
            auto found = decoder_.next(bytes);
            if (!found) {
                lose(found.error());
                return false;
            }
            if (!*found) break;
            const auto& part = **found;
            if (part.is_control())
                answer(part);
            else if (part.op == websocket::opcode::text)
                lose({errc::protocol_error, "WebSocket: a text message in a tunnel of binary ones"});
            else
                user_.on_bytes(part.bytes, part.first);
        }
    }
    if (closed_) return false;
    user_.on_drained();
    return !closed_;
}

void tunnel_pipe::answer(const websocket::part& control)
{
    if (control.op == websocket::opcode::close) {
        user_.on_drained(); // what came before it counts
        if (closed_) return;
        lose(lost_words(websocket::parse_close(control.bytes)));
    } else if (control.op == websocket::opcode::ping) {
        pong_ = as_text(control.bytes);
        wake();
    } else {
        user_.on_pong();
    }
}

void tunnel_pipe::lose(error why)
{
    if (closed_) return;
    close();
    user_.on_lost(std::move(why));
}

// --- writing

std::span<const iovec> tunnel_pipe::room(std::size_t message)
{
    const auto piece = message - std::min(message / 2, front_);
    staged_[0] = staged_[1] = {};
    if (closed_) return {};
    chunk_ref where = tail_;
    std::size_t used = tail_used_;
    for (int i = 0; i < 2; ++i) {
        if (!where || chunk::capacity - used < front_ + std::min(piece, least_room)) {
            where = scratch_.take();
            used = 0;
        }
        const auto size = std::min(piece, chunk::capacity - used - front_);
        staged_[i] = {where, static_cast<std::uint32_t>(used + front_), static_cast<std::uint32_t>(size)};
        room_[i] = {staged_[i].bytes().data(), size};
        used += front_ + size;
    }
    return room_;
}

tunnel_pipe::taken tunnel_pipe::take(std::size_t bytes)
{
    assert(bytes > 0 && bytes <= staged_[0].size + staged_[1].size);
    taken out;
    out.first = std::move(staged_[0]);
    out.second = std::move(staged_[1]);
    const auto all = static_cast<std::uint32_t>(bytes);
    const auto second = all - std::min(all, out.first.size);
    out.first.size = all - second;
    out.second.size = second;
    const auto& last = second > 0 ? out.second : out.first;
    tail_ = last.where;
    tail_used_ = last.at + last.size;
    if (second == 0) out.second = {};
    return out;
}

void tunnel_pipe::wake()
{
    if (flush_posted_ || closed_) return;
    flush_posted_ = true;
    post(&tunnel_pipe::flush);
}

void tunnel_pipe::put(const out_piece& piece, std::span<const std::byte> header)
{
    if (piece.size < small) {
        make_room(header.size() + piece.size); // a message of a legacy tunnel begins with its header: the two stay together
        gather(header);
        gather(piece.bytes());
        return;
    }
    end_message();
    const auto at = piece.at - header.size();
    std::memcpy(piece.where.bytes() + at, header.data(), header.size());
    push_message(piece.where, at, header.size() + piece.size);
}

void tunnel_pipe::put(std::span<const std::byte> bytes)
{
    for (; bytes.size() > small; bytes = bytes.subspan(small)) gather(bytes.first(small));
    gather(bytes);
}

/// So many bytes can be gathered without a break between them: the message under way ends, or a new chunk begins, if need be.
void tunnel_pipe::make_room(std::size_t size)
{
    if (gathered_ > 0 && (left_in_tail() < size || gathered_ + size > 32 * 1024)) end_message();
    if (gathered_ > 0 || left_in_tail() >= front_ + size) return;
    tail_ = scratch_.take();
    tail_used_ = 0;
}

/// Adds at most `small` bytes to the message under way at the end of the tail.
void tunnel_pipe::gather(std::span<const std::byte> bytes)
{
    if (bytes.empty()) return;
    make_room(bytes.size());
    if (gathered_ == 0) {
        tail_used_ += front_;
        gathered_at_ = tail_used_;
    }
    std::memcpy(tail_.bytes() + tail_used_, bytes.data(), bytes.size());
    tail_used_ += bytes.size();
    gathered_ += bytes.size();
}

void tunnel_pipe::end_message()
{
    if (gathered_ > 0) push_message(tail_, gathered_at_, std::exchange(gathered_, 0));
}

void tunnel_pipe::push(chunk_ref where, std::size_t at, std::size_t size)
{
    wire_.push_back({std::move(where), static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)});
    wire_bytes_ += size;
}

void tunnel_pipe::push_message(chunk_ref where, std::size_t at, std::size_t size)
{
    if (how_ == framing::websocket) {
        const auto key = next_key();
        const auto header = websocket::header_size(size, true);
        auto* begin = where.bytes() + at;
        websocket::apply_mask({begin, size}, key);
        websocket::put_header(begin - header, websocket::opcode::binary, size, key);
        at -= header;
        size += header;
    }
    push(std::move(where), at, size);
}

void tunnel_pipe::push_control(websocket::opcode op, std::span<const std::byte> payload)
{
    end_message();
    std::string frame;
    websocket::append_message(frame, op, payload, next_key());
    if (left_in_tail() < frame.size()) {
        tail_ = scratch_.take();
        tail_used_ = 0;
    }
    std::memcpy(tail_.bytes() + tail_used_, frame.data(), frame.size());
    push(tail_, tail_used_, frame.size());
    tail_used_ += frame.size();
}

/// SplitMix64 from a seed of the system's: unpredictable to whoever does not see our frames.
websocket::mask_key tunnel_pipe::next_key()
{
    std::uint64_t z = random_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<websocket::mask_key>((z ^ (z >> 31)) >> 32);
}

void tunnel_pipe::flush()
{
    flush_posted_ = false;
    if (closed_) return;
    const auto keep = user_.keep();
    staged_[0] = staged_[1] = {};
    if (pong_) push_control(websocket::opcode::pong, as_bytes(*std::exchange(pong_, std::nullopt)));
    for (bool blocked = false; !blocked;) {
        if (!batch_full()) user_.fill();
        end_message();
        if (!batch_full() && std::exchange(ping_owed_, false)) push_control(websocket::opcode::ping, {});
        if (wire_bytes_ == 0) break;
        if (!write_some(blocked)) return;
    }
    if (wire_bytes_ == 0) {
        wire_.clear();
        wire_head_ = 0;
        if (tail_ && tail_.only_user()) tail_ = {};
    }
    if (unsent() > 0) arm_write();
    user_.on_flushed();
}

/// One write of what is on the wire list. False when the pipe was lost.
bool tunnel_pipe::write_some(bool& blocked)
{
    std::array<iovec, 64> pieces;
    std::size_t count = 0;
    for (auto i = wire_head_; i < wire_.size() && count < pieces.size(); ++i)
        pieces[count++] = {wire_[i].where.bytes() + wire_[i].at, wire_[i].size};
    const auto step = stream_->try_writev(std::span{pieces}.first(count));
    if (step.what == io_step::state::would_block) {
        blocked = true;
        return true;
    }
    if (step.what != io_step::state::moved) {
        lose(error{step.failure ? step.failure : make_error_code(errc::closed), "tunnel"});
        return false;
    }
    moved_ += step.bytes;
    wire_bytes_ -= step.bytes;
    for (auto left = step.bytes; left > 0;) {
        auto& first = wire_[wire_head_];
        const auto gone = std::min<std::size_t>(left, first.size);
        first.at += static_cast<std::uint32_t>(gone);
        first.size -= static_cast<std::uint32_t>(gone);
        left -= gone;
        if (first.size == 0) {
            first.where = {};
            ++wire_head_;
        }
    }
    if (wire_head_ == wire_.size()) {
        wire_.clear();
        wire_head_ = 0;
        if (tail_ && tail_.only_user()) tail_used_ = 0;
    } else if (wire_head_ > 256) {
        wire_.erase(wire_.begin(), wire_.begin() + static_cast<std::ptrdiff_t>(wire_head_));
        wire_head_ = 0;
    }
    return true;
}

void tunnel_pipe::arm_write()
{
    if (write_armed_ || closed_) return;
    write_armed_ = true;
    stream_->wait(interest::write, [this] {
        write_armed_ = false;
        flush();
    });
}

void tunnel_pipe::ping()
{
    if (how_ != framing::websocket || closed_) return;
    ping_owed_ = true;
    wake();
}

void tunnel_pipe::close(std::string_view last)
{
    if (closed_) return;
    put(as_bytes(last));
    end_message();
    if (how_ == framing::websocket) {
        const std::string code{'\x03', '\xe8'};
        push_control(websocket::opcode::close, as_bytes(code));
    }
    closed_ = true;
    for (auto i = wire_head_; i < wire_.size(); ++i) {
        const iovec piece{wire_[i].where.bytes() + wire_[i].at, wire_[i].size};
        const auto step = stream_->try_writev({&piece, 1});
        if (step.what != io_step::state::moved || step.bytes != piece.iov_len) break;
    }
    stream_->close();
    wire_.clear();
    wire_head_ = wire_bytes_ = 0;
    tail_ = {};
    staged_[0] = staged_[1] = {};
}

} // namespace fwd::portforward
