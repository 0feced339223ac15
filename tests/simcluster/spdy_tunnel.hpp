// The far end of a SPDY tunnel, as container runtimes have it: spdystream's receiver (one reader, five workers with queues
// of 50 frames, a hand-over that blocks, no windows) and the stream pairs of portforward.k8s.io above it.
// What one frame that nobody takes does to a tunnel is the point.
#pragma once

#include "daemon/portforward/spdy_frame.hpp"
#include "daemon/portforward/spdy_headers.hpp"
#include "tests/simcluster/tunnel_io.hpp"

#include <map>
#include <memory>
#include <optional>

namespace fwd::simcluster {

class spdy_tunnel final : public tunnel_io {
public:
    spdy_tunnel(cluster_state& cluster, data_stream& stream, unruly_stream& wire, outbox::framing how, alarm& over, object_key pod,
                std::string pod_uid);
    ~spdy_tunnel() override;

private:
    static constexpr std::size_t workers = 5;
    static constexpr std::size_t queue_limit = 50;

    struct stream_pair;
    struct stream {
        std::uint32_t id = 0;
        bool is_error = false;
        stream_pair* pair = nullptr;
        bool remote_ended = false, local_ended = false;
        bool read_ended = false; ///< nobody reads it any more
    };
    /// One forwarded connection.
    struct stream_pair {
        std::string request_id;
        std::uint16_t port = 0;
        std::uint32_t data = 0, error = 0;
        std::unique_ptr<pod_socket> socket;
        std::string held; ///< the frame that the copy towards the pod is writing
        std::size_t held_used = 0;
        bool input_ended = false; ///< nothing comes behind it
        [[nodiscard]] bool holds() const { return held_used < held.size(); }
        bool dialled = false, up_done = false, down_done = false, client_reset = false, finished = false, queued = false;
        std::string failure;
        timer_id timer = 0; ///< for the second stream, then for the linger
    };
    /// A frame between reader and worker.
    struct work {
        enum class kind { syn, data, reset, ping };
        kind what = kind::data;
        std::uint32_t stream = 0;
        bool fin = false;
        std::span<const std::byte> bytes; ///< of a frame that is handled at once; a queued one has `own`
        std::string own;
        portforward::spdy::header_list headers;
        bool payload_done = false;
    };

    void on_input(std::span<const std::byte>& bytes, bool first, bool last) override;
    void on_room() override;
    void on_over() override;

    // The reader.
    bool take(const portforward::spdy::frame& frame);
    void push(std::size_t worker, work item);
    void run_worker(std::size_t worker);
    // A worker. False: it is blocked on this frame.
    bool handle(work& item);
    void open_stream(const work& item);
    bool hand_over(stream& to, work& item);
    void remote_end(std::uint32_t id);
    void handle_reset(std::uint32_t id);

    // Pairs.
    void join(stream& opened, const std::string& request_id, std::uint16_t port);
    void begin_copy(stream_pair& pair);
    void socket_changed(stream_pair& pair);
    void listen(stream_pair& pair);
    void push_up(stream_pair& pair);
    void pull_down(stream_pair& pair);
    void want_pull(stream_pair& pair);
    void side_done(stream_pair& pair, bool up, std::string failure);
    void finish(stream_pair& pair);
    void timed_out(const std::string& request_id);
    void watch_idle();

    void put_reply(std::uint32_t id);
    void put_reset(std::uint32_t id, std::uint32_t status);
    void put_fin(std::uint32_t id);
    void put_data(std::uint32_t id, std::span<const std::byte> bytes);
    [[nodiscard]] stream* find(std::uint32_t id);
    void forget_if_over(std::uint32_t id);
    [[nodiscard]] stream_pair* find_pair(const std::string& request_id);
    void input_over(stream_pair& pair);
    void sweep(const std::string& request_id);

    object_key pod_;
    std::string pod_uid_;
    portforward::spdy::frame_scanner scanner_;
    portforward::spdy::header_decompressor inflater_;
    portforward::spdy::header_compressor deflater_;
    std::string partial_; ///< a DATA frame that came in parts
    std::array<std::deque<work>, workers> queues_;
    std::array<bool, workers> blocked_{};
    std::optional<std::pair<std::size_t, work>> stuck_; ///< the reader's frame that found its queue full
    std::size_t pings_ = 0;
    time_point last_frame_;
    timer_id idle_timer_ = 0;
    std::uint32_t last_id_ = 0;
    bool goaway_ = false;
    std::map<std::uint32_t, std::unique_ptr<stream>> streams_;
    std::map<std::string, std::unique_ptr<stream_pair>> pairs_;
    std::deque<std::string> to_pull_;
};

} // namespace fwd::simcluster
