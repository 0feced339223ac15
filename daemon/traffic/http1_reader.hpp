// One direction of an HTTP/1 connection, read for its heads alone (RFC 9112): a line is looked at, a body is counted and passed over.
// The same bytes give the same calls however they are cut. Holds at most one line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fwd::traffic {

/// What the fields of a message say of its body.
struct framing {
    std::optional<std::uint64_t> length;
    bool contradictory = false; ///< more than one length, or none that is a number
    bool coded = false;         ///< Transfer-Encoding is there
    bool chunked = false;       ///< and ends in chunked
};

/// What follows a head.
enum class body {
    none,
    counted, ///< as many bytes as `length` says
    chunked,
    until_end, ///< of the connection
    unknown,   ///< another protocol, or bytes that no rule covers: nothing more is read
};
/// RFC 9112, section 6.3, of a request.
[[nodiscard]] body request_body(const framing& said);
/// Of a response with a final status; `no_body` as to HEAD, and with 204 and 304.
[[nodiscard]] body response_body(const framing& said, bool no_body);

class http1_events {
public:
    virtual ~http1_events() = default;
    /// False: this is no such line.
    virtual bool on_start_line(std::string_view line) = 0;
    virtual void on_field(std::string_view name, std::string_view value) = 0;
    virtual body on_head(const framing& said) = 0;
    /// The message is complete; `size` bytes were its body, without framing.
    virtual void on_end(std::uint64_t size) = 0;
};

class http1_reader {
public:
    static constexpr std::size_t longest_line = 8 * 1024; ///< a longer start line is none; a longer field is passed over
    static constexpr std::size_t longest_head = 256 * 1024;

    explicit http1_reader(http1_events& to) : to_{to} {}

    /// Uses up `bytes`. False: they are not HTTP, or what is left of them is another protocol's. Not to be called again then.
    bool feed(std::string_view& bytes);
    /// The whole of the next `count` bytes, where they are known to lie inside a body: they need not be shown.
    bool skip(std::size_t count)
    {
        if (state_ == state::until_end) {
            size_ += count;
            return true;
        }
        if (state_ != state::data || left_ <= count) return false;
        left_ -= count;
        size_ += count;
        return true;
    }
    /// The connection ended in this direction: a body that goes until then is complete.
    void end();

    /// Of the body under way, so far.
    [[nodiscard]] std::uint64_t size() const { return size_; }

private:
    enum class state { start, fields, data, chunk_size, chunk_end, trailers, until_end };

    std::optional<std::string_view> take_line(std::string_view& bytes);
    bool on_line(std::string_view line);
    bool begin_body();
    bool begin_chunk(std::string_view line);
    void read_field(std::string_view line);
    void read_length(std::string_view value);
    void pass_data(std::string_view& bytes);
    void complete();

    http1_events& to_;
    state state_ = state::start;
    framing said_;
    bool in_chunks_ = false;
    std::uint64_t left_ = 0; ///< of the data or chunk
    std::uint64_t size_ = 0;
    std::size_t head_ = 0; ///< bytes of the head so far
    std::string line_;     ///< begun in an earlier piece
    bool too_long_ = false;
};

} // namespace fwd::traffic
