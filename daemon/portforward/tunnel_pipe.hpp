// The byte pipe under a tunnel's protocol: a data_stream as it is, or inside WebSocket messages. It drains what comes
// through one shared buffer and parses it in place; what leaves is framed and masked where it was read into, gathered over
// one turn of the loop, and handed to the stream in one call. Source of the sizes: measured, `performance` 3.3 and 5.
#pragma once

#include "common/net/data_stream.hpp"
#include "daemon/portforward/scratch.hpp"
#include "daemon/portforward/websocket_frame.hpp"

#include <optional>
#include <string>

namespace fwd::portforward {

enum class framing { raw, websocket };

/// Bytes of a local connection on their way out, with room for headers before them.
struct out_piece {
    chunk_ref where;
    std::uint32_t at = 0;
    std::uint32_t size = 0;
    [[nodiscard]] std::span<std::byte> bytes() const { return {where.bytes() + at, size}; }
};

class tunnel_pipe {
public:
    /// The protocol over the pipe. Everything is called from the loop, never from inside a call of the pipe.
    class user {
    public:
        virtual ~user() = default;
        /// Payload in the order of the wire; `begins` when a WebSocket message starts with it. Valid until on_drained().
        virtual void on_bytes(std::span<const std::byte> bytes, bool begins) = 0;
        virtual void on_drained() = 0;
        /// The pipe is closed; nothing follows. errc::closed for an orderly end.
        virtual void on_lost(error why) = 0;
        /// Time to put() what is queued, until batch_full(). Called again while something was put.
        virtual void fill() = 0;
        /// All was handed over that could be: there may be room again.
        virtual void on_flushed() = 0;
        /// The peer answered ping(): it has read all that was put before that.
        virtual void on_pong() {}
        /// Keeps the user alive while it is being called.
        virtual std::shared_ptr<void> keep() = 0;
    };

    /// `front`: bytes of protocol header before each piece. `seed`: of the masking keys.
    tunnel_pipe(std::unique_ptr<data_stream> stream, framing how, std::size_t front, std::uint64_t seed, asio::any_io_executor executor,
                user& user);
    tunnel_pipe(const tunnel_pipe&) = delete;
    tunnel_pipe& operator=(const tunnel_pipe&) = delete;

    // --- reading
    /// Begins to read. `rest`: bytes that came behind the upgrade's answer.
    void start(std::string rest);
    void pause(bool reading_stops);
    [[nodiscard]] bool paused() const { return paused_; }

    // --- writing
    /// Up to two places to read into, each at most `message` bytes with the headers that will go before it: a power of two
    /// there fills TLS records to the brim, and none of it is copied again. Valid until the next call of the pipe.
    [[nodiscard]] std::span<const iovec> room(std::size_t message);
    /// The first `bytes` of that room, in up to two pieces.
    struct taken {
        out_piece first, second;
    };
    [[nodiscard]] taken take(std::size_t bytes);
    /// Calls fill() before this turn of the loop ends.
    void wake();

    // Only inside fill():
    /// Adds a piece with its protocol header of at most `front` bytes; small ones are gathered.
    void put(const out_piece& piece, std::span<const std::byte> header);
    void put(std::span<const std::byte> bytes);
    /// Ends the WebSocket message that was being gathered.
    void end_message();
    [[nodiscard]] bool batch_full() const { return wire_bytes_ >= batch; }

    /// Bytes put and not yet given to the kernel, as far as known.
    [[nodiscard]] std::size_t unsent() const { return wire_bytes_ + stream_->unsent(); }
    /// Grows when the kernel takes bytes.
    [[nodiscard]] std::int64_t progress() const { return static_cast<std::int64_t>(moved_) - static_cast<std::int64_t>(stream_->unsent()); }

    /// As data_stream::silence: long enough, the path is dead whatever else is so.
    [[nodiscard]] std::chrono::nanoseconds silence() const { return closed_ ? std::chrono::nanoseconds{} : stream_->silence(); }

    /// Sends a WebSocket ping behind all that was put so far; nothing for a raw pipe.
    void ping();
    /// Closes in an orderly way: `last` and a close frame are sent if that can be done at once. The user hears nothing.
    void close(std::string_view last = {});
    [[nodiscard]] bool closed() const { return closed_; }
    [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }

private:
    static constexpr std::size_t batch = 128 * 1024;  ///< put before it is written
    static constexpr std::size_t budget = 256 * 1024; ///< read in one turn
    static constexpr std::size_t small = 4 * 1024;    ///< gathered rather than sent from its place
    static constexpr std::size_t least_room = 8 * 1024;

    struct segment {
        chunk_ref where;
        std::uint32_t at, size;
    };

    void post(void (tunnel_pipe::*what)());
    void arm_read();
    void drain();
    bool deliver(std::span<std::byte> bytes);
    void answer(const websocket::part& control);
    void lose(error why);

    void flush();
    bool write_some(bool& blocked);
    void arm_write();
    [[nodiscard]] std::size_t left_in_tail() const { return tail_ ? chunk::capacity - tail_used_ : 0; }
    void make_room(std::size_t size);
    void gather(std::span<const std::byte> bytes);
    void push(chunk_ref where, std::size_t at, std::size_t size);
    void push_message(chunk_ref where, std::size_t at, std::size_t size);
    void push_control(websocket::opcode op, std::span<const std::byte> payload);
    websocket::mask_key next_key();

    std::unique_ptr<data_stream> stream_;
    asio::any_io_executor executor_;
    user& user_;
    scratch& scratch_;
    const framing how_;
    const std::size_t front_; ///< before each piece: protocol and WebSocket header
    std::uint64_t random_;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);

    websocket::frame_decoder decoder_{websocket::sender::server};
    std::string rest_;
    bool paused_ = true, drain_posted_ = false, closed_ = false;

    chunk_ref tail_; ///< where the next bytes go
    std::size_t tail_used_ = 0;
    out_piece staged_[2];
    iovec room_[2];
    std::size_t gathered_at_ = 0, gathered_ = 0; ///< the message being gathered in tail_
    std::vector<segment> wire_;
    std::size_t wire_head_ = 0, wire_bytes_ = 0;
    std::uint64_t moved_ = 0;
    bool flush_posted_ = false, write_armed_ = false;
    std::optional<std::string> pong_; ///< owed to the peer: only the last matters
    bool ping_owed_ = false;
};

} // namespace fwd::portforward
