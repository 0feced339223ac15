// What the command line asks to forward: asked for all at once, told as it turns out, and given up only where waiting cannot help.
#pragma once

#include "common/async/task_scope.hpp"
#include "daemon/catalog/cluster_view.hpp"
#include "daemon/catalog/commands.hpp"
#include "daemon/kube/kubeconfig.hpp"
#include "daemon/narration.hpp"
#include "daemon/options.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fwd::daemon {

/// One wish for each namespace of each context that is meant. Each stays though its cluster does not answer yet.
[[nodiscard]] std::vector<catalog::add_namespace> wishes_of(const options& asked, const kube::kubeconfig& config, const std::string& user);

/// References outlive it and its tasks.
class first_wishes {
public:
    struct parts {
        std::function<awaitable<catalog::answer<catalog::added_namespace>>(catalog::add_namespace)> add;
        /// Of a context and namespace.
        std::function<awaitable<catalog::answer<std::vector<catalog::cluster_service>>>(std::string, std::string)> services;
        const catalog::catalog& state;
        narration tell;
        timing& clock;
        task_scope& tasks;
    };
    first_wishes(parts use, std::vector<catalog::add_namespace> wishes);

    /// Ends when each wish is met, stays to be tried on, or was refused for good: an unknown namespace or service, a context that cannot
    /// be used as it is written. Errors: unavailable when all were refused, not_found when no service of those named is there.
    awaitable<result<void>> run();
    /// run() ends now.
    void stop();

private:
    awaitable<void> ask(catalog::add_namespace wish);
    void tell_logins();
    awaitable<result<void>> check_names();
    awaitable<std::string> unknown(std::string name);

    parts use_;
    std::vector<catalog::add_namespace> wishes_;
    std::size_t answered_ = 0, refused_ = 0, waiting_ = 0;
    std::set<std::string> found_; ///< names of services
    std::set<std::string> told_;  ///< what plugins say
    bool stopped_ = false;
    async_event news_;
};

} // namespace fwd::daemon
