// The command line to one struct. The only file of the bridge with CLI11.
#pragma once

#include "bridge/cli/ask.hpp"
#include "bridge/cli/grammar.hpp"
#include "bridge/cli/past.hpp"
#include "bridge/cli/primary.hpp"
#include "bridge/cli/verbs.hpp"
#include "bridge/run_tui.hpp"

#include <string>
#include <variant>
#include <vector>

namespace fwd::bridge {

enum class verb {
    overview,
    daemon,
    start,
    mcp,
    list,
    add,
    remove,
    use,
    status,
    stop,
    token,
    socket,
    cleanup,
    tui,
    daemon_with_tui,
    get,
    contexts,
    find,
    env,
    check,
    wait,
    reconnect,
    logs,
    traffic,
    doctor,
    completion,
    complete,
    explain,
    events,
    daemon_log
};

struct options {
    verb what = verb::overview;
    cli::format as = cli::format::table;
    cli::colouring colour = cli::colouring::automatic;
    cli::list_arguments list;
    cli::add_arguments add;
    cli::remove_arguments remove;
    cli::use_arguments use;
    cli::service_arguments get;
    cli::find_arguments find;
    cli::env_arguments env;
    cli::check_arguments check;
    cli::wait_arguments wait;
    cli::reconnect_arguments reconnect;
    cli::log_arguments logs;
    cli::traffic_arguments traffic;
    cli::explain_arguments explain;
    cli::event_arguments events;
    cli::daemon_log_arguments daemon_log;
    std::uint16_t port = 0;        ///< of doctor; 0: none in particular
    std::string shell;             ///< of completion
    std::vector<std::string> line; ///< of complete: the words typed so far
    bool force = false;            ///< of stop
    bool rotate = false;           ///< of token
    tui_options tui;
    std::vector<std::string> for_fwdd; ///< of daemon, start and cleanup: passed on as they are
    std::vector<std::string> as_typed; ///< of daemon_with_tui: the whole line
};

/// Help, version, or what is wrong with the line.
struct early_end {
    int code = 0;
    std::string out, err;
};

/// `arguments` without the program's name. Words that belong to the daemon (svc and its other spellings, or flags before any verb)
/// are not looked at further: fwdd parses them.
[[nodiscard]] std::variant<options, early_end> parse_options(std::vector<std::string> arguments);

/// Every verb with what may follow it, by name; of those that others parse, what the help page shows.
[[nodiscard]] cli::grammar known_words();

/// The one page of fwd --help.
[[nodiscard]] std::string_view help_page();

} // namespace fwd::bridge
