// The default content: a small shop, with the services and ports of the shop of the real cluster; or many services in bulk.
#pragma once

#include "tests/simcluster/object_store.hpp"

namespace fwd::simcluster {

/// Namespaces shop and staging, and what every cluster has.
void fill_with_shop(object_store& store);
/// One namespace `bulk` with HTTP services svc-0000 and on, one pod each.
void fill_with_bulk(object_store& store, std::size_t services);

} // namespace fwd::simcluster
