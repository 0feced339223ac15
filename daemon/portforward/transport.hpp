// One tunnel to a pod, and the stream pairs on it. Data thread only; readiness, not coroutines (style: the byte path).
#pragma once

#include "common/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/uio.h>

namespace fwd::portforward {

/// Why one pair ended badly.
enum class pair_failure {
    refused,       ///< nothing listens on that port of the pod
    reset_by_pod,  ///< the application reset its socket
    dial_timeout,  ///< the runtime could not reach the port in time
    sandbox_gone,  ///< the pod's sandbox is gone: drop the pod
    not_supported, ///< no rule or port for it
    rejected,      ///< reset without any text, or without SYN_REPLY
    no_reply,      ///< SYN_REPLY did not come in time
    tunnel_lost,   ///< the tunnel died under it
    other,         ///< some other text
};
[[nodiscard]] std::string_view name_of(pair_failure failure);
/// From the runtime's text on the error stream.
[[nodiscard]] pair_failure classify(std::string_view error_text);
/// Whether it proves that the pod saw nothing, so that another try cannot do anything twice.
[[nodiscard]] bool nothing_was_dialled(pair_failure failure);
/// Whether the tunnel should take no new pairs after it.
[[nodiscard]] bool retires_tunnel(pair_failure failure);

/// What a pair tells its connection. Calls come from the loop, never from inside a call of the pair or transport.
/// After on_end() data may still be written; after on_failed() the pair is dead and only to be destroyed.
class pair_sink {
public:
    virtual ~pair_sink() = default;
    /// Bytes from the pod; they stay valid until on_drained(), which follows in the same turn. Deliver with one writev there.
    virtual void on_data(std::span<const std::byte> bytes) = 0;
    virtual void on_drained() = 0;
    /// The other side accepted the stream (SYN_REPLY). Not: that the pod's port answers.
    virtual void on_accepted() = 0;
    /// The pod finished writing. With container runtimes its socket is closed by then.
    virtual void on_end() = 0;
    virtual void on_failed(pair_failure why, std::string text) = 0;
    /// write_room() gives room again after it gave none.
    virtual void on_writable() = 0;
};

/// The near end of one stream pair. Destroying it resets it, unless both sides had finished.
class pair {
public:
    virtual ~pair() = default;
    /// Where the client's next bytes may be read into, with space for framing around it: one or two pieces, 64 KiB at most
    /// together, valid until the next call on this transport. Empty: the tunnel's queue is full, on_writable() will follow.
    [[nodiscard]] virtual std::span<const iovec> write_room() = 0;
    /// The first `bytes` of that room are the client's. They leave in this turn of the loop.
    virtual void commit(std::size_t bytes) = 0;
    /// No more bytes towards the pod (FIN). Runtimes end the other direction about a second later.
    virtual void finish() = 0;
    /// Ends the pair at once: RST CANCEL, later frames are dropped.
    virtual void reset() = 0;
    /// The local reader is slow and its backlog full (true), or has room again (false). While any pair of a tunnel is
    /// choked the tunnel stops reading; it is `stalled`.
    virtual void choke(bool full) = 0;
    /// Client bytes that entered the tunnel: with 0 another try is safe.
    [[nodiscard]] virtual std::uint64_t sent() const = 0;
};

enum class transport_kind { websocket, spdy, legacy };
[[nodiscard]] std::string_view name_of(transport_kind kind);

/// What a tunnel tells the pool.
class transport_sink {
public:
    virtual ~transport_sink() = default;
    /// The tunnel is dead; its pairs have heard on_failed(tunnel_lost). To be destroyed later than this call.
    /// errc::canceled where it ended on purpose (retired, or a legacy one with its connection).
    virtual void on_closed(error why) = 0;
    /// usable() or stalled() changed.
    virtual void on_state() = 0;
};

struct transport_limits {
    std::size_t queue = 256 * 1024; ///< plaintext waiting for the socket before write_room() is empty
    std::size_t frame = 32 * 1024;  ///< largest DATA payload
    // Durations are in nanoseconds of the data thread's timing.
    std::int64_t reply = 10'000'000'000;
    std::int64_t ping_after = 15'000'000'000;
    std::int64_t pong_within = 10'000'000'000;
};

class transport {
public:
    virtual ~transport() = default;
    /// A new pair to `port` of the pod. SYNs go out in this turn, together with what is committed in it. Never waits.
    [[nodiscard]] virtual std::unique_ptr<pair> open(std::uint16_t port, pair_sink& sink) = 0;
    /// Whether new pairs may be opened: alive, not retired, not stalled, ids left, fewer than most_pairs() of its kind.
    [[nodiscard]] virtual bool usable() const = 0;
    [[nodiscard]] virtual bool stalled() const = 0;
    [[nodiscard]] virtual std::size_t pairs() const = 0;
    /// 1 for legacy WebSocket.
    [[nodiscard]] virtual std::size_t most_pairs() const = 0;
    [[nodiscard]] virtual transport_kind kind() const = 0;
    /// Takes no new pairs any more; closes when the last pair has ended.
    virtual void retire() = 0;
    /// Ask whether the peer is there, now (wake-up from suspend).
    virtual void probe() = 0;
    /// Ends it: pairs hear on_failed(tunnel_lost), on_closed is not called.
    virtual void close() = 0;
};

} // namespace fwd::portforward
