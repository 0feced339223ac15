// The loop that joins terminal, daemon, update and views.
#pragma once

#include "bridge/rest_client.hpp"
#include "bridge/tui/terminal.hpp"
#include "bridge/tui/theme.hpp"
#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "common/log.hpp"

#include <optional>

namespace fwd::tui {

struct ui_parts {
    terminal& on;
    bridge::rest_client rest;
    timing& clock;
    random_source& random;
    logger& log;
    theme looks;
    int utc_offset = 0;       ///< seconds
    bool owns_daemon = false; ///< this terminal started it, and it ends with it
};

enum class ending { quit, detached };

/// Runs until the user quits, a signal ends it or the terminal is gone. The terminal is still entered afterwards.
awaitable<ending> run_ui(ui_parts parts);

} // namespace fwd::tui
