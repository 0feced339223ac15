// Where the daemon is: looked up at every call, since it may have come, gone or moved.
#pragma once

#include "common/api/places.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fwd::bridge {

/// One way to reach a daemon.
struct daemon_address {
    std::string socket; ///< path of a Unix socket; empty: TCP
    std::string host;   ///< as the URL has it, without brackets
    std::uint16_t port = 0;
    std::string token;                      ///< empty: none known
    std::string from;                       ///< where this was found, for people
    [[nodiscard]] std::string text() const; ///< "unix:/run/fwd/1000/api.sock", "http://127.0.0.1:8080"
};

/// "http://127.0.0.1:8080", "unix:/path". Errors: invalid_request.
[[nodiscard]] result<daemon_address> parse_address(std::string_view url);

/// What the look-up depends on.
struct caller_facts {
    uid_t user = 0;
    std::string home;
    std::optional<place_facts> sudo_user; ///< who became root
    std::function<std::string(std::string_view)> variable;
    std::function<std::string(const std::string&)> read_file; ///< empty when there is none
    std::function<bool(const std::string&)> is_socket;
};

/// Of this process.
[[nodiscard]] caller_facts facts_of_caller();

/// Whose files to look at, best first: under sudo the user's, then one's own.
[[nodiscard]] std::vector<place_facts> places_of(const caller_facts& of);
/// Addresses to try, best first: FWD_API_URL alone when it is set; else sockets that exist, then recorded URLs.
/// Errors: invalid_request for a FWD_API_URL that is none.
[[nodiscard]] result<std::vector<daemon_address>> find_daemon(const caller_facts& of);
/// The paths that find_daemon looks at, for people.
[[nodiscard]] std::vector<std::string> searched_places(const caller_facts& of);
/// The token file, whether it exists or not.
[[nodiscard]] std::string token_file(const caller_facts& of);

} // namespace fwd::bridge
