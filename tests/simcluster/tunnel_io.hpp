// The byte side of a tunnel: reads in large pieces, unwraps WebSocket, sends what the outbox holds, and stops reading when told.
#pragma once

#include "daemon/portforward/websocket_frame.hpp"
#include "tests/simcluster/alarm.hpp"
#include "tests/simcluster/outbox.hpp"

namespace fwd::simcluster {

class tunnel_io {
public:
    /// `stream` and `wire` outlive it; `over` rings when the tunnel has ended.
    tunnel_io(cluster_state& cluster, data_stream& stream, unruly_stream& wire, outbox::framing how, alarm& over);
    virtual ~tunnel_io();
    tunnel_io(const tunnel_io&) = delete;
    tunnel_io& operator=(const tunnel_io&) = delete;

    /// `rest` came behind the upgrade request.
    void start(std::string rest);
    [[nodiscard]] bool ended() const { return ended_; }
    /// Puts bytes on the wire that are no frames.
    void garble(std::string_view bytes);

protected:
    /// Takes a prefix; what is left is offered again after go_on(). A message's start and end matter to the legacy protocol only.
    virtual void on_input(std::span<const std::byte>& bytes, bool first, bool last) = 0;
    /// The outbox has room.
    virtual void on_room() = 0;
    /// The client is gone or the tunnel was ended.
    virtual void on_over() = 0;

    /// Input that was left is offered again, at the next turn of the loop.
    void go_on();
    /// What is in the outbox goes out at the end of this turn.
    void send();
    /// Ends the tunnel: what is in the outbox is sent first, as far as it goes at once.
    void end();
    [[nodiscard]] cluster_state& cluster() { return cluster_; }
    outbox out;

private:
    void turn();
    void read();
    bool consume();
    void flush();
    void schedule();

    cluster_state& cluster_;
    data_stream& stream_;
    unruly_stream& wire_;
    alarm& over_;
    outbox::framing framing_;
    portforward::websocket::frame_decoder decoder_{portforward::websocket::sender::client};
    std::string rest_;
    std::unique_ptr<std::byte[]> buffer_; ///< only what was used of it is resident
    std::span<std::byte> raw_;            ///< read, not yet unwrapped
    std::span<const std::byte> payload_;  ///< unwrapped, not yet taken
    bool first_ = true, last_ = true;
    bool reading_ = false, writing_ = false, scheduled_ = false, ended_ = false, in_turn_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace fwd::simcluster
