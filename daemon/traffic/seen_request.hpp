// One HTTP request with its answer, as the passing bytes told it. Of the bytes only what is here is kept: no query, no field but Host,
// no content.
#pragma once

#include "common/async/timing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fwd::traffic {

enum class http_protocol { http_1_0, http_1_1, http_2, grpc };
/// "HTTP/1.1", "gRPC".
[[nodiscard]] constexpr std::string_view name_of(http_protocol protocol)
{
    switch (protocol) {
    case http_protocol::http_1_0: return "HTTP/1.0";
    case http_protocol::http_1_1: return "HTTP/1.1";
    case http_protocol::http_2: return "HTTP/2";
    case http_protocol::grpc: return "gRPC";
    }
    return "HTTP";
}

/// Who left before the answer was complete.
enum class cut_by {
    nobody, ///< it is complete
    client,
    pod,    ///< or what lies between us and it
    daemon, ///< the forward was removed or connected anew
};
[[nodiscard]] constexpr std::string_view name_of(cut_by who)
{
    switch (who) {
    case cut_by::nobody: return "";
    case cut_by::client: return "client";
    case cut_by::pod: return "pod";
    case cut_by::daemon: return "daemon";
    }
    return "";
}

struct seen_request {
    wall_time at; ///< its first byte
    std::string method;
    std::string path;                                    ///< see words_of_target
    std::string host;                                    ///< with the port, as the client said it; empty: it did not
    int status = 0;                                      ///< 0: no answer
    duration took{};                                     ///< from its first byte to the last one of the answer
    std::uint64_t request_bytes = 0, response_bytes = 0; ///< of the bodies, without framing
    http_protocol protocol = http_protocol::http_1_1;
    std::optional<int> grpc_status;
    std::string pod;
    cut_by cut = cut_by::nobody;
};

} // namespace fwd::traffic
