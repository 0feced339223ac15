// The lists that a cluster follows. Inside of cluster alone.
#pragma once

#include "daemon/forward/cluster.hpp"
#include "daemon/forward/followed.hpp"
#include "daemon/forward/label_index.hpp"

namespace fwd::forward {

struct cluster::services_watch {
    label_index selecting; ///< services by the first pair of their selectors
    std::unique_ptr<followed<kube::service>> list;
};
struct cluster::pods_watch {
    label_index labelled; ///< pods by each of their labels
    std::unique_ptr<followed<kube::pod>> list;
    bool doubted = false; ///< a pod that it has is said to be gone, or was lately
};
struct cluster::slices_watch {
    std::unique_ptr<followed<kube::endpoint_slice>> list;
};
struct cluster::namespaces_watch {
    std::unique_ptr<followed<kube::namespace_object>> list;
};

/// It is cancelled, and destroyed when its task has surely ended.
template <class T>
void cluster::retire(T watched)
{
    watched->list->cancel();
    retired_.push_back(std::shared_ptr<void>{std::move(watched)});
}

} // namespace fwd::forward
