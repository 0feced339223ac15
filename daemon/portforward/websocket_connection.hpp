// The old WebSocket port-forward, `v4.channel.k8s.io`: every message is a channel byte and payload; channel 0 carries the
// connection, channel 1 the runtime's words. One tunnel is one connection to one port, dialled at the upgrade; there is no
// half-close.
#pragma once

#include "common/async/timing.hpp"
#include "daemon/portforward/transport.hpp"
#include "daemon/portforward/tunnel_pipe.hpp"

#include <array>
#include <optional>
#include <vector>

namespace fwd::portforward {

/// The tunnel with its one connection; kept alive by the handles of both.
class legacy_connection final : public tunnel_pipe::user, public std::enable_shared_from_this<legacy_connection> {
public:
    legacy_connection(std::unique_ptr<data_stream> stream, std::uint64_t seed, std::uint16_t port, timing& clock,
                      asio::any_io_executor executor, transport_sink& sink, transport_limits limits)
        : clock_{clock}, sink_{&sink}, limits_{limits}, port_{port},
          pipe_{std::move(stream), framing::websocket, 1, seed, std::move(executor), *this}, heard_{clock.now()}
    {
    }
    ~legacy_connection() override { stop_timer(); }

    void start(std::string rest)
    {
        pipe_.start(std::move(rest));
        schedule(heard_ + duration{limits_.ping_after});
    }

    // The transport's calls.
    void open(std::uint16_t port, pair_sink& sink);
    [[nodiscard]] bool usable() const { return alive_ && !retired_ && !opened_; }
    [[nodiscard]] bool stalled() const { return choked_; }
    [[nodiscard]] std::size_t live() const { return pair_ ? 1 : 0; }
    void retire();
    void probe() { ask(clock_.now()); }
    void close(bool leave);

    // The pair's calls.
    [[nodiscard]] std::span<const iovec> write_room();
    void commit(std::size_t bytes);
    void finish();
    void reset();
    void choke(bool full);
    void drop();
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

private:
    void on_bytes(std::span<const std::byte> bytes, bool begins) override;
    void on_drained() override;
    void on_lost(error why) override;
    void fill() override;
    void on_flushed() override;
    void on_pong() override;
    std::shared_ptr<void> keep() override { return shared_from_this(); }

    bool read_preamble(std::span<const std::byte>& bytes);
    void tell_drained();
    void fail(pair_failure why, std::string text);
    void accept();
    void tell_later();
    void tell();
    void schedule(time_point when);
    void stop_timer();
    void tick();
    void ask(time_point now);
    void end();

    timing& clock_;
    transport_sink* sink_;
    pair_sink* pair_ = nullptr;
    const transport_limits limits_;
    const std::uint16_t port_;
    tunnel_pipe pipe_;

    struct channel {
        std::array<std::byte, 2> preamble;
        std::size_t have = 0;
    };
    std::array<channel, 2> channels_;
    bool at_channel_ = true; ///< the next byte of the message under way names its channel
    std::byte current_{};
    std::string text_;
    std::string early_; ///< came before anybody listened: a server that speaks first

    std::vector<out_piece> queue_;
    std::size_t queued_ = 0;
    std::uint64_t sent_ = 0;
    time_point heard_;
    std::optional<time_point> asked_;    ///< a ping is out since then
    std::uint64_t sent_before_ping_ = 0; ///< sent_ when it left
    std::uint64_t known_read_ = 0;       ///< of sent_, by the last pong
    timer_id timer_ = 0;
    bool alive_ = true, opened_ = false, retired_ = false, accepted_ = false, told_accepted_ = false;
    bool finished_ = false, remote_done_ = false, dead_ = false, choked_ = false, wants_room_ = false, touched_ = false;
    bool tell_posted_ = false, told_usable_ = true, told_stalled_ = false;
    std::optional<pair_failure> pending_;
    std::optional<error> lost_;
};

} // namespace fwd::portforward
