// One HTTP/1.1 exchange over a byte_stream, whole or with a body that is read as it comes.
#pragma once

#include "common/net/byte_stream.hpp"
#include "common/net/http_message.hpp"

namespace fwd {

/// Whether the stream may carry another exchange.
struct http_exchange {
    http_response response;
    bool reusable = false;
};

/// Sends and reads the whole answer, 1xx skipped (101 is returned as it is, see http_upgrade for the bytes behind it).
awaitable<result<http_exchange>> exchange(byte_stream& over, const http_request& request, http_limits limits = {});

/// An answer whose body is read piece by piece: watches, logs, event streams.
class http_body_reader {
public:
    explicit http_body_reader(byte_stream& over, http_limits limits = {});
    ~http_body_reader();
    /// Sends and waits for the header. The answer's body is empty.
    awaitable<result<http_response>> open(const http_request& request);
    /// The next piece; empty at the end of the body.
    awaitable<result<std::string>> next();
    [[nodiscard]] bool reusable() const; ///< after the end

private:
    byte_stream& over_;
    http_limits limits_;
    http_parser parser_;
    std::string pending_;
    std::size_t used_ = 0;
};

/// The answer to an upgrade or CONNECT request, and what came behind its header. A refusal has its body (up to 64 KiB).
struct http_upgrade {
    http_response response;
    std::string rest;
};
awaitable<result<http_upgrade>> upgrade(byte_stream& over, const http_request& request);

} // namespace fwd
