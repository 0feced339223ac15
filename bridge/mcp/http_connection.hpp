// The bytes of one HTTP client: requests in, answers and streams out. Private to the HTTP server.
#pragma once

#include "bridge/mcp/http_exchange.hpp"
#include "bridge/mcp/http_server.hpp"
#include "common/net/byte_stream.hpp"

namespace fwd::mcp {

class http_connection {
public:
    http_connection(std::unique_ptr<byte_stream> stream, timing& clock, const http_settings& settings)
        : stream_{std::move(stream)}, clock_{clock}, settings_{settings}
    {
    }

    struct incoming {
        http_request request;
        bool keep_alive = false;
    };
    /// Reads for as long as the connection lives, so that its end is noticed while an answer is awaited.
    awaitable<void> read();
    /// The next request; nothing when there is none; an answer where it is malformed, too large or too slow.
    awaitable<std::variant<std::monostate, incoming, http_response>> next();
    awaitable<bool> send(http_response response, bool keep_alive, bool head = false);
    /// Sends what is said in `exchange` until it is over. `status` gives that of a JSON answer. False: the client is gone.
    awaitable<bool> serve(std::shared_ptr<http_exchange> exchange, http_fields fields, unsigned (*status)(const json::object&),
                          bool keep_alive);
    void close() { stream_->close(); }
    /// Takes what the client still sends, for a moment, so that it sees a refusal instead of a reset.
    awaitable<void> linger();
    [[nodiscard]] async_event& wake() { return wake_; }
    [[nodiscard]] bool gone() const { return ended_; }

private:
    awaitable<bool> write(std::string text);
    awaitable<bool> write_chunk(std::string text);
    /// False when nothing happened until then.
    awaitable<bool> wait_until(time_point when);
    awaitable<result<bool>> woken();

    std::unique_ptr<byte_stream> stream_;
    timing& clock_;
    const http_settings& settings_;
    std::string held_; ///< read and not yet understood
    bool ended_ = false;
    async_event wake_; ///< bytes, the end, or something to send
    async_event room_; ///< bytes were taken out of held_
};

} // namespace fwd::mcp
