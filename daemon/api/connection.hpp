// One connection of one client: requests in, answers out, within limits. Control thread.
#pragma once

#include "common/async/task_scope.hpp"
#include "common/net/byte_stream.hpp"
#include "daemon/api/router.hpp"

#include <memory>

namespace fwd::api {

/// What a connection shares with the server that accepted it.
struct connection_terms {
    api_context& with;
    const bool& stopping; ///< set: the present answer is the last
};

class connection {
public:
    connection(std::unique_ptr<data_stream> stream, caller from, connection_terms terms);

    /// Serves until the client is done, breaks a limit or is too slow, or the server stops.
    awaitable<void> serve();
    /// Whether a request is being read, answered or streamed.
    [[nodiscard]] bool busy() const { return busy_; }
    /// Makes a live stream look whether the server stops.
    void nudge() { wake_.set(); }

private:
    struct incoming {
        http_request message;
        bool keep_alive = true;
    };
    /// Nothing when the client is done. A problem is an answer that ends the connection.
    awaitable<result<std::optional<incoming>>> read_request();
    awaitable<result<std::size_t>> read_more(duration limit);
    awaitable<reply> answer(http_request message);
    /// Who asked for what change, and how it ended, goes into history.
    void note_request(const api_request& ask, const reply& made);
    /// False: nothing more can be sent.
    awaitable<bool> send(std::string text);
    awaitable<bool> respond(reply& made, bool head, bool keep_alive);
    awaitable<void> refuse(const error& why);
    /// Takes in what the client still sends, so that it reads our last answer instead of a reset.
    awaitable<void> linger();

    data_stream& raw_;
    std::unique_ptr<byte_stream> stream_;
    caller from_;
    connection_terms terms_;
    timing& clock_;
    const api_limits& limits_;
    std::string held_; ///< bytes that were read and not yet parsed
    bool first_ = true;
    bool busy_ = false;
    async_event wake_;
};

} // namespace fwd::api
