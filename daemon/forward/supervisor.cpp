// Its life, its contexts and its wishes.
#include "daemon/forward/supervisor.hpp"

#include "common/log.hpp"

namespace fwd::forward {

struct supervisor::ears final : data_events {
    explicit ears(supervisor& of) : of_{of} {}
    void on_reports(std::vector<report> reports) override { of_.on_reports(std::move(reports)); }
    void on_credential_rejected(std::string context, std::uint64_t generation) override
    {
        const auto at = of_.clusters_.find(context);
        if (at == of_.clusters_.end()) return;
        at->second->credentials().rejected(generation);
        of_.tasks_.start("renew credentials", of_.renew(context));
    }
    void on_pod_gone(std::string context, kube::pod_ref pod) override
    {
        if (const auto at = of_.clusters_.find(context); at != of_.clusters_.end()) at->second->gone(std::move(pod));
    }
    void on_silence(std::string context) override
    {
        if (const auto at = of_.clusters_.find(context); at != of_.clusters_.end()) at->second->doubt();
    }
    supervisor& of_;
};

supervisor::supervisor(supervisor_parts parts, supervisor_settings settings)
    : parts_{std::move(parts)}, settings_{std::move(settings)}, log_{parts_.around.log}, clock_{parts_.around.clock},
      ears_{std::make_unique<ears>(*this)}, plugins_{kube::make_exec_cache(parts_.around)},
      public_{parts_.around.net, clock_, tasks_, [this](const std::vector<std::string>& names) { mark_names(names); }},
      tasks_{parts_.around.executor, log_}
{
    std::vector<std::string> names;
    for (const auto& context : settings_.config.contexts) names.push_back(context.name);
    const auto reduced = shown_contexts(names);
    for (const auto& context : settings_.contexts)
        if (!context.alias.empty()) settings_.aliases[context.name] = context.alias;
    const auto is_alias = [this](const std::string& text) {
        return std::any_of(settings_.aliases.begin(), settings_.aliases.end(), [&](const auto& one) { return one.second == text; });
    };
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto alias = settings_.aliases.find(names[i]);
        // Keys hold what is shown, so nobody may look like another one's alias.
        shown_[names[i]] = alias != settings_.aliases.end() ? alias->second : is_alias(reduced[i]) ? reduced[i] + "-context" : reduced[i];
    }
    primary_context_ = settings_.contexts.empty() ? settings_.config.current_context : settings_.contexts.front().name;
    if (!settings_.primary_namespace.empty()) primary_namespace_[primary_context_] = settings_.primary_namespace;
}

supervisor::~supervisor()
{
    clock_.cancel(retry_listen_);
    clock_.cancel(recheck_);
    for (const auto& [id, of] : forwarded_)
        for (const auto& [hostname, group] : of.groups)
            for (const auto& [local, port] : group.ports) clock_.cancel(port.retry);
}

data_events& supervisor::reports()
{
    return *ears_;
}

void supervisor::start()
{
    tasks_.start("reconcile", reconcile());
}

awaitable<void> supervisor::stop()
{
    stopping_ = true;
    for (const auto& [id, of] : forwarded_) show(of);
    for (auto& [name, one] : clusters_) co_await one->stop();
    tasks_.cancel();
    co_await tasks_.join();
    // The agent undoes everything at our end; undoing it here shows the order and the errors.
    batch last;
    std::vector<service_id> all;
    for (const auto& [id, of] : forwarded_) all.push_back(id);
    for (const auto& id : all) remove(id, last);
    co_await apply(last);
}

void supervisor::poke()
{
    for (auto& [name, one] : clusters_) one->reconnect();
    parts_.data.poke();
    public_.look_again();
}

awaitable<void> supervisor::renew(std::string context)
{
    const auto at = clusters_.find(context);
    if (at == clusters_.end()) co_return;
    auto got = co_await at->second->credentials().current();
    if (!got) log_.warn("credentials not renewed", {{"context", context}, {"error", got.error().message()}});
}

// --- contexts and keys -------------------------------------------------------------------------------------------------

std::string supervisor::shown(const std::string& context) const
{
    const auto at = shown_.find(context);
    return at == shown_.end() ? reduced_context(context) : at->second;
}

std::string supervisor::key_of(const service_id& id) const
{
    return id.name + "." + id.namespace_name + "." + shown(id.context);
}

std::optional<supervisor::service_id> supervisor::id_of(const std::string& key) const
{
    for (const auto& [id, of] : forwarded_)
        if (key_of(id) == key) return id;
    return std::nullopt;
}

result<std::string> supervisor::context_name(const std::string& given) const
{
    if (given.empty()) {
        if (!primary_context_.empty()) return primary_context_;
        if (const auto none = settings_.config.resolve(""); !none) return none.error();
        return error{errc::not_found, "the kubeconfig has no current context; name one with --context"};
    }
    for (const auto& [name, alias] : shown_)
        if (name == given || alias == given) return name;
    std::vector<std::string> names;
    for (const auto& context : settings_.config.contexts) names.push_back(context.name);
    // resolve() knows how to say what exists instead.
    const auto unknown = settings_.config.resolve(given);
    return unknown ? error{errc::not_found, "context " + given} : unknown.error();
}

