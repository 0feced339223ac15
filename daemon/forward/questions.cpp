// What faces ask of a cluster, forwarded or not.
#include "daemon/forward/supervisor.hpp"

namespace fwd::forward {

using catalog::answer;
using catalog::refusal;

result<catalog::open_cluster> supervisor::open(const std::string& context)
{
    const auto name = context_name(context);
    if (!name) return name.error();
    const auto opened = open_context(*name);
    if (!opened) return opened.error();
    return catalog::open_cluster{&(*opened)->ask(), *name, shown(*name), (*opened)->config().namespace_name};
}

std::vector<catalog::context> supervisor::known() const
{
    std::vector<catalog::context> all;
    for (const auto& one : settings_.config.contexts) {
        auto& made = all.emplace_back();
        made.name = one.name;
        made.shown = shown(one.name);
        made.cluster = one.cluster;
        made.user = one.user;
        made.namespace_name = one.namespace_name;
        made.primary = one.name == primary_context_;
        made.is_protected = settings_.protected_contexts.contains(one.name);
        if (const auto config = settings_.config.resolve(one.name))
            made.server = config->cluster.server;
        else
            made.last_error = catalog::failure{clock_.wall_now(), "invalid_context", config.error().message()};
    }
    return all;
}

awaitable<answer<std::vector<catalog::cluster_service>>> supervisor::services(std::string context, std::string namespace_name)
{
    const auto name = context_name(context);
    if (!name) co_return refusal{name.error()};
    const auto opened = open_context(*name);
    if (!opened) co_return refusal{opened.error()};
    const kube::list_scope of{namespace_name, {}, {}};
    auto all = co_await (*opened)->ask().services(of);
    if (!all) co_return refusal{all.error().why};
    if (all->empty() && !namespace_name.empty()) {
        auto unknown = co_await unknown_namespace(**opened, namespace_name);
        if (unknown) co_return *unknown;
    }
    std::vector<catalog::cluster_service> made;
    for (const auto& one : *all) {
        catalog::cluster_service next;
        next.name = one.meta.name;
        next.namespace_name = one.meta.namespace_name;
        next.context = shown(*name);
        next.type = one.type;
        next.cluster_ip = one.cluster_ip;
        for (const auto& port : one.ports) next.ports.push_back({port.name, port.target_text(), port.protocol, port.port});
        for (const auto& [key, value] : one.selector) next.selector.emplace_back(key, value);
        const service_id id{*name, one.meta.namespace_name, one.meta.name};
        if (forwarded_.contains(id)) next.forward_key = key_of(id);
        made.push_back(std::move(next));
    }
    co_return made;
}

awaitable<answer<std::vector<catalog::cluster_namespace>>> supervisor::namespaces(std::string context)
{
    const auto name = context_name(context);
    if (!name) co_return refusal{name.error()};
    const auto opened = open_context(*name);
    if (!opened) co_return refusal{opened.error()};
    auto all = co_await (*opened)->ask().namespaces();
    if (!all) co_return refusal{all.error().why};
    std::vector<catalog::cluster_namespace> made;
    for (const auto& one : *all) {
        const auto wanted = [&](const std::shared_ptr<wish>& w) {
            return w->context == *name && w->service.empty() && (w->namespace_name.empty() || w->namespace_name == one.meta.name);
        };
        made.push_back({one.meta.name, one.phase, std::any_of(wishes_.begin(), wishes_.end(), wanted)});
    }
    co_return made;
}

} // namespace fwd::forward
