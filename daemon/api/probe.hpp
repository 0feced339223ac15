// A word of greeting for each protocol, and what the answer says. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fwd::api {

struct greeting {
    std::string send;           ///< empty: the server speaks first
    std::string_view name = {}; ///< "PostgreSQL SSLRequest"
};

/// How a port of that kind is greeted; nothing for kinds that have no harmless greeting: then bytes, silence or an end are all there is.
[[nodiscard]] std::optional<greeting> greeting_for(std::string_view kind);

struct heard {
    bool enough = false; ///< more bytes would change nothing
    bool fits = false;   ///< it is what that protocol answers
    std::string detail;  ///< "PostgreSQL, without TLS"
};
/// Judges what came so far.
[[nodiscard]] heard judge(std::string_view kind, std::string_view bytes);

/// The first bytes for a person: text as it is, others in hexadecimal.
[[nodiscard]] std::string first_bytes(std::string_view bytes);

} // namespace fwd::api
