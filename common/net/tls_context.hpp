// What TLS streams of one SSL_CTX share: trust, sessions to resume, and buffers. Private to the tls_* files.
#pragma once

#include "common/net/tls.hpp"

#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <openssl/ssl.h>
#include <span>

namespace fwd::tls {

template <auto release>
struct deleter {
    template <class T>
    void operator()(T* it) const
    {
        release(it);
    }
};
using ctx_ptr = std::unique_ptr<SSL_CTX, deleter<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, deleter<SSL_free>>;
using session_ptr = std::unique_ptr<SSL_SESSION, deleter<SSL_SESSION_free>>;

/// What OpenSSL's callbacks find behind SSL_get_app_data.
struct connection_notes {
    std::string name;    ///< whom the client asked for
    std::string problem; ///< why the peer's certificate was refused, in a person's words
};

/// Bytes waiting to be sent: appended behind, sent from the front.
class send_buffer {
public:
    [[nodiscard]] std::span<const std::byte> bytes() const { return {room_.get() + head_, tail_ - head_}; }
    [[nodiscard]] std::size_t size() const { return tail_ - head_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    void append(const void* from, std::size_t count)
    {
        if (capacity_ - tail_ < count) make_room(count);
        std::memcpy(room_.get() + tail_, from, count);
        tail_ += count;
    }
    void consume(std::size_t count)
    {
        head_ += count;
        if (head_ == tail_) head_ = tail_ = 0;
    }
    void clear() { head_ = tail_ = 0; }

private:
    void make_room(std::size_t count);
    std::unique_ptr<std::byte[]> room_;
    std::size_t capacity_ = 0, head_ = 0, tail_ = 0;
};

constexpr std::size_t record_size = 16 * 1024;

class context final : public tls_context {
public:
    /// `alpn` is what a server offers, in wire form.
    context(ctx_ptr ctx, std::string alpn) : ctx_{std::move(ctx)}, alpn_{std::move(alpn)} { SSL_CTX_set_app_data(ctx_.get(), this); }

    [[nodiscard]] SSL_CTX* handle() const { return ctx_.get(); }
    [[nodiscard]] std::string* alpn() { return &alpn_; }

    /// A session for `name`, used once (RFC 8446 C.4), or nullptr.
    [[nodiscard]] session_ptr take_session(const std::string& name);
    void keep_session(const std::string& name, session_ptr session);

    /// A buffer that another stream gave back, or a new one: idle streams own none.
    [[nodiscard]] send_buffer borrow();
    void give_back(send_buffer buffer);
    /// Where small pieces are put together to one record, within one call.
    [[nodiscard]] std::byte* record_scratch() { return scratch_.data(); }

private:
    ctx_ptr ctx_;
    std::string alpn_;
    std::map<std::string, std::deque<session_ptr>> sessions_;
    std::vector<send_buffer> spare_;
    std::array<std::byte, record_size> scratch_;
};

/// The reason that OpenSSL queued last, in words.
[[nodiscard]] std::string queued_reason();

} // namespace fwd::tls
