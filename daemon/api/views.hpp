// What the catalog holds, as the structs of the wire.
#pragma once

#include "common/api/wire.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/cluster_view.hpp"

namespace fwd::api {

[[nodiscard]] wire::service view(const catalog::service& from);
[[nodiscard]] wire::forward view(const catalog::service& in, const catalog::forward& from);
[[nodiscard]] wire::summary view(const catalog::totals& from);
/// `all` tells which services are of it.
[[nodiscard]] wire::namespace_info view(const catalog::forwarded_namespace& from, const catalog::catalog& all);
[[nodiscard]] wire::context_state view(const catalog::context& from, const catalog::catalog& all);
[[nodiscard]] wire::failure view(const catalog::failure& from);
[[nodiscard]] wire::k8s_namespace view(const catalog::cluster_namespace& from);

[[nodiscard]] wire::added_service added_view(const catalog::service& from, const catalog::added_service& how);
[[nodiscard]] wire::health health_view(const catalog::catalog& all, wall_time now);
[[nodiscard]] wire::status status_view(const catalog::catalog& all, wall_time now);

} // namespace fwd::api
