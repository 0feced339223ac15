// Notices that the files of a kubeconfig changed on disk, so that contexts follow what a person or login tool writes.
#pragma once

#include "daemon/kube/kubeconfig.hpp"

#include <optional>
#include <vector>

namespace fwd::kube {

/// Asked from time to time; costs a stat per file. `files` outlives it.
class kubeconfig_follower {
public:
    kubeconfig_follower(kubeconfig_sources sources, file_source& files);

    /// Reads now, whatever the stamps say; changed() compares with this moment from here on.
    [[nodiscard]] result<kubeconfig> load();
    /// The new configuration, or why it cannot be read, once after each change (replaced, edited, came, went); nothing otherwise.
    /// Contexts whose context_config is equal to before need no new session.
    [[nodiscard]] std::optional<result<kubeconfig>> changed();

private:
    [[nodiscard]] std::vector<std::optional<file_stamp>> stamps() const;
    kubeconfig_sources sources_;
    file_source& files_;
    std::vector<std::string> paths_;
    std::vector<std::optional<file_stamp>> seen_;
};

} // namespace fwd::kube
