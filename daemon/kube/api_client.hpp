// Authenticated requests to one API server: HTTP/1.1 over a small pool of kept connections. Control thread.
#pragma once

#include "common/async/timing.hpp"
#include "common/net/http_message.hpp"
#include "daemon/kube/access.hpp"
#include "daemon/kube/credentials.hpp"
#include "daemon/kube/surroundings.hpp"

#include <boost/json/fwd.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fwd::kube {

struct api_limits {
    duration answer = 30s;    ///< for a whole answer, or for the header of a stream
    duration idle = 60s;      ///< a kept connection older than this is not used again
    std::size_t kept = 4;     ///< idle connections
    std::size_t at_once = 16; ///< requests under way; more wait. Streams are not counted
    std::uint64_t body = 512ull * 1024 * 1024;
    unsigned tries = 4;                 ///< of one request over 429, 5xx with Retry-After, and connections that break before an answer
    duration longest_retry_after = 20s; ///< a longer one is the caller's to wait
    std::size_t parse_here = 64 * 1024; ///< larger bodies are parsed on the side thread
};

/// What is asked. `verb` and `resource` are for messages and counting; the method says what goes over the wire.
struct api_request {
    std::string path;                                       ///< "/api/v1/namespaces/shop/pods", without the server's prefix
    std::vector<std::pair<std::string, std::string>> query; ///< not yet encoded
    std::string method = "GET";
    std::string body; ///< JSON
    std::string accept = "application/json";
    bool safe = false; ///< changes nothing, so that it may be sent again though it is no GET
    std::string what;  ///< "list pods in shop"; empty: method and path
    /// Path and query as sent, `prefix` first.
    [[nodiscard]] std::string target(std::string_view prefix) const;
};

/// A refusal or failure with what a watch needs to know of it.
struct api_failure {
    error why;
    unsigned status = 0; ///< of HTTP or of the Status object; 0: no answer came
    std::string reason;  ///< Kubernetes' word: "Forbidden", "Expired", ...
    std::optional<duration> retry_after;
    bool too_large_version = false; ///< the server has not yet reached the resource version asked for
};
[[noreturn]] void throw_exception_from_error(const api_failure& e, const boost::source_location& where);
template <class T>
using api_result = boost::system::result<T, api_failure>;

/// The failure that an answer stands for, from its Status object or from its bare code and text. `what` is the context.
[[nodiscard]] api_failure failure_of(unsigned status, std::string_view body, std::string_view retry_after, std::string_view what);
/// For a 403: the RBAC rule that would grant it, as a person could apply it. Empty when the message does not say what was asked.
[[nodiscard]] std::string granting_rule(std::string_view forbidden_message);

/// An answer whose body is read as it comes: watches, log follows. Owns its connection.
class api_stream {
public:
    virtual ~api_stream() = default;
    /// The next bytes; empty at the end. Cancellation closes the connection.
    virtual awaitable<result<std::string>> next() = 0;
};

class api_client {
public:
    virtual ~api_client() = default;
    /// A 2xx answer, or why not. 401 renews the credentials and tries once more; 429 and Retry-After are honoured.
    virtual awaitable<api_result<http_response>> send(api_request request) = 0;
    /// The same, parsed; large bodies on the side thread.
    virtual awaitable<api_result<boost::json::value>> get_json(api_request request) = 0;
    /// The same, but the body goes through `read` (on the side thread when large), so that no JSON tree outlives it.
    virtual awaitable<api_result<std::shared_ptr<void>>>
    get_parsed(api_request request, std::function<result<std::shared_ptr<void>>(std::string_view)> read) = 0;
    /// The header has come and says 2xx.
    virtual awaitable<api_result<std::unique_ptr<api_stream>>> open(api_request request) = 0;
    /// Closes kept connections: new credentials, wake-up from suspend, network change.
    virtual void drop_connections() = 0;
    /// Requests sent so far, by method and resource ("GET pods", "WATCH services"). They only grow.
    [[nodiscard]] virtual const std::map<std::string, std::uint64_t>& requests() const = 0;
    [[nodiscard]] virtual std::string server() const = 0;
};

/// References outlive the client.
[[nodiscard]] std::unique_ptr<api_client> make_api_client(const surroundings& around, credential_source& credentials,
                                                          api_limits limits = {});

} // namespace fwd::kube
