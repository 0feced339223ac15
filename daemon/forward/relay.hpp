// One connection and its stream pair: copies both ways, half-close, and the first bytes kept while a retry may need them.
// Data thread; the hot path: plain callbacks, no allocation per drain.
#pragma once

#include "common/async/timing.hpp"
#include "common/net/data_stream.hpp"
#include "daemon/forward/routes.hpp"
#include "daemon/portforward/transport.hpp"
#include "daemon/traffic/http_sniffer.hpp"

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
    std::size_t turn = 256 * 1024;      ///< bytes read from the client before others get their turn
    std::size_t backlog = 1024 * 1024;  ///< bytes held for a client that does not read, before its tunnel stops
    std::size_t bulk = 256 * 1024;      ///< bytes both ways that make a connection bulk
    std::size_t replay = 16 * 1024;     ///< first bytes of the client that are kept for a retry
    duration silence = 2s;              ///< of the pod, before a lazy FIN
    duration longest_half_close = 30s;  ///< unless the pod sends in earnest
    std::size_t in_earnest = 64 * 1024; ///< bytes of the pod that put the lazy FIN off by another `longest_half_close / 3`
    duration gone_after = 20ms;         ///< looks again whether a client that finished has closed: the kernel may know a moment later
    duration linger = 1s;               ///< reading on after the pod's end, so that our close does not destroy what was flushed
};

/// Bytes that wait for slow clients, over all connections of a thread.
struct backlog_budget {
    std::size_t most = 64 * 1024 * 1024; ///< beyond it any backlog stops its tunnel
    std::size_t used = 0;
};

/// What all relays of a thread share.
struct relay_parts {
    timing& clock;
    const relay_limits& limits;
    backlog_budget& budget;
    traffic::sniffer_budget* looks = nullptr; ///< at requests that pass; without it nobody does
};

class relay final : private portforward::pair_sink {
public:
    relay(std::unique_ptr<data_stream> client, relay_parts parts, std::shared_ptr<catalog::counters> traffic, half_close half,
          relay_events& owner);
    ~relay() override;

    /// The pod that start() is about to lead to, as records of requests name it.
    void served_by(std::string_view pod) { watch_.served_by(pod); }
    /// Opens a pair on `over` and sends what the client has already said with it.
    void start(portforward::transport& over, std::uint16_t pod_port);
    /// Resets the client (and the pair). No event follows.
    void abort();
    /// While it is not started: nobody would read an answer any more.
    [[nodiscard]] bool abandoned();
    /// The client is gone; what it said is still on its way.
    [[nodiscard]] bool closing() const { return client_gone_; }
    [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }
    [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }

private:
    void on_data(std::span<const std::byte> bytes) override;
    void on_drained() override;
    void on_accepted() override {}
    void on_end() override;
    void on_failed(portforward::pair_failure why, std::string text) override;
    void on_writable() override;

    void read_client();
    void client_ended();
    void watch_paused_client();
    void half_closed();
    void look_again(time_point when);
    bool end_is_due();
    bool release_gone_client();
    void pass_on_end();
    void count_backlog();
    [[nodiscard]] std::size_t backlog() const { return backlog_.size() - backlog_used_; }
    void write_client(std::span<const iovec> pieces);
    void flush_backlog();
    void keep(std::span<const iovec> pieces, std::size_t skip);
    void remember(std::span<const iovec> room, std::size_t count);
    void pod_ended_and_flushed();
    void discard_client();
    void finish(std::optional<portforward::pair_failure> why, std::string text);
    void touch();

    std::unique_ptr<data_stream> client_;
    timing& clock_;
    const relay_limits& limits_;
    backlog_budget& budget_;
    std::shared_ptr<catalog::counters> traffic_;
    half_close half_;
    relay_events& owner_;

    traffic::http_watch watch_;
    std::unique_ptr<portforward::pair> pair_;
    std::vector<iovec> pieces_;      ///< of this drain, into the tunnel's buffer
    std::vector<std::byte> backlog_; ///< not yet taken by the client
    std::size_t backlog_used_ = 0;
    std::vector<std::byte> replay_;
    bool replay_whole_ = true; ///< replay_ is all that the client said so far
    std::size_t budgeted_ = 0; ///< of the backlog, in the budget
    std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
    std::uint64_t counted_at_limit_ = 0; ///< bytes_in_ when the longest half-close was last put off
    bool bulk_ = false;
    bool answered_ = false;
    bool client_done_ = false; ///< the client finished writing
    bool client_gone_ = false; ///< and reading: its socket is closed, and so is ours
    bool fin_sent_ = false;
    bool pod_done_ = false;
    bool choked_ = false;
    bool over_ = false;
    timer_id look_timer_ = 0;
    timer_id linger_timer_ = 0;
    time_point half_close_limit_{};
    time_point last_from_pod_{};
};

} // namespace fwd::forward
