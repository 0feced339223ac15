// Streams, pings and goaway of one SPDY tunnel, and the stream pairs that Kubernetes lays over them: an error stream that
// brings the runtime's words, and a data stream. Source: spdystream's behaviour.
#pragma once

#include "common/async/timing.hpp"
#include "daemon/portforward/spdy_frame.hpp"
#include "daemon/portforward/spdy_headers.hpp"
#include "daemon/portforward/transport.hpp"
#include "daemon/portforward/tunnel_pipe.hpp"
#include "daemon/portforward/tunnel_pulse.hpp"

#include <array>
#include <optional>
#include <vector>

namespace fwd::portforward {

/// One pair as its tunnel knows it.
struct stream_pair {
    struct queued_piece {
        out_piece piece; ///< without memory: an empty frame
        bool fin = false;
    };
    pair_sink* sink = nullptr; ///< nobody listens any more when null
    std::uint32_t error_id = 0, data_id = 0;
    time_point opened;
    std::vector<queued_piece> queue;
    std::size_t queue_head = 0;
    std::size_t queued = 0; ///< payload bytes in `queue`
    std::uint64_t sent = 0;
    std::string text;                    ///< of the error stream so far
    std::optional<pair_failure> pending; ///< to be told from the loop
    bool replied = false;                ///< SYN_REPLY for the data stream came
    bool finished = false;               ///< our FIN is queued or sent
    bool remote_done = false;            ///< its FIN came
    bool remote_reset = false;           ///< its RST came
    bool dead = false;                   ///< reset or failed: nothing more goes either way
    bool choked = false;
    bool wants_room = false; ///< is in the list of those
    bool touched = false;    ///< got data in this drain; is in the list of those
    bool ready = false;      ///< is in the list of those with a queue
    bool gone = false;       ///< nobody holds it and nothing is left to send: to be swept

    [[nodiscard]] bool has_queue() const { return queue_head < queue.size(); }
    void drop_queue()
    {
        queue.clear();
        queue_head = 0;
        queued = 0;
    }
};

/// The shared part of a tunnel: its handles (the transport, the pairs) keep it alive, the last one ends it.
class spdy_connection final : public tunnel_pipe::user, public std::enable_shared_from_this<spdy_connection> {
public:
    spdy_connection(std::unique_ptr<data_stream> stream, framing how, std::uint64_t seed, timing& clock, asio::any_io_executor executor,
                    transport_sink& sink, transport_limits limits);
    ~spdy_connection() override;

    void start(std::string rest);

    // The transport's calls.
    [[nodiscard]] stream_pair& open(std::uint16_t port, pair_sink& sink);
    [[nodiscard]] bool usable() const;
    [[nodiscard]] bool stalled() const { return choked_ > 0 || stuck_; }
    [[nodiscard]] std::size_t live() const { return live_; }
    [[nodiscard]] framing how() const { return how_; }
    void retire();
    void probe();
    /// `leave`: the transport's handle goes, so nobody hears of state any more.
    void close(bool leave);

    // The pairs' calls.
    [[nodiscard]] std::span<const iovec> write_room(stream_pair& of);
    void commit(stream_pair& of, std::size_t bytes);
    void finish(stream_pair& of);
    void reset(stream_pair& of);
    void choke(stream_pair& of, bool full);
    void drop(stream_pair& of);

    /// Runtimes keep a pair for a second after its connection ended, so that many short ones live at once.
    static constexpr std::size_t most_pairs = 16 * 1024;

private:
    static constexpr std::uint32_t queues_of_peer = 5; ///< spdystream deals frames to workers by stream id mod 5

    /// A call from the loop: what it changed is told and tidied at its end.
    class turn {
    public:
        explicit turn(spdy_connection& of) : of_{of}, keep_{of.keep()} { ++of_.busy_; }
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;
        ~turn()
        {
            if (--of_.busy_ == 0 && of_.unsettled_) of_.settle();
        }

    private:
        spdy_connection& of_;
        std::shared_ptr<void> keep_;
    };

    // The pipe's calls.
    void on_bytes(std::span<const std::byte> bytes, bool begins) override;
    void on_drained() override;
    void on_lost(error why) override;
    void fill() override;
    void on_flushed() override;
    std::shared_ptr<void> keep() override { return shared_from_this(); }

    // Frames.
    void on_frame(const spdy::frame& frame);
    void on_data(const spdy::data& part);
    void on_reply(const spdy::syn_reply& reply);
    void on_reset(const spdy::rst_stream& reset);
    void on_ping(std::uint32_t id);
    bool read_headers(std::span<const std::byte> block);
    [[nodiscard]] stream_pair* find(std::uint32_t stream);

    // Ends of pairs and of all.
    void fail(stream_pair& of, pair_failure why, std::string text);
    void remote_end(stream_pair& of);
    void tell_drained(stream_pair& of);
    void stop(stream_pair& of);
    void unchoke(stream_pair& of);
    void end_all(std::string text);
    void lose(error why);
    void settle();
    void changed();
    void note_gone(stream_pair& of);
    void sweep();

    // Ids and writing.
    [[nodiscard]] std::uint32_t pick_id() const;
    void enqueue(stream_pair& of, out_piece piece, bool fin);
    void emit(stream_pair& of);
    [[nodiscard]] std::size_t backlog() const { return queued_ + control_.size() + pipe_.unsent(); }

    // Time.
    [[nodiscard]] bool able() const { return choked_ == 0 && !stuck_; }
    void note_able(bool before);
    void schedule(time_point when);
    void stop_timer();
    void tick();
    void watch_backlog(time_point now);
    void check_replies(time_point now);
    void check_pulse(time_point now);
    [[nodiscard]] time_point next_beat() const;
    void send_pings(int count, time_point now);

    timing& clock_;
    transport_sink* sink_;
    const transport_limits limits_;
    const framing how_;
    tunnel_pipe pipe_;
    spdy::frame_scanner scanner_;
    spdy::header_writer headers_out_;
    spdy::header_decompressor headers_in_;

    std::vector<std::unique_ptr<stream_pair>> pairs_; ///< in the order of their ids; gone ones until the turn's end
    // Lists, since thousands of pairs may rest on a tunnel while a few are busy.
    std::vector<stream_pair*> ready_;   ///< with a queue, in the order of their turns
    std::vector<stream_pair*> touched_; ///< got data in this drain
    std::vector<stream_pair*> waiting_; ///< for room
    stream_pair* last_found_ = nullptr;
    std::array<std::uint32_t, queues_of_peer> residues_{}; ///< pairs by the peer's worker queue
    std::size_t live_ = 0;                                 ///< pairs with a handle
    std::size_t gone_ = 0;                                 ///< pairs to be swept
    std::size_t choked_ = 0;
    std::uint32_t next_id_ = 1, next_ping_ = 1;
    std::uint64_t requests_ = 0;

    std::string control_;    ///< frames that go before data
    std::size_t queued_ = 0; ///< payload in all pairs' queues

    tunnel_pulse pulse_;
    timer_id timer_ = 0;
    time_point timer_due_{};
    bool stuck_ = false, watching_backlog_ = false;
    std::int64_t backlog_mark_ = 0;
    time_point backlog_since_{};

    bool alive_ = true, retired_ = false, told_usable_ = true, told_stalled_ = false;
    int busy_ = 0;           ///< calls from the loop under way: nothing is erased
    bool unsettled_ = false; ///< something is to be told or swept
    bool pending_ = false;   ///< the failure of some pair is to be told
    bool settle_posted_ = false;
    std::optional<error> lost_; ///< to be told to the transport's sink
};

} // namespace fwd::portforward
