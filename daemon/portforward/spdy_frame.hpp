// SPDY/3.1 frames: bytes to values and back, for either side of a connection. Knows no streams and no sockets.
// Source: SPDY draft 3.1 section 2, and what spdystream (the container runtimes' end) takes and sends.
#pragma once

#include "common/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace fwd::portforward::spdy {

enum class frame_type : std::uint16_t {
    syn_stream = 1,
    syn_reply = 2,
    rst_stream = 3,
    settings = 4,
    ping = 6,
    goaway = 7,
    headers = 8,
    window_update = 9,
};

inline constexpr std::uint8_t flag_fin = 0x01;
inline constexpr std::uint8_t flag_unidirectional = 0x02; ///< of SYN_STREAM

inline constexpr std::uint32_t status_protocol_error = 1; ///< of RST_STREAM
inline constexpr std::uint32_t status_cancel = 5;         ///< of RST_STREAM; the only one Kubernetes normally uses

inline constexpr std::size_t header_size = 8;
inline constexpr std::size_t most_length = (1u << 24) - 1;  ///< the length field has 24 bits
inline constexpr std::uint32_t most_stream_id = 0x7fffffff; ///< stream ids have 31 bits
/// Control frames longer than this are refused: their longest real one is a compressed header block.
inline constexpr std::size_t most_control = 64 * 1024;

// What a frame says. Spans point into the bytes that were given to the scanner, or into the scanner, until its next call.

/// A part of a DATA frame's payload, as much as has come. An empty frame is one empty part.
struct data {
    std::uint32_t stream = 0;
    std::span<const std::byte> bytes;
    bool last = true; ///< the frame ends with this part
    bool fin = false; ///< and it is the stream's last; never without `last`
};
struct syn_stream {
    std::uint32_t stream = 0;
    std::uint32_t associated = 0;
    std::uint8_t priority = 0; ///< 0 (highest) to 7
    std::uint8_t flags = 0;
    std::span<const std::byte> block; ///< compressed headers
};
struct syn_reply {
    std::uint32_t stream = 0;
    bool fin = false;
    std::span<const std::byte> block;
};
struct headers {
    std::uint32_t stream = 0;
    bool fin = false;
    std::span<const std::byte> block;
};
struct rst_stream {
    std::uint32_t stream = 0;
    std::uint32_t status = 0;
};
struct settings {
    std::uint32_t count = 0;
};
struct ping {
    std::uint32_t id = 0;
};
struct goaway {
    std::uint32_t last_good = 0;
    std::uint32_t status = 0;
};
struct window_update {
    std::uint32_t stream = 0;
    std::uint32_t delta = 0;
};
using frame = std::variant<data, syn_stream, syn_reply, headers, rst_stream, settings, ping, goaway, window_update>;

/// One control frame from what follows its 8-byte header. Errors: protocol_error that names the frame and the fault.
[[nodiscard]] result<frame> parse_control(std::uint16_t type, std::uint8_t flags, std::span<const std::byte> payload);

/// Finds frames in passing bytes without copying payload: DATA comes in parts as they arrive, however long the frame claims
/// to be; only a control frame or header that was cut is kept. After an error the connection is beyond repair.
class frame_scanner {
public:
    /// Takes a prefix off `input`; nothing when all of it was taken and no frame is complete.
    /// Errors: protocol_error, too_large.
    [[nodiscard]] result<std::optional<frame>> next(std::span<const std::byte>& input);
    /// Whether the bytes so far end between two frames.
    [[nodiscard]] bool at_boundary() const { return data_left_ == 0 && held_.empty(); }

private:
    result<std::optional<frame>> begin(std::span<const std::byte> head, std::span<const std::byte>& input);
    data part(std::span<const std::byte>& input);

    std::string held_;         ///< the start of a header or control frame that was cut
    bool spent_ = false;       ///< held_ was given out and goes at the next call
    std::uint32_t stream_ = 0; ///< of the DATA frame under way
    std::uint32_t data_left_ = 0;
    bool data_fin_ = false;
};

/// A whole frame by value, for those who are not in a hurry.
struct whole_frame {
    std::uint16_t type = 0; ///< 0: DATA
    std::uint8_t flags = 0;
    std::uint32_t stream = 0; ///< of DATA
    std::string payload;      ///< what follows the 8-byte header

    [[nodiscard]] bool is_data() const { return type == 0; }
    /// As the scanner would give it; spans point into `payload`. Errors as parse_control.
    [[nodiscard]] result<frame> parsed() const;
};

/// The scanner with a memory: feed bytes, take frames that are complete.
class frame_decoder {
public:
    void feed(std::span<const std::byte> bytes);
    /// The next whole frame, or nothing yet. Errors: protocol_error (version), too_large (control frames).
    [[nodiscard]] result<std::optional<whole_frame>> next();

private:
    std::string pending_;
    std::size_t used_ = 0;
};

/// Writes the 8-byte header of a DATA frame. `length` is at most most_length.
void put_data_header(std::byte* at, std::uint32_t stream, std::uint8_t flags, std::size_t length);

// Each appends one frame to `out`. Blocks come from header_compressor and must go out in the order they were compressed.
void append_data(std::string& out, std::uint32_t stream, std::uint8_t flags, std::span<const std::byte> payload);
void append_syn_stream(std::string& out, std::uint32_t stream, std::uint8_t flags, std::span<const std::byte> block,
                       std::uint8_t priority = 0, std::uint32_t associated = 0);
void append_syn_reply(std::string& out, std::uint32_t stream, std::uint8_t flags, std::span<const std::byte> block);
void append_headers(std::string& out, std::uint32_t stream, std::uint8_t flags, std::span<const std::byte> block);
void append_rst_stream(std::string& out, std::uint32_t stream, std::uint32_t status);
void append_ping(std::string& out, std::uint32_t id);
void append_goaway(std::string& out, std::uint32_t last_good, std::uint32_t status);
void append_window_update(std::string& out, std::uint32_t stream, std::uint32_t delta);

} // namespace fwd::portforward::spdy
