// The verb tui: the terminal interface on this process's terminal.
#pragma once

#include "bridge/cli/screen.hpp"
#include "bridge/session.hpp"
#include "bridge/tied_daemon.hpp"

#include <string>

namespace fwd::bridge {

struct tui_options {
    std::string theme; ///< dark, light, 16, mono; empty: what suits the terminal
    bool ascii = false, no_mouse = false;
};

/// Until the user leaves. With `daemon`, that one ends with the interface unless it was detached. Returns the exit code.
[[nodiscard]] int run_tui(session& with, const cli::screen& on, const tui_options& how, tied_daemon* daemon = nullptr);

} // namespace fwd::bridge
