#include "daemon/kube/kubeconfig_follower.hpp"

namespace fwd::kube {

kubeconfig_follower::kubeconfig_follower(kubeconfig_sources sources, file_source& files)
    : sources_{std::move(sources)}, files_{files}, paths_{kubeconfig_files(sources_)}
{
}

std::vector<std::optional<file_stamp>> kubeconfig_follower::stamps() const
{
    std::vector<std::optional<file_stamp>> all;
    for (const auto& path : paths_) {
        const auto stamp = files_.stamp(path);
        all.push_back(stamp ? std::optional{*stamp} : std::nullopt);
    }
    return all;
}

result<kubeconfig> kubeconfig_follower::load()
{
    seen_ = stamps(); // before reading: a change in between is seen next time
    return kube::load(sources_, files_);
}

std::optional<result<kubeconfig>> kubeconfig_follower::changed()
{
    if (stamps() == seen_) return std::nullopt;
    return load();
}

} // namespace fwd::kube
