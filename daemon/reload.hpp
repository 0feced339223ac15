// Files of the user that are read after the start of the program, and again while it runs: the configuration and the kubeconfig.
#pragma once

#include "common/async/timing.hpp"
#include "common/log.hpp"
#include "daemon/kube/kubeconfig_follower.hpp"
#include "daemon/options.hpp"

#include <functional>
#include <string>
#include <vector>

namespace fwd::daemon {

/// The command line together with the user's configuration file and the reservations of --fwd-conf. To be called as the user. A file that
/// is not there says nothing; one that is wrong is told with line and key, and status 1.
[[nodiscard]] parsed with_user_files(const options& given, const kube::environment& variables, kube::file_source& files);

/// Where the kubeconfig is to be found.
[[nodiscard]] kube::kubeconfig_sources kubeconfig_of(const options& asked, const kube::environment& variables);

/// Takes up what changed in these files: the kubeconfig within two seconds and on HUP, the configuration on HUP.
class reloader {
public:
    struct parts {
        kube::environment variables;
        kube::file_source& files;
        timing& clock;
        logger& log;
        std::function<std::vector<std::string>(kube::kubeconfig)> use_kubeconfig; ///< returns what is different
        std::function<void(const options&)> use_options;                          ///< the part that may change while it runs
    };
    reloader(parts use, options asked);

    /// HUP: both are read now.
    void now();
    /// Follows the kubeconfig until cancelled; a stat per file every two seconds.
    awaitable<void> run();

private:
    void take(const result<kube::kubeconfig>& next);
    void read_configuration();

    parts use_;
    options asked_;
    kube::kubeconfig_follower follower_;
};

} // namespace fwd::daemon
