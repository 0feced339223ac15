// Who may ask at all: Host and Origin on TCP, the token, the peer's user on the Unix socket. Pure.
#pragma once

#include "common/net/http_message.hpp"
#include "daemon/api/reply.hpp"
#include "daemon/api/token.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fwd::api {

/// How a request came in.
struct caller {
    bool unix_socket = false;
    std::optional<uid_t> user; ///< of a Unix socket's peer
    std::uint16_t port = 0;    ///< that was connected to
};

/// Nothing when the Unix socket's peer is `user` or root; else 403 forbidden_user.
[[nodiscard]] std::optional<reply> check_peer(const caller& from, uid_t user);
/// Nothing when Host is one of ours with our port, and Origin is absent or ours; else 403 forbidden_host or forbidden_origin.
/// A page in a browser reaches us under a foreign name (DNS rebinding) or says whose it is. Unix sockets pass.
[[nodiscard]] std::optional<reply> check_origin(const caller& from, const http_fields& fields, const std::vector<std::string>& host_names);
/// Nothing when the token is right or, on the Unix socket, not needed; else 401 unauthorized.
[[nodiscard]] std::optional<reply> check_token(const caller& from, const http_fields& fields, const token_file& token);

} // namespace fwd::api
