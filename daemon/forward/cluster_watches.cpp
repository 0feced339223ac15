// What a cluster follows, and what is asked of the lists.
#include "daemon/forward/cluster_watches.hpp"

#include "daemon/kube/pod_rules.hpp"

namespace fwd::forward {

namespace {

/// Refused, reset, timed out, no such name: whichever way, the server was not reached.
std::string code_of(const error& why)
{
    if (why.code.category() != fwd_category()) return "unreachable";
    for (const auto one : {errc::refused, errc::closed, errc::timed_out, errc::dns_failed, errc::proxy_failed})
        if (why.is(one)) return "unreachable";
    return std::string{name_of(static_cast<errc>(why.code.value()))};
}

} // namespace

void note_failure(std::optional<catalog::failure>& at, const kube::api_failure& why, duration retry_in, wall_time now)
{
    const auto code = code_of(why.why);
    at = catalog::failure{now, code, why.why.message(), at ? at->count + 1 : 1, now + retry_in};
}

void cluster::changed(const std::string& namespace_name)
{
    spread_or_gather();
    heard_.namespace_changed(namespace_name);
}

std::unique_ptr<cluster::services_watch> cluster::watch_services(const watch_scope& scope, bool quiet)
{
    auto made = std::make_unique<services_watch>();
    auto* at = made.get();
    const auto enter = [at](const kube::service& one) {
        if (one.selector.empty()) return;
        const auto& [key, value] = *one.selector.begin();
        at->selecting.add(one.meta.namespace_name, key, value, one.meta.key());
    };
    const auto leave = [at](const kube::service& one) {
        if (one.selector.empty()) return;
        const auto& [key, value] = *one.selector.begin();
        at->selecting.forget(one.meta.namespace_name, key, value, one.meta.key());
    };
    const auto tell = [this](const kube::service& one) { heard_.service_changed(one.meta.namespace_name, one.meta.name); };
    kube::informer_handlers<kube::service> handlers;
    handlers.added = [enter, tell](const std::shared_ptr<const kube::service>& now) { enter(*now), tell(*now); };
    handlers.changed = [enter, leave, tell](const std::shared_ptr<const kube::service>& before,
                                            const std::shared_ptr<const kube::service>& now) { leave(*before), enter(*now), tell(*now); };
    handlers.removed = [leave, tell](const std::shared_ptr<const kube::service>& was) { leave(*was), tell(*was); };
    const kube::scope of{scope.namespace_name, scope.label_selector, scope.field_selector};
    const auto what = scope.namespace_name.empty() ? "services in all namespaces" : "services in " + scope.namespace_name;
    kube::watch_limits limits;
    limits.forbidden_is_slow = quiet;
    followed_news news{[this, name = scope.namespace_name] { changed(name); }, [this] { works_again(); }, config_.name, what, quiet};
    made->list = std::make_unique<followed<kube::service>>(around_, *client_, of, std::move(handlers), std::move(news), limits);
    return made;
}

std::unique_ptr<cluster::pods_watch> cluster::watch_pods(const std::string& namespace_name, bool quiet)
{
    auto made = std::make_unique<pods_watch>();
    auto* at = made.get();
    const auto enter = [at](const kube::pod& one) {
        for (const auto& [key, value] : one.meta.labels) at->labelled.add(one.meta.namespace_name, key, value, one.meta.key());
    };
    const auto leave = [at](const kube::pod& one) {
        for (const auto& [key, value] : one.meta.labels) at->labelled.forget(one.meta.namespace_name, key, value, one.meta.key());
    };
    // Until the first list is whole nobody needs to hear of each pod: synced tells them all.
    const auto tell = [this, at](const kube::pod& one) {
        if (at->list && at->list->synced()) pod_changed(one);
    };
    kube::informer_handlers<kube::pod> handlers;
    handlers.added = [enter, tell](const std::shared_ptr<const kube::pod>& now) { enter(*now), tell(*now); };
    handlers.changed = [enter, leave, tell](const std::shared_ptr<const kube::pod>& before, const std::shared_ptr<const kube::pod>& now) {
        if (before->meta.labels != now->meta.labels) {
            leave(*before), enter(*now);
            tell(*before);
        }
        tell(*now);
    };
    handlers.removed = [leave, tell](const std::shared_ptr<const kube::pod>& was) { leave(*was), tell(*was); };
    const auto what = namespace_name.empty() ? "pods in all namespaces" : "pods in " + namespace_name;
    kube::watch_limits limits;
    limits.forbidden_is_slow = quiet;
    auto heard = [this, namespace_name, quiet, at] {
        // Of namespaces that nobody named, only those that may be read are worth a question.
        if (quiet && at->list && at->list->synced()) reviews_->begin(namespace_name);
        changed(namespace_name);
    };
    followed_news news{std::move(heard), [this] { works_again(); }, config_.name, what, quiet};
    const kube::scope of{namespace_name, {}, {}};
    made->list = std::make_unique<followed<kube::pod>>(around_, *client_, of, std::move(handlers), std::move(news), limits);
    return made;
}

std::unique_ptr<cluster::slices_watch> cluster::watch_slices(const std::string& namespace_name)
{
    auto made = std::make_unique<slices_watch>();
    const auto tell = [this](const kube::endpoint_slice& one) { heard_.service_changed(one.meta.namespace_name, one.service_name); };
    kube::informer_handlers<kube::endpoint_slice> handlers;
    handlers.added = [tell](const std::shared_ptr<const kube::endpoint_slice>& now) { tell(*now); };
    handlers.changed = [tell](const std::shared_ptr<const kube::endpoint_slice>& before,
                              const std::shared_ptr<const kube::endpoint_slice>& now) {
        if (before->service_name != now->service_name) tell(*before);
        tell(*now);
    };
    handlers.removed = [tell](const std::shared_ptr<const kube::endpoint_slice>& was) { tell(*was); };
    followed_news news{[this, namespace_name] { heard_.namespace_changed(namespace_name); }, [this] { works_again(); }, config_.name,
                       "endpointslices in " + namespace_name, false};
    const kube::scope of{namespace_name, {}, {}};
    made->list = std::make_unique<followed<kube::endpoint_slice>>(around_, *client_, of, std::move(handlers), std::move(news));
    return made;
}

void cluster::watch(const watch_scope& scope)
{
    const auto& name = scope.namespace_name;
    if (auto& watched = services_[scope])
        ++watched->list->users;
    else
        watched = watch_services(scope, false);
    if (auto& pods = pods_[name])
        ++pods->list->users;
    else
        pods = watch_pods(name, false);
    reviews_->begin(name);
}

void cluster::unwatch(const watch_scope& scope)
{
    const auto services = services_.find(scope);
    if (services == services_.end()) return;
    if (--services->second->list->users == 0) {
        if (is_spread(scope)) gather(scope);
        retire(std::move(services->second));
        services_.erase(scope);
    }
    const auto pods = pods_.find(scope.namespace_name);
    if (--pods->second->list->users == 0) {
        retire(std::move(pods->second));
        pods_.erase(pods);
        if (const auto slices = slices_.find(scope.namespace_name); slices != slices_.end()) {
            retire(std::move(slices->second));
            slices_.erase(slices);
        }
    }
    tasks_.start("end watches", bury());
}

void cluster::each_list(const std::function<void(followed_list&)>& visit) const
{
    for (const auto& [scope, watched] : services_) visit(*watched->list);
    for (const auto& [name, watched] : pods_) visit(*watched->list);
    for (const auto& [name, watched] : slices_) visit(*watched->list);
    if (namespaces_) visit(*namespaces_->list);
}

cluster::pods_watch* cluster::pods_in(const std::string& namespace_name) const
{
    for (const auto& name : {namespace_name, std::string{}}) {
        const auto at = pods_.find(name);
        if (at != pods_.end()) return at->second.get();
    }
    return nullptr;
}

void cluster::pod_changed(const kube::pod& one)
{
    const auto& name = one.meta.namespace_name;
    for (const auto& [scope, watched] : services_) {
        if (!scope.namespace_name.empty() && scope.namespace_name != name) continue;
        for (const auto& [key, value] : one.meta.labels)
            for (const auto& member : watched->selecting.find(name, key, value)) {
                const auto service = watched->list->list().find(member);
                if (service && kube::selects(*service, one)) heard_.service_changed(name, service->meta.name);
            }
    }
}

std::vector<const kube::pod*> cluster::pods_of(const kube::service& service) const
{
    std::vector<const kube::pod*> found;
    const auto& name = service.meta.namespace_name;
    const auto* pods = pods_in(name);
    if (!pods || service.selector.empty()) return found;
    const auto& [key, value] = *service.selector.begin();
    for (const auto& member : pods->labelled.find(name, key, value)) {
        const auto pod = pods->list->list().find(member);
        if (pod && kube::selects(service, *pod)) found.push_back(pod.get());
    }
    return found;
}

std::vector<const kube::endpoint_slice*> cluster::slices_of(const kube::service& service)
{
    const auto& name = service.meta.namespace_name;
    auto& slices = slices_[name];
    if (!slices) slices = watch_slices(name);
    std::vector<const kube::endpoint_slice*> found;
    slices->list->list().each([&](const kube::endpoint_slice& one) {
        if (one.service_name == service.meta.name && one.meta.namespace_name == name) found.push_back(&one);
    });
    return found;
}

bool cluster::slices_known(const std::string& namespace_name) const
{
    const auto at = slices_.find(namespace_name);
    return at != slices_.end() && at->second->list->settled();
}

std::optional<catalog::failure> cluster::pods_failure(const std::string& namespace_name) const
{
    const auto* pods = pods_in(namespace_name);
    return pods ? pods->list->failure : std::nullopt;
}

std::optional<catalog::failure> cluster::down() const
{
    std::optional<catalog::failure> found;
    each_list([&](const followed_list& one) {
        if (one.cut_off && !found) found = one.failure;
    });
    return found;
}

} // namespace fwd::forward
