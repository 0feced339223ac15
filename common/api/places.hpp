// Where the daemon leaves its files, and where its clients look for them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace fwd {

/// What a path depends on. `variable` gives an environment variable's value, empty when unset.
struct place_facts {
    uid_t user = 0;
    std::string home;
    std::function<std::string(std::string_view)> variable;
};

/// $XDG_STATE_HOME/fwd, else ~/.local/state/fwd; relative values are ignored, as the XDG specification asks.
[[nodiscard]] std::string state_folder(const place_facts& of);
/// $XDG_CONFIG_HOME/fwd/config.yaml, else ~/.config/fwd/config.yaml
[[nodiscard]] std::string config_file(const place_facts& of);
/// /run/fwd/UID
[[nodiscard]] std::string privileged_runtime_folder(uid_t user);
/// $XDG_RUNTIME_DIR/fwd, else the state folder.
[[nodiscard]] std::string unprivileged_runtime_folder(const place_facts& of);
/// Where a client looks for api.sock and api.json, best first.
[[nodiscard]] std::vector<std::string> runtime_folders(const place_facts& of);

// Names inside those folders.
inline constexpr std::string_view socket_name = "api.sock";     ///< runtime
inline constexpr std::string_view address_name = "api.json";    ///< runtime: {url, pid, version}
inline constexpr std::string_view token_name = "token";         ///< state
inline constexpr std::string_view lock_name = "daemon.lock";    ///< state: held by the running daemon, with its pid
inline constexpr std::string_view database_name = "fwd.sqlite"; ///< state
inline constexpr std::string_view daemon_log_name = "fwdd.log"; ///< state

} // namespace fwd
