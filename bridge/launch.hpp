// Starting fwdd: in place of this process, or in the background, elevated where it must be.
#pragma once

#include "bridge/cli/screen.hpp"
#include "bridge/session.hpp"
#include "bridge/tied_daemon.hpp"

#include <string>
#include <variant>
#include <vector>

namespace fwd::bridge {

/// fwdd beside our own binary. Errors: not_found.
[[nodiscard]] result<std::string> fwdd_path();
/// Our own binary, as the kernel knows it.
[[nodiscard]] result<std::string> own_path();

/// Becomes fwdd with these arguments; returns only to say why it could not, as an exit code.
[[nodiscard]] int become_fwdd(const cli::screen& on, const std::vector<std::string>& arguments);

/// Whether fwdd with these arguments does without root.
[[nodiscard]] bool needs_no_root(const std::vector<std::string>& arguments);

/// Starts fwdd in the background and returns when its API answers, or with the end of its log when it ended instead. Without root it
/// calls itself again by sudo; the daemon takes the caller's environment from that.
[[nodiscard]] int start_in_background(session& with, const cli::screen& on, const std::vector<std::string>& arguments);

/// For fwd --tui: as start_in_background, with a daemon that ends with this process. `as_typed` is what sudo is told to run, after the
/// program's name. An exit code where it did not start; when it did, this process is the calling user for good.
[[nodiscard]] std::variant<tied_daemon, int> start_with_terminal(session& with, const cli::screen& on,
                                                                 const std::vector<std::string>& arguments,
                                                                 const std::vector<std::string>& as_typed);

} // namespace fwd::bridge
