// One direction of an HTTP/2 connection, read for its header blocks alone (RFC 9113): the content of other frames is counted and passed
// over. The same bytes give the same calls however they are cut. HPACK is nghttp2's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

struct nghttp2_hd_inflater;

namespace fwd::traffic {

/// What a client says first.
inline constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class http2_events {
public:
    virtual ~http2_events() = default;
    /// The fields of a stream follow: of its head, or of its trailers.
    virtual void on_head(std::uint32_t stream) = 0;
    virtual void on_field(std::string_view name, std::string_view value) = 0;
    virtual void on_head_end() = 0;
    /// Of a whole DATA frame, without padding.
    virtual void on_data(std::uint32_t stream, std::uint64_t size) = 0;
    /// Nothing more comes on the stream in this direction.
    virtual void on_end(std::uint32_t stream) = 0;
    virtual void on_reset(std::uint32_t stream) = 0;
};

class http2_reader {
public:
    enum class side { client, server };
    static constexpr std::size_t largest_table = 64 * 1024; ///< of HPACK; who wants more is not followed
    static constexpr std::size_t longest_head = 256 * 1024; ///< of one header block, unpacked

    http2_reader(http2_events& to, side whose);

    /// False: these bytes are not HTTP/2, or more than we follow. Not to be called again then.
    bool feed(std::string_view bytes);
    /// The whole of the next `count` bytes, where they are known to lie inside a frame that is passed over: they need not be shown.
    bool skip(std::size_t count)
    {
        if (state_ != state::payload || left_ <= count) return false;
        left_ -= static_cast<std::uint32_t>(count);
        return true;
    }

private:
    enum class state { preface, frame_head, prefix, block, payload };
    struct unpacker_end {
        void operator()(nghttp2_hd_inflater* one) const;
    };

    bool gather(std::string_view& bytes, std::size_t count);
    bool read_preface(std::string_view& bytes);
    bool begin_frame();
    [[nodiscard]] std::uint32_t prefix_length() const;
    bool end_prefix();
    bool unpack(std::string_view part, bool last);
    bool read_block(std::string_view& bytes);
    bool end_frame();
    [[nodiscard]] std::uint32_t number_at(std::size_t at, std::size_t length) const;
    [[nodiscard]] bool has(std::uint8_t flag) const { return (flags_ & flag) != 0; }

    http2_events& to_;
    std::unique_ptr<nghttp2_hd_inflater, unpacker_end> unpacker_;
    state state_;
    std::array<std::uint8_t, 9> held_{}; ///< a frame's head, or what comes before its content
    std::size_t gathered_ = 0;
    std::uint8_t type_ = 0, flags_ = 0;
    std::uint32_t stream_ = 0;
    std::uint32_t left_ = 0;    ///< of the frame's content
    std::uint32_t padding_ = 0; ///< of that
    std::uint64_t data_ = 0;    ///< of a DATA frame
    bool first_ = true;         ///< no frame was seen yet
    bool in_head_ = false;      ///< CONTINUATION must follow
    bool pushed_ = false;       ///< its fields are of a stream that the server opens
    bool ends_ = false;         ///< the head ends its stream
    std::size_t head_ = 0;      ///< bytes of the fields so far
};

} // namespace fwd::traffic
