// The client verbs: what each takes, and the coroutine that does it and gives the exit code.
#pragma once

#include "bridge/cli/screen.hpp"
#include "bridge/rest_client.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fwd {
class logger;
}

namespace fwd::cli {

/// What every verb works with; outlives it.
struct desk {
    const bridge::rest_client& rest;
    timing& clock;
    logger& log;
    const screen& on;
    format as = format::table;
    /// Whether this process is a daemon of ours that still runs.
    std::function<bool(std::int64_t)> runs = [](std::int64_t) { return false; };
};

struct list_arguments {
    std::string search, name_space, context, status;
};
struct add_arguments {
    std::vector<std::string> words; ///< SVC or NS/
    std::string name_space, context, selector;
    std::vector<wire::wanted_port> ports;
    std::vector<std::string> services, exclude; ///< patterns, of a namespace
    std::string wait = "ready";                 ///< ready, reachable, none
    duration timeout = 60s;
    bool yes = false; ///< also in a protected context
};
struct remove_arguments {
    std::vector<std::string> words; ///< SVC or NS/
    std::string name_space, context;
    bool mine = false, all = false;
};

awaitable<int> list(desk at, list_arguments what);
awaitable<int> add(desk at, add_arguments what);
awaitable<int> remove(desk at, remove_arguments what);
awaitable<int> status(desk at);
awaitable<int> stop(desk at, bool force);
/// Prints the path of the socket of the running daemon.
awaitable<int> socket_path(desk at);
awaitable<int> rotate_token(desk at);
/// Prints the token in `file`, without asking the daemon.
[[nodiscard]] int show_token(const screen& on, format as, const std::string& file, const std::string& content);

/// Says why what was followed has ended: the daemon is not there any more (not_running), or `otherwise` (done).
awaitable<int> tell_end(desk at, std::string otherwise);

/// "8080" or "http:18080". Errors: invalid_request.
[[nodiscard]] result<wire::wanted_port> parse_port(std::string_view text);

/// The real answer to desk::runs, from /proc; where that does not tell, no.
[[nodiscard]] bool is_running_daemon(std::int64_t process);

/// "name web is held by web.shop.kind", from the side of the service that it is about.
[[nodiscard]] std::string conflict_text(const wire::service& of, const wire::conflict& about);

/// The table of services that ls shows.
[[nodiscard]] std::string services_table(const std::vector<wire::service>& services, bool wide, const screen& on);

} // namespace fwd::cli
