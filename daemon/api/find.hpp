// Which services a person means by words, a kind or a port. Pure.
#pragma once

#include "common/api/wire_cluster.hpp"
#include "daemon/api/query.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/kube/discovery.hpp"

namespace fwd::api {

struct find_question {
    std::vector<std::string> words; ///< each must fit the name, namespace, context or kind; empty: any
    std::string kind;               ///< as kind_named() gives it; empty: any
    std::uint16_t port = 0;         ///< 0: any
    std::string namespace_name;     ///< empty: all
    /// Images may tell what names and numbers do not.
    [[nodiscard]] bool asks_for_images() const { return !kind.empty() || !words.empty(); }
};

/// query, kind, port and namespace; what is wrong is said by `in`.
[[nodiscard]] find_question find_asked(query& in);
/// Those of one context that fit, each with why. `pods` tell images; none: not known.
[[nodiscard]] std::vector<wire::found_service> matching(const find_question& what, const std::vector<kube::service>& services,
                                                        const std::vector<kube::pod>& pods, const std::string& context,
                                                        const catalog::catalog& state);
/// Several contexts may lead to one cluster: each of its services once, with all of them. The one that is named is that in which it is
/// forwarded, else the primary one, else the first of `known`.
void one_per_cluster(std::vector<wire::found_service>& all, const std::vector<catalog::context>& known);
/// Exact names, then beginnings of names, then the rest; each by context, namespace and name.
void best_first(std::vector<wire::found_service>& all, const find_question& what);

} // namespace fwd::api
