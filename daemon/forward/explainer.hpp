// Finds out what there is to know about a service, from the catalog, history and its cluster, and lets explain decide.
// Control thread.
#pragma once

#include "daemon/catalog/cluster_view.hpp"
#include "daemon/catalog/explanation.hpp"
#include "daemon/catalog/history.hpp"
#include "daemon/forward/explain.hpp"

namespace fwd::forward {

/// What a person may mean: "web", "web.shop", "shop/web", "web.shop.svc.cluster.local", "127.1.27.4", "http://web:8080/path".
struct asked_name {
    std::string host;                    ///< without scheme, user, port, path
    std::string service;                 ///< its first label, or what stands behind the slash
    std::string namespace_name, context; ///< empty: not said
};
[[nodiscard]] asked_name parse_asked(std::string_view text);

class explainer final : public catalog::explainer {
public:
    /// All outlive it.
    explainer(const catalog::catalog& state, catalog::cluster_view& clusters, catalog::history& kept, timing& clock)
        : state_{state}, clusters_{clusters}, kept_{kept}, clock_{clock}
    {
    }

    awaitable<catalog::answer<catalog::explanation>> explain(std::string any, std::optional<wall_time> since) override;

private:
    /// The key of what is forwarded under that name, if anything is. Errors: ambiguous.
    [[nodiscard]] result<std::optional<std::string>> forwarded_as(const std::string& any, const asked_name& name) const;
    [[nodiscard]] explain_facts begin() const;
    awaitable<catalog::answer<catalog::explanation>> explain_one(std::string any, std::optional<wall_time> since);
    awaitable<catalog::answer<catalog::explanation>> explain_all(std::optional<wall_time> since);
    awaitable<std::optional<catalog::refusal>> find_service(explain_facts& of, kube::discovery& ask);
    awaitable<void> look_around(explain_facts& of, kube::discovery& ask);
    awaitable<void> read_history(explain_facts& of, std::optional<wall_time> since);
    awaitable<std::vector<past>> past_of(past_kind kind, std::string key, std::optional<wall_time> since, std::size_t most);

    const catalog::catalog& state_;
    catalog::cluster_view& clusters_;
    catalog::history& kept_;
    timing& clock_;
};

} // namespace fwd::forward
