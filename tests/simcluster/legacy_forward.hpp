// Port-forward over WebSocket channels, as before SPDY was tunnelled: two channels for each port, one connection each,
// dialled at once. Source: cri-streaming portforward/websocket.go.
#pragma once

#include "tests/simcluster/tunnel_io.hpp"

#include <vector>

namespace fwd::simcluster {

class legacy_forward final : public tunnel_io {
public:
    legacy_forward(cluster_state& cluster, data_stream& stream, unruly_stream& wire, alarm& over, const object_key& pod,
                   const std::string& pod_uid, std::vector<std::uint16_t> ports);
    ~legacy_forward() override;

private:
    struct forwarded {
        std::uint16_t port = 0;
        std::unique_ptr<pod_socket> socket;
        std::string failure, held;
        std::size_t held_used = 0;
        bool done = false;
        timer_id linger = 0;
    };
    void on_input(std::span<const std::byte>& bytes, bool first, bool last) override;
    void on_room() override;
    void on_over() override;
    void listen(std::size_t index);
    void push_up(std::size_t index);
    void finish(std::size_t index);
    void message(std::size_t channel, std::span<const std::byte> bytes);

    std::vector<forwarded> ports_;
    std::optional<std::size_t> channel_; ///< of the message that is being read
};

} // namespace fwd::simcluster
