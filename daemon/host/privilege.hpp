// Who the engine is: drop from root to the invoking user, once, in the child; recover the caller's environment; raise descriptor limits.
#pragma once

#include "common/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace fwd::host {

struct identity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name; ///< the login name, or the number where passwd knows none
    std::string home;
    std::string shell;
    std::string why; ///< "SUDO_UID", "--run-as", "owner of /home/u/.kube/config"
};

struct drop_options {
    std::string run_as;     ///< --run-as USER, by name or number; refused under sudo
    std::string kubeconfig; ///< as given on the command line, else empty: KUBECONFIG, then ~/.kube/config decide
    pid_t agent = 0;        ///< engine_handle::agent; the engine gets SIGTERM when it dies
};

struct dropped {
    identity user;
    bool still_root = false;            ///< nobody to drop to: say so once
    bool environment_recovered = false; ///< sudo without -E: the caller's variables were taken from the sudo process
    std::vector<std::string> notes;     ///< for a person
};

/// The user to become. Reads the environment, passwd and the kubeconfig's owner; changes nothing.
[[nodiscard]] result<identity> find_user(const drop_options& options);

/// Becomes that user for good: groups, gid, uid, capabilities, HOME, USER, XDG_* and the caller's environment; non-dumpable; SIGTERM on
/// the agent's death. To be called first in engine_main, with one thread. Errors: errc::invalid_request (--run-as under sudo),
/// errc::not_found (unknown user), the kernel's.
[[nodiscard]] result<dropped> drop_to_user(const drop_options& options);

struct descriptor_limit {
    rlimit original{}; ///< for plugins
    rlimit now{};
};
/// Raises NOFILE as far as allowed. Never fails: what could not be raised stays. Call before the drop: root may raise the hard limit.
descriptor_limit raise_descriptor_limit(rlim_t wanted = 1048576);

/// NUL separated NAME=VALUE pairs as in /proc/PID/environ.
[[nodiscard]] std::map<std::string, std::string> parse_environ(std::string_view block);
/// What of the caller's environment (sudo's) is to be set in ours: what ours lacks or sudo reset (PATH and the like), never what sudo set
/// itself (SUDO_*, USER, LOGNAME ...) nor what would load code into us (LD_*).
[[nodiscard]] std::map<std::string, std::string> recover_environment(const std::map<std::string, std::string>& callers,
                                                                     const std::map<std::string, std::string>& ours);

} // namespace fwd::host
