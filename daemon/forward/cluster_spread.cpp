// Every namespace of a cluster: with one list where that is allowed, else one by one as namespaces come and go.
#include "daemon/forward/cluster_watches.hpp"

#include "common/log.hpp"

namespace fwd::forward {

namespace {

const watch_scope part_of(const watch_scope& all, const std::string& name)
{
    return {name, all.label_selector, all.field_selector};
}

} // namespace

/// Follows what the lists of all namespaces met: refused, each namespace stands for itself; allowed again, they stand back.
void cluster::spread_or_gather()
{
    std::vector<watch_scope> refused, allowed;
    const auto pods = pods_.find({});
    if (pods == pods_.end()) return;
    for (const auto& [scope, watched] : services_) {
        if (!scope.namespace_name.empty() || !watched) continue;
        const bool forbidden = watched->list->forbidden() || (pods->second && pods->second->list->forbidden());
        const bool whole = watched->list->synced() && !watched->list->failure && pods->second && pods->second->list->synced() &&
                           !pods->second->list->failure;
        if (forbidden && !is_spread(scope)) refused.push_back(scope);
        if (whole && is_spread(scope)) allowed.push_back(scope);
    }
    for (const auto& scope : refused) spread(scope);
    for (const auto& scope : allowed) gather(scope);
}

void cluster::spread(const watch_scope& scope)
{
    around_.log.info("all namespaces at once are forbidden; each is followed by itself", {{"context", config_.name}});
    spread_[scope];
    if (!namespaces_) {
        namespaces_ = std::make_unique<namespaces_watch>();
        kube::informer_handlers<kube::namespace_object> handlers;
        handlers.added = [this](const std::shared_ptr<const kube::namespace_object>& now) { namespace_came(now->meta.name); };
        handlers.removed = [this](const std::shared_ptr<const kube::namespace_object>& was) { namespace_went(was->meta.name); };
        followed_news news{[this] { heard_.namespace_changed({}); }, [this] { works_again(); }, config_.name, "namespaces", false};
        namespaces_->list =
            std::make_unique<followed<kube::namespace_object>>(around_, *client_, kube::scope{}, std::move(handlers), std::move(news));
        return;
    }
    std::vector<std::string> names;
    namespaces_->list->list().each([&](const kube::namespace_object& one) { names.push_back(one.meta.name); });
    for (const auto& name : names) namespace_came(name);
}

void cluster::namespace_came(const std::string& name)
{
    for (auto& [all, parts] : spread_) {
        if (!parts.insert(name).second) continue;
        const auto part = part_of(all, name);
        if (auto& watched = services_[part])
            ++watched->list->users;
        else
            watched = watch_services(part, true);
        if (auto& pods = pods_[name])
            ++pods->list->users;
        else
            pods = watch_pods(name, true);
    }
}

void cluster::namespace_went(const std::string& name)
{
    for (auto& [all, parts] : spread_)
        if (parts.erase(name)) unwatch(part_of(all, name));
    heard_.namespace_changed(name);
}

void cluster::gather(const watch_scope& scope)
{
    const auto parts = spread_.extract(scope);
    if (!parts) return;
    for (const auto& name : parts.mapped()) unwatch(part_of(scope, name));
    if (spread_.empty() && namespaces_) {
        retire(std::move(namespaces_));
        tasks_.start("end watches", bury());
    }
    heard_.namespace_changed({});
}

bool cluster::synced(const watch_scope& scope) const
{
    if (const auto parts = spread_.find(scope); parts != spread_.end()) {
        return namespaces_ && namespaces_->list->synced() &&
               std::all_of(parts->second.begin(), parts->second.end(),
                           [&](const std::string& name) { return services_.at(part_of(scope, name))->list->settled(); });
    }
    const auto at = services_.find(scope);
    return at != services_.end() && at->second->list->synced();
}

bool cluster::pods_known(const std::string& namespace_name) const
{
    const auto known = [this](const std::string& name) {
        const auto* at = pods_in(name);
        return at && at->list->synced();
    };
    if (!namespace_name.empty()) return known(namespace_name);
    for (const auto& [scope, parts] : spread_)
        return std::all_of(parts.begin(), parts.end(), [&](const std::string& name) { return pods_.at(name)->list->settled(); });
    return known({});
}

std::optional<catalog::failure> cluster::watch_failure(const watch_scope& scope) const
{
    const auto trouble = [this](const watch_scope& of) -> std::optional<catalog::failure> {
        const auto at = services_.find(of);
        if (at != services_.end() && at->second->list->failure) return at->second->list->failure;
        return pods_failure(of.namespace_name);
    };
    const auto spread = spread_.find(scope);
    if (spread == spread_.end()) return trouble(scope);
    if (namespaces_ && namespaces_->list->failure) return namespaces_->list->failure;
    // Of namespaces that nobody named, those that may not be read are no failure as long as others may be.
    std::optional<catalog::failure> refused;
    bool any = false;
    for (const auto& name : spread->second) {
        const auto why = trouble(part_of(scope, name));
        any = any || !why;
        if (why && why->code != "forbidden") return why;
        if (why && !refused) refused = why;
    }
    return any ? std::nullopt : refused;
}

void cluster::each_service(const watch_scope& scope, const std::function<void(const std::shared_ptr<const kube::service>&)>& visit) const
{
    if (const auto parts = spread_.find(scope); parts != spread_.end()) {
        for (const auto& name : parts->second) each_service(part_of(scope, name), visit);
        return;
    }
    const auto at = services_.find(scope);
    if (at == services_.end()) return;
    const auto& list = at->second->list->list();
    list.each([&](const kube::service& one) { visit(list.find(one.meta.key())); });
}

std::shared_ptr<const kube::service> cluster::find_service(const watch_scope& scope, const std::string& namespace_name,
                                                           const std::string& name) const
{
    const auto parts = spread_.find(scope);
    const bool by_part = parts != spread_.end() && parts->second.contains(namespace_name);
    const auto at = services_.find(by_part ? part_of(scope, namespace_name) : scope);
    return at == services_.end() ? nullptr : at->second->list->list().find(namespace_name + "/" + name);
}

} // namespace fwd::forward
