// The engine as a whole: owns every part, starts them in order of need, tells what it does, and ends them.
#pragma once

#include "daemon/host/agent.hpp"
#include "daemon/options.hpp"

namespace fwd::daemon {

/// Becomes the user where root, runs until a signal or a request ends it. Returns the exit status: 0 after an orderly end, 1 when it
/// could not start. `agent.socket` is -1 without an agent.
int run(const options& asked, host::engine_handle agent);

} // namespace fwd::daemon
