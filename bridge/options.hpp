// The command line to one struct. The only file of the bridge with CLI11.
#pragma once

#include "bridge/cli/verbs.hpp"

#include <string>
#include <variant>
#include <vector>

namespace fwd::bridge {

enum class verb { overview, daemon, start, mcp, list, add, remove, status, stop, token, socket, cleanup };

struct options {
    verb what = verb::overview;
    cli::format as = cli::format::table;
    cli::list_arguments list;
    cli::add_arguments add;
    cli::remove_arguments remove;
    bool force = false;                ///< of stop
    bool rotate = false;               ///< of token
    std::vector<std::string> for_fwdd; ///< of daemon, start and cleanup: passed on as they are
};

/// Help, version, or what is wrong with the line.
struct early_end {
    int code = 0;
    std::string out, err;
};

/// `arguments` without the program's name. Words that belong to the daemon (svc and its other spellings, or flags before any verb)
/// are not looked at further: fwdd parses them.
[[nodiscard]] std::variant<options, early_end> parse_options(std::vector<std::string> arguments);

/// The one page of fwd --help.
[[nodiscard]] std::string_view help_page();

} // namespace fwd::bridge
