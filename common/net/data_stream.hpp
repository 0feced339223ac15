// The seam under every connection: bytes that are moved when they can be, and word of when they can.
// The data path uses it as it is; control code uses byte_stream over it. Sockets, TLS and memory implement it.
#pragma once

#include "common/async/callback.hpp"
#include "common/result.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <sys/uio.h>

namespace fwd {

/// What one attempt moved. `end` is the peer's orderly end of writing (reads only).
struct io_step {
    enum class state { moved, would_block, end, failed };
    state what = state::would_block;
    std::size_t bytes = 0;
    error_code failure;
};

enum class interest { read, write };

/// One connection, owned by one thread. Destroying it closes it, and drops its waits uncalled.
class data_stream {
public:
    virtual ~data_stream() = default;

    /// Moves what is there, up to `into`; `moved` with at least one byte, or why not. Never blocks. `into` is not empty.
    virtual io_step try_read(std::span<std::byte> into) = 0;
    /// As try_read into several places, one system call where the stream has it.
    virtual io_step try_readv(std::span<const iovec> into) = 0;
    /// Takes a part of the bytes, in order. A layer that buffers may take all and send later.
    virtual io_step try_writev(std::span<const iovec> from) = 0;

    /// Calls `ready` once, from the loop, never from inside this call, when `what` may move or fail.
    /// One wait per interest; a second one replaces the first.
    virtual void wait(interest what, callback ready) = 0;
    /// Drops the wait; its callback is destroyed uncalled.
    virtual void cancel(interest what) = 0;

    /// Tells the peer that nothing more will be written, after what was taken so far.
    virtual void shutdown_write() = 0;
    /// Closes at once so that the peer sees a reset (SO_LINGER 0).
    virtual void reset() = 0;
    /// Closes in an orderly way. Further calls of try_* fail with errc::closed.
    virtual void close() = 0;

    /// Whether the peer went away while nobody reads: a reset, or its end with nothing left to read.
    [[nodiscard]] virtual bool abandoned() { return false; }
    /// After the peer's end was read: whether it closed its socket altogether, so that nobody can read what we would write.
    /// False also where that cannot be told (a peer on another machine); true may come a moment after the end.
    [[nodiscard]] virtual bool peer_closed() { return false; }
    /// How long the peer's machine has acknowledged nothing although it was sent something, more than once: the way to it is dark. Zero
    /// while it answers (also "my window is full"), while nothing is sent, and where nobody can tell.
    [[nodiscard]] virtual std::chrono::nanoseconds silence() const { return {}; }
    /// Bytes that were taken and not yet given to the kernel or peer.
    [[nodiscard]] virtual std::size_t unsent() const { return 0; }
    /// The socket's descriptor for what only a descriptor tells (peer credentials, options); -1 without one.
    [[nodiscard]] virtual int descriptor() const { return -1; }
};

} // namespace fwd
