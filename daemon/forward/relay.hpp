// One connection and its stream pair: copies both ways, half-close, and the first bytes kept while a retry may need them.
// Data thread; the hot path: plain callbacks, no allocation per drain (performance: section 5).
#pragma once

#include "common/async/timing.hpp"
#include "common/net/data_stream.hpp"
#include "daemon/forward/routes.hpp"
#include "daemon/portforward/transport.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fwd::forward {

class relay;

/// What a relay tells its owner, from the loop. After over() the relay is only to be destroyed, later than the call.
class relay_events {
public:
    virtual ~relay_events() = default;
    /// The first bytes from the pod.
    virtual void answered() = 0;
    /// So much has passed that others had better not share its tunnel. Once.
    virtual void bulk() = 0;
    /// The pair failed and nothing can have been done twice: start() may be called again with another tunnel. The relay waits.
    virtual void may_retry(portforward::pair_failure why, std::string text) = 0;
    /// The connection is over. With a failure the client has been reset.
    virtual void over(std::optional<portforward::pair_failure> why, std::string text) = 0;
};

struct relay_limits {
    std::size_t turn = 256 * 1024;     ///< bytes read from the client before others get their turn
    std::size_t backlog = 1024 * 1024; ///< bytes held for a client that does not read, before its tunnel stops
    std::size_t bulk = 256 * 1024;     ///< bytes both ways that make a connection bulk
    std::size_t replay = 16 * 1024;    ///< first bytes of the client that are kept for a retry
    duration silence = 2s;             ///< of the pod, before a lazy FIN
    duration longest_half_close = 30s;
    duration linger = 1s; ///< reading on after the pod's end, so that our close does not destroy what was flushed
};

class relay final : private portforward::pair_sink {
public:
    relay(std::unique_ptr<data_stream> client, timing& clock, std::shared_ptr<catalog::counters> traffic, half_close half,
          relay_events& owner, const relay_limits& limits);
    ~relay() override;

    /// Opens a pair on `over` and sends what the client has already said with it.
    void start(portforward::transport& over, std::uint16_t pod_port);
    /// Resets the client (and the pair). No event follows.
    void abort();
    [[nodiscard]] data_stream& client() { return *client_; }
    [[nodiscard]] bool started() const { return pair_ != nullptr; }

private:
    void on_data(std::span<const std::byte> bytes) override;
    void on_drained() override;
    void on_accepted() override {}
    void on_end() override;
    void on_failed(portforward::pair_failure why, std::string text) override;
    void on_writable() override;

    void read_client();
    void client_ended();
    void arm_half_close();
    void write_client(std::span<const iovec> pieces);
    void flush_backlog();
    void keep(std::span<const iovec> pieces, std::size_t skip);
    void remember(std::span<const iovec> room, std::size_t count);
    void pod_ended_and_flushed();
    void discard_client();
    void finish(std::optional<portforward::pair_failure> why, std::string text);
    void touch(std::size_t bytes);

    std::unique_ptr<data_stream> client_;
    timing& clock_;
    std::shared_ptr<catalog::counters> traffic_;
    half_close half_;
    relay_events& owner_;
    const relay_limits& limits_;

    std::unique_ptr<portforward::pair> pair_;
    std::vector<iovec> pieces_;      ///< of this drain, into the tunnel's buffer
    std::vector<std::byte> backlog_; ///< not yet taken by the client
    std::size_t backlog_used_ = 0;
    std::vector<std::byte> replay_;
    bool replay_whole_ = true; ///< replay_ is all that the client said so far
    std::size_t moved_ = 0;    ///< bytes both ways
    bool answered_ = false;
    bool client_done_ = false; ///< the client finished writing
    bool fin_sent_ = false;
    bool pod_done_ = false;
    bool choked_ = false;
    bool over_ = false;
    timer_id half_close_timer_ = 0;
    timer_id linger_timer_ = 0;
    time_point half_close_limit_{};
    time_point last_from_pod_{};
};

} // namespace fwd::forward
