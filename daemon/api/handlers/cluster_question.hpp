// What questions to a cluster have in common: which one, which page, and what an empty list means.
#pragma once

#include "daemon/api/query.hpp"
#include "daemon/api/router.hpp"
#include "daemon/kube/discovery.hpp"

namespace fwd::api {

/// limit (0: all) and continue, as the API server itself pages.
[[nodiscard]] kube::page_ask page_asked(query& in);
/// The cluster that `context` names. Errors: what was wrong with the query before it, not_found.
[[nodiscard]] result<catalog::open_cluster> cluster_asked(api_context& with, const query& in);
/// A failure of the cluster as an answer.
[[nodiscard]] reply failed(const kube::api_failure& why);
/// For a list that came back empty: 404 with close names when there is no such namespace. Who may not read namespaces hears nothing.
awaitable<std::optional<reply>> no_such_namespace(catalog::open_cluster of, std::string name);
/// A page and where it ends.
template <class T, class P>
[[nodiscard]] reply page_reply(const T& list, std::size_t count, const P& page)
{
    auto made = ok_with(list);
    made.about.count = static_cast<std::int64_t>(count);
    made.about.more = page.more;
    return made;
}

/// The pod that a name or "deploy/x", "sts/x", "ds/x", "job/x" means: of a workload the newest that is ready, else the newest.
awaitable<kube::api_result<std::string>> pod_asked(catalog::open_cluster of, std::string namespace_name, std::string name);

} // namespace fwd::api
