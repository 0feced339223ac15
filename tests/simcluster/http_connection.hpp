// The server's side of HTTP/1.1 over readiness: whole requests in, answers and chunks out.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/net/data_stream.hpp"
#include "common/net/http_message.hpp"

#include <boost/json/fwd.hpp>

#include <memory>
#include <optional>
#include <string>

namespace fwd::simcluster {

struct http_connection {
    std::unique_ptr<data_stream> stream;
    std::string rest; ///< read, but of the next message

    /// The next request with its body; nothing when the client closed between two requests.
    awaitable<result<std::optional<http_request>>> receive();
    awaitable<result<void>> send(std::string text);
    awaitable<result<void>> answer(http_response response, bool head = false);
    awaitable<result<void>> answer_json(unsigned status, std::string body);
    /// One chunk of a chunked body; an empty one ends it.
    awaitable<result<void>> chunk(std::string_view bytes);
};

} // namespace fwd::simcluster
