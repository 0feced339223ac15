// HTTP/1.1 messages: values, their text, and a parser that is fed by hand (Beast's, kept inside the .cpp). RFC 9112.
#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fwd {

/// Fields in order; names compare without case.
class http_fields {
public:
    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    void set(std::string_view name, std::string value);
    /// The first value, or an empty view.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    /// Whether a comma separated field contains `token` (no case), as Connection and Upgrade do.
    [[nodiscard]] bool lists(std::string_view name, std::string_view token) const;
    [[nodiscard]] auto begin() const { return fields_.begin(); }
    [[nodiscard]] auto end() const { return fields_.end(); }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

struct http_request {
    std::string method = "GET";
    std::string target = "/";
    http_fields fields;
    std::string body;
};

struct http_response {
    unsigned status = 200;
    std::string reason;
    http_fields fields;
    std::string body;
};

/// Wire text. Content-Length is added where a body or method asks for one and neither it nor Transfer-Encoding is set.
[[nodiscard]] std::string wire_text(const http_request& request);
[[nodiscard]] std::string wire_text(const http_response& response);
/// Header only, body to follow (streams, HEAD answers): no Content-Length is added.
[[nodiscard]] std::string wire_header(const http_response& response);
[[nodiscard]] std::string_view status_text(unsigned status);

struct http_limits {
    std::size_t header = 32 * 1024;
    std::uint64_t body = 64ull * 1024 * 1024; ///< of whole messages; streamed bodies are bounded by their reader
};

/// Parses one message. Feed bytes; take header when there, body pieces as they come, until done.
class http_parser {
public:
    enum class role { request, response };
    /// `head`: the response to a HEAD request, which has no body whatever its header says.
    http_parser(role side, http_limits limits, bool head = false);
    ~http_parser();
    http_parser(http_parser&&) noexcept;
    http_parser& operator=(http_parser&&) noexcept;

    /// Consumes a prefix of `bytes` and says how much; stops after the header and after the message's end.
    /// Errors: protocol_error, too_large (what() tells "header" or "body").
    [[nodiscard]] result<std::size_t> feed(std::span<const std::byte> bytes);
    /// The peer closed: ends a body that is delimited by close; otherwise an error.
    [[nodiscard]] result<void> feed_end();

    [[nodiscard]] bool header_done() const;
    [[nodiscard]] bool done() const;
    [[nodiscard]] bool keep_alive() const; ///< valid after header_done
    [[nodiscard]] bool upgraded() const;   ///< a 101, or CONNECT's 200 by the caller's word: bytes after the header are not HTTP
    [[nodiscard]] bool started() const;    ///< any byte was consumed

    [[nodiscard]] const http_request& request() const;   ///< role::request, after header_done; body empty
    [[nodiscard]] const http_response& response() const; ///< role::response, after header_done; body empty
    /// Body bytes since the last call.
    [[nodiscard]] std::string take_body();

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// "/a/b?x=1" to path segments (split before percent-decoding) and query parameters, decoded.
struct http_target {
    std::string path; ///< as sent, without query
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, std::string>> query;
    [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};
/// Errors: invalid_request for bad percent escapes.
[[nodiscard]] result<http_target> parse_target(std::string_view target);

} // namespace fwd
