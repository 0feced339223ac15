// What waits to be sent on a tunnel, cut as the servers of a real cluster cut it: Go's framer writes each field by itself,
// the API server copies what it reads, at most 16 KiB, and its WebSocket library sends large pieces in three writes.
#pragma once

#include "common/net/data_stream.hpp"
#include "tests/simcluster/cluster_state.hpp"

#include <deque>
#include <string>

namespace fwd::simcluster {

class outbox {
public:
    enum class framing { raw, websocket };
    outbox(record_pattern pattern, framing how) : pattern_{pattern}, framing_{how} {}

    /// A control frame, in the pieces that Go's framer writes: `sizes` of the first ones, the rest in one.
    void control(std::string_view frame, std::initializer_list<std::size_t> sizes);
    /// A DATA frame or message: its header in `header_pieces` writes of equal size, then the payload.
    void data(std::string_view header, std::span<const std::byte> payload, std::size_t header_pieces);
    /// Bytes of their own, such as a WebSocket close frame, past the framing.
    void bare(std::string_view bytes);

    [[nodiscard]] bool room() const { return size() < limit; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// Sends what goes. False when the stream failed.
    bool flush(data_stream& to, unruly_stream& wire);

    static constexpr std::size_t limit = 256 * 1024;

private:
    [[nodiscard]] std::size_t size() const { return bytes_.size() - used_; }
    void piece(std::string_view bytes);
    void record(std::string_view bytes);
    void websocket_header(std::size_t size, bool final);
    void forget_records(std::size_t sent);

    record_pattern pattern_;
    framing framing_;
    std::string bytes_;
    std::size_t used_ = 0;
    std::deque<std::uint32_t> records_; ///< sizes, of pattern go
};

} // namespace fwd::simcluster
