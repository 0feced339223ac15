// The agent: the parent process, the only code that stays root. It serves one engine over a closed set of commands and undoes
// everything when the engine is gone.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>

namespace fwd::host {

/// Given to the engine in its own process, still root. `socket` is for connect_agent.
struct engine_handle {
    int socket = -1;
    pid_t agent = 0;
};

/// Where the agent works; tests move it.
struct serve_options {
    std::string hosts_path = "/etc/hosts";
    std::string run_root = "/run/fwd";
};

/// Forks at once; the child runs `engine_main` and exits with what it returns. The parent serves it, passes TERM, INT and HUP on,
/// and when the child has ended or closed its socket undoes every change. Returns the exit status for this process:
/// the engine's, or 128 + signal when a signal ended it, 1 when the agent could not start.
/// Must be called while the process has one thread.
int serve(const serve_options& options, const std::function<int(engine_handle)>& engine_main);

/// Removes what dead daemons left: hosts blocks, aliases, saved files. For `fwdd --cleanup`, as root. Returns the exit status;
/// says what it did through `say`.
int cleanup(const serve_options& options, const std::function<void(const std::string&)>& say);

} // namespace fwd::host