result<cluster*> supervisor::open_context(const std::string& name)
{
    if (const auto at = clusters_.find(name); at != clusters_.end()) return at->second.get();
    const auto config = settings_.config.resolve(name);
    if (!config) return config.error();
    cluster_events heard;
    heard.service_changed = [this, name](const std::string& ns, const std::string& service) { mark({name, ns, service}); };
    heard.namespace_changed = [this, name](const std::string& ns) {
        context_changed(name);
        mark_namespace(name, ns);
        show_contexts();
        show_namespaces();
        changed_.set();
    };
    heard.access_changed = [this, name](const std::string& ns) {
        access_changed(name, ns);
        changed_.set();
    };
    heard.context_changed = [this] {
        show_contexts();
        changed_.set();
    };
    heard.renewed = [this, name](std::shared_ptr<const kube::access> access) { parts_.data.put_context(name, std::move(access)); };
    heard.version_known = [this, name](int minor) { parts_.data.set_server_minor(name, minor); };
    auto made = cluster::make(*config, shown(name), parts_.around, plugins_, tasks_, std::move(heard));
    if (!made) return made.error();
    auto* at = made->get();
    clusters_.emplace(name, std::move(*made));
    if (primary_context_.empty()) primary_context_ = name;
    show_contexts();
    return at;
}

void supervisor::show_contexts()
{
    for (const auto& [name, one] : clusters_) {
        auto state = one->state();
        state.primary = name == primary_context_;
        state.is_protected = settings_.protected_contexts.contains(name);
        parts_.state.put(std::move(state));
    }
    auto self = parts_.state.self();
    self.primary_context = primary_context_.empty() ? "" : shown(primary_context_);
    const auto at = primary_namespace_.find(primary_context_);
    self.primary_namespace = at == primary_namespace_.end() ? "" : at->second;
    parts_.state.set_self(std::move(self));
}

void supervisor::show_namespaces()
{
    for (const auto& one : wishes_) {
        if (!one->service.empty()) continue;
        const auto& from = *clusters_.at(one->context);
        catalog::forwarded_namespace made;
        made.name = one->namespace_name.empty() ? "*" : one->namespace_name;
        made.context = shown(one->context);
        made.label_selector = one->label_selector;
        made.field_selector = one->field_selector;
        made.services = one->services;
        made.exclude = one->exclude;
        made.running = from.synced(scope_of(*one)) && from.pods_known(one->namespace_name);
        made.last_error = from.watch_failure(scope_of(*one));
        made.owner = one->owner;
        parts_.state.put(std::move(made));
    }
}

// --- wishes ------------------------------------------------------------------------------------------------------------

watch_scope supervisor::scope_of(const wish& what)
{
    return {what.namespace_name, what.label_selector, what.field_selector};
}

void supervisor::mark(const service_id& id)
{
    dirty_.insert(id);
    dirty_event_.set();
}

void supervisor::mark_namespace(const std::string& context, const std::string& namespace_name)
{
    for (const auto& [id, of] : forwarded_)
        if (id.context == context && (namespace_name.empty() || id.namespace_name == namespace_name)) dirty_.insert(id);
    const auto& from = *clusters_.at(context);
    for (const auto& one : wishes_) {
        if (one->context != context || !(one->namespace_name.empty() || namespace_name.empty() || one->namespace_name == namespace_name))
            continue;
        from.each_service(scope_of(*one), [&](const std::shared_ptr<const kube::service>& service) {
            if ((namespace_name.empty() || service->meta.namespace_name == namespace_name) && one->means(*service))
                dirty_.insert({context, service->meta.namespace_name, service->meta.name});
        });
    }
    dirty_event_.set();
}

std::shared_ptr<wish> supervisor::wish_for(const service_id& id, std::shared_ptr<const kube::service>& object)
{
    std::shared_ptr<wish> found;
    for (const auto& one : wishes_) {
        if (one->context != id.context) continue;
        const auto at = clusters_.find(id.context);
        if (at == clusters_.end()) continue;
        const auto service = at->second->find_service(scope_of(*one), id.namespace_name, id.name);
        if (!service || !one->means(*service)) continue;
        // A wish for this one service says more than one for its namespace.
        if (found && one->service.empty()) continue;
        found = one;
        object = service;
    }
    return found;
}

std::shared_ptr<wish> supervisor::put_wish(wish next, bool& created)
{
    for (const auto& one : wishes_)
        if (one->context == next.context && one->namespace_name == next.namespace_name && one->service == next.service &&
            one->label_selector == next.label_selector && one->field_selector == next.field_selector && one->services == next.services) {
            created = false;
            return one;
        }
    created = true;
    if (!next.namespace_name.empty()) primary_namespace_.try_emplace(next.context, next.namespace_name);
    auto made = std::make_shared<wish>(std::move(next));
    wishes_.push_back(made);
    clusters_.at(made->context)->watch(scope_of(*made));
    mark_namespace(made->context, made->namespace_name);
    show_namespaces();
    show_contexts();
    return made;
}

void supervisor::drop_wish(const std::shared_ptr<wish>& what)
{
    mark_namespace(what->context, what->namespace_name);
    std::erase(wishes_, what);
    clusters_.at(what->context)->unwatch(scope_of(*what));
    const auto same_place = [&](const auto& one) {
        return one->service.empty() && one->context == what->context && one->namespace_name == what->namespace_name;
    };
    if (what->service.empty() && std::none_of(wishes_.begin(), wishes_.end(), same_place))
        parts_.state.remove_namespace((what->namespace_name.empty() ? "*" : what->namespace_name) + "." + shown(what->context));
    dirty_event_.set();
}

} // namespace fwd::forward
