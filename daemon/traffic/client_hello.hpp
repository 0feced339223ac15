// The server name in a TLS client's first message (RFC 8446, section 4.1.2; RFC 6066, section 3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fwd::traffic {

/// Of the first message; a longer one counts as none.
inline constexpr std::size_t longest_hello = 4 * 1024;

struct client_hello {
    enum class found {
        more, ///< bytes are missing
        no,   ///< this is no TLS
        yes,
    };
    found what = found::more;
    std::string server_name; ///< empty: the client said none
};
/// From the first bytes of a connection. A message over several records is read as far as its first one.
[[nodiscard]] client_hello read_client_hello(std::string_view bytes);

} // namespace fwd::traffic
