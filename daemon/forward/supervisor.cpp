// Wishes, and the questions and commands of faces.
#include "daemon/forward/supervisor.hpp"

#include "common/async/suspend.hpp"
#include "common/async/timeout.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <variant>

namespace fwd::forward {

using catalog::answer;
using catalog::refusal;
using catalog::wait_for;

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
    void on_pod_gone(std::string context, kube::pod_ref) override
    {
        // The watch may be behind, or cut without anybody having noticed.
        if (const auto at = of_.clusters_.find(context); at != of_.clusters_.end()) at->second->poke();
    }
    supervisor& of_;
};

supervisor::supervisor(supervisor_parts parts, supervisor_settings settings)
    : parts_{std::move(parts)}, settings_{std::move(settings)}, log_{parts_.around.log}, clock_{parts_.around.clock},
      ears_{std::make_unique<ears>(*this)}, plugins_{kube::make_exec_cache(parts_.around)}, tasks_{parts_.around.executor, log_}
{
    std::vector<std::string> names;
    for (const auto& context : settings_.config.contexts) names.push_back(context.name);
    const auto reduced = shown_contexts(names);
    for (std::size_t i = 0; i < names.size(); ++i) shown_[names[i]] = reduced[i];
    for (const auto& context : settings_.contexts)
        if (!context.alias.empty()) shown_[context.name] = context.alias;
    primary_context_ = settings_.contexts.empty() ? settings_.config.current_context : settings_.contexts.front().name;
    if (!settings_.primary_namespace.empty()) primary_namespace_[primary_context_] = settings_.primary_namespace;
}

supervisor::~supervisor()
{
    clock_.cancel(retry_listen_);
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
    for (auto& [name, one] : clusters_) one->poke();
    parts_.data.poke();
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
        mark_namespace(name, ns);
        show_contexts();
        show_namespaces();
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
        if (one->context != context || one->namespace_name != namespace_name) continue;
        from.each_service(scope_of(*one), [&](const std::shared_ptr<const kube::service>& service) {
            if (one->means(*service)) dirty_.insert({context, service->meta.namespace_name, service->meta.name});
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
    if (what->service.empty())
        parts_.state.remove_namespace((what->namespace_name.empty() ? "*" : what->namespace_name) + "." + shown(what->context));
    dirty_event_.set();
}

// --- waiting -----------------------------------------------------------------------------------------------------------

awaitable<bool> supervisor::changed_before(time_point deadline)
{
    const auto left = deadline - clock_.now();
    if (left <= 0ns) co_return false;
    auto wait = [](async_event& event) -> awaitable<result<bool>> {
        co_await event.wait();
        co_return true;
    };
    const auto changed = co_await with_timeout(clock_, left, wait(changed_));
    co_return changed.has_value();
}

awaitable<answer<std::monostate>> supervisor::wait_for_lists(cluster& of, std::shared_ptr<wish> what, time_point deadline)
{
    const auto scope = scope_of(*what);
    while (!of.synced(scope)) {
        if (const auto failure = of.watch_failure(scope)) {
            std::string code = failure->code;
            co_return refusal{std::move(code), error{errc::unavailable, failure->message}};
        }
        if (!co_await changed_before(deadline))
            co_return refusal{"timed_out", error{errc::timed_out, fmt::format("context {}: no list of services in time from {}",
                                                                              of.config().name, of.state().server)}};
    }
    co_return std::monostate{};
}

awaitable<refusal> supervisor::unknown_service(cluster& of, std::string namespace_name, std::string name)
{
    const kube::list_scope everywhere;
    const kube::list_scope here{namespace_name, {}, {}};
    auto all = co_await of.ask().services(everywhere);
    if (!all) all = co_await of.ask().services(here);
    refusal made{error{errc::not_found,
                       fmt::format("service {} is not in namespace {} of context {}", printable(name), namespace_name, of.config().name)}};
    if (!all) co_return made;
    std::vector<std::string> names;
    for (const auto& one : *all) {
        if (one.meta.namespace_name == namespace_name)
            names.push_back(one.meta.name);
        else if (one.meta.name == name)
            made.evidence.push_back(fmt::format("there is {} in namespace {}", name, one.meta.namespace_name));
    }
    const auto close = close_names(name, names);
    if (!close.empty()) made.why.context += "; did you mean " + join(close, ", ") + "?";
    for (const auto& one : close)
        made.next.push_back({{}, {}, {}, fmt::format("fwd add {}.{}", one, namespace_name), "a service of almost that name"});
    co_return made;
}

awaitable<std::optional<refusal>> supervisor::unknown_namespace(cluster& of, std::string name)
{
    auto there = co_await of.ask().namespace_named(name);
    // Who may not read namespaces may still be right.
    if (there || !there.error().why.is(errc::not_found)) co_return std::nullopt;
    refusal made{error{errc::not_found, fmt::format("namespace {} is not in context {}", printable(name), of.config().name)}};
    auto all = co_await of.ask().namespaces();
    if (all) {
        std::vector<std::string> names;
        for (const auto& one : *all) names.push_back(one.meta.name);
        const auto close = close_names(name, names);
        if (!close.empty())
            made.why.context += "; did you mean " + join(close, ", ") + "?";
        else
            made.why.context += "; it has " + join(names, ", ");
    }
    co_return made;
}

bool supervisor::satisfied(const std::string& key, wait_for what) const
{
    const auto& all = parts_.state.services();
    const auto at = all.find(key);
    if (at == all.end()) return false;
    const auto& service = at->second;
    if (service.state == catalog::service_state::unsupported) return true;
    if (what == wait_for::listening)
        return !service.forwards.empty() && std::none_of(service.forwards.begin(), service.forwards.end(),
                                                         [](const catalog::forward& f) { return f.reason_code == "setting_up"; });
    if (service.state != catalog::service_state::active) return false;
    return what != wait_for::reachable ||
           std::all_of(service.forwards.begin(), service.forwards.end(), [](const catalog::forward& f) { return f.verified; });
}

awaitable<bool> supervisor::wait_until_ready(std::vector<std::string> keys, wait_for what, time_point deadline)
{
    std::set<forward_id> proved;
    for (;;) {
        if (what == wait_for::reachable)
            for (const auto& [id, place] : by_id_)
                if (std::find(keys.begin(), keys.end(), key_of(place.first)) != keys.end() && proved.insert(id).second)
                    parts_.data.prove(id);
        if (std::all_of(keys.begin(), keys.end(), [&](const std::string& key) { return satisfied(key, what); })) co_return true;
        if (!co_await changed_before(deadline)) co_return false;
    }
}

awaitable<std::vector<error>> supervisor::settled(duration limit)
{
    const auto deadline = clock_.now() + limit;
    for (;;) {
        bool all = true;
        std::vector<error> failed;
        for (const auto& one : wishes_) {
            const auto& from = *clusters_.at(one->context);
            if (const auto failure = from.watch_failure(scope_of(*one)))
                failed.push_back({errc::unavailable, failure->message});
            else if (!from.synced(scope_of(*one)) || !from.pods_known(one->namespace_name))
                all = false;
        }
        for (const auto& [id, of] : forwarded_)
            if (of.object->selector.empty() && !of.object->is_external_name() && !clusters_.at(id.context)->slices_known(id.namespace_name))
                all = false;
        for (const auto& [key, service] : parts_.state.services())
            for (const auto& forward : service.forwards)
                if (forward.state == catalog::forward_state::connecting) all = false;
        if (all && dirty_.empty() && !reconciling_) co_return failed;
        if (!co_await changed_before(deadline)) co_return failed;
    }
}

// --- commands ----------------------------------------------------------------------------------------------------------

awaitable<answer<catalog::added_service>> supervisor::add(catalog::add_service ask)
{
    const auto context = context_name(ask.context);
    if (!context) co_return refusal{context.error()};
    const auto opened = open_context(*context);
    if (!opened) co_return refusal{opened.error()};
    auto& from = **opened;
    wish next;
    next.context = *context;
    next.service = ask.service;
    next.namespace_name = ask.namespace_name;
    if (next.namespace_name.empty()) {
        const auto primary = primary_namespace_.find(*context);
        next.namespace_name = primary != primary_namespace_.end() ? primary->second : from.config().namespace_name;
    }
    next.ports = ask.ports;
    next.local_ip = ask.local_ip;
    next.owner = ask.owner;
    next.owner.created_at = clock_.wall_now();
    const auto namespace_name = next.namespace_name;
    const service_id id{*context, namespace_name, ask.service};
    const auto deadline = clock_.now() + ask.timeout;

    catalog::added_service made;
    made.key = key_of(id);
    const bool there = forwarded_.contains(id);
    bool created = false;
    const auto kept = put_wish(std::move(next), created);
    made.created = created && !there;

    auto lists = co_await wait_for_lists(from, kept, std::min(deadline, clock_.now() + settings_.find_service));
    if (!lists) {
        if (created) drop_wish(kept);
        co_return lists.error();
    }
    std::shared_ptr<const kube::service> object;
    if (!wish_for(id, object)) {
        if (created) drop_wish(kept);
        co_return co_await unknown_service(from, namespace_name, ask.service);
    }
    for (const auto& wanted : ask.ports) {
        const auto fits = [&](const kube::service_port& p) { return wanted.port == std::to_string(p.port) || wanted.port == p.name; };
        if (std::any_of(object->ports.begin(), object->ports.end(), fits)) continue;
        if (created) drop_wish(kept);
        std::string has;
        for (const auto& port : object->ports)
            has += fmt::format("{}{}{}", has.empty() ? "" : ", ", port.port, port.name.empty() ? "" : " (" + port.name + ")");
        co_return refusal{
            error{errc::not_found, fmt::format("service {} has no port {}; it has {}", ask.service, printable(wanted.port), has)}};
    }
    mark(id);
    // The answer names an address, so at least that must be settled.
    std::vector<std::string> keys{made.key};
    (void)co_await wait_until_ready(keys, wait_for::listening, std::max(deadline, clock_.now() + 5s));
    const auto shown_now = parts_.state.services().find(made.key);
    if (shown_now != parts_.state.services().end() && shown_now->second.state == catalog::service_state::unsupported) {
        const auto why = shown_now->second.reason;
        if (created) drop_wish(kept);
        co_return refusal{error{errc::unsupported, fmt::format("service {} cannot be forwarded: {}", made.key, why)}};
    }
    if (ask.wait == wait_for::ready || ask.wait == wait_for::reachable) (void)co_await wait_until_ready(keys, ask.wait, deadline);
    made.ready = satisfied(made.key, ask.wait == wait_for::reachable ? wait_for::reachable : wait_for::ready);
    const auto now = parts_.state.services().find(made.key);
    if (!made.ready && now != parts_.state.services().end())
        made.not_ready_because = now->second.reason.empty() ? "its tunnel is not proved yet" : now->second.reason;
    co_return made;
}

awaitable<answer<catalog::added_namespace>> supervisor::add(catalog::add_namespace ask)
{
    const auto context = context_name(ask.context);
    if (!context) co_return refusal{context.error()};
    const auto opened = open_context(*context);
    if (!opened) co_return refusal{opened.error()};
    auto& from = **opened;
    wish next;
    next.context = *context;
    next.namespace_name = ask.namespace_name;
    next.label_selector = ask.selector;
    next.field_selector = ask.field_selector;
    next.services = ask.services;
    next.exclude = ask.exclude;
    next.owner = ask.owner;
    next.owner.created_at = clock_.wall_now();
    const auto deadline = clock_.now() + ask.timeout;

    catalog::added_namespace made;
    made.key = ask.namespace_name + "." + shown(*context);
    bool created = false;
    const auto kept = put_wish(std::move(next), created);
    made.created = created;
    auto lists = co_await wait_for_lists(from, kept, std::min(deadline, clock_.now() + settings_.find_service));
    if (!lists) {
        if (created) drop_wish(kept);
        co_return lists.error();
    }
    std::size_t count = 0;
    from.each_service(scope_of(*kept), [&](const auto&) { ++count; });
    if (count == 0 && !ask.namespace_name.empty()) {
        auto unknown = co_await unknown_namespace(from, ask.namespace_name);
        if (unknown) {
            if (created) drop_wish(kept);
            co_return *unknown;
        }
    }
    from.each_service(scope_of(*kept), [&](const std::shared_ptr<const kube::service>& one) {
        if (kept->means(*one)) made.services.push_back(key_of({*context, one->meta.namespace_name, one->meta.name}));
    });
    mark_namespace(*context, ask.namespace_name);
    if (ask.wait != wait_for::none) (void)co_await wait_until_ready(made.services, ask.wait, deadline);
    for (const auto& key : made.services)
        if (!satisfied(key, ask.wait == wait_for::none ? wait_for::ready : ask.wait)) {
            const auto at = parts_.state.services().find(key);
            made.not_ready.emplace_back(key, at == parts_.state.services().end() ? "being set up" : at->second.reason);
        }
    made.ready = made.not_ready.empty();
    co_return made;
}

awaitable<answer<std::vector<std::string>>> supervisor::remove_service(std::string key)
{
    const auto found = parts_.state.find_service(key);
    if (!found) co_return refusal{found.error()};
    const auto whole = (*found)->key();
    const auto id = id_of(whole);
    if (!id) co_return refusal{error{errc::not_found, "service " + whole}};
    const auto all = wishes_;
    for (const auto& one : all) {
        if (one->context != id->context || (!one->namespace_name.empty() && one->namespace_name != id->namespace_name)) continue;
        if (one->service == id->name)
            drop_wish(one);
        else if (one->service.empty())
            one->exclude.push_back(id->name);
    }
    mark(*id);
    const auto deadline = clock_.now() + 10s;
    while (forwarded_.contains(*id))
        if (!co_await changed_before(deadline)) co_return refusal{error{errc::timed_out, "service " + whole + " is still being removed"}};
    co_return std::vector{whole};
}

awaitable<answer<std::vector<std::string>>> supervisor::remove_namespace(std::string key)
{
    const auto found = parts_.state.find_namespace(key);
    if (!found) co_return refusal{found.error()};
    const auto name = (*found)->name == "*" ? std::string{} : (*found)->name;
    const auto shown_context = (*found)->context;
    std::vector<service_id> ids;
    const auto all = wishes_;
    for (const auto& one : all) {
        if (!one->service.empty() || one->namespace_name != name || shown(one->context) != shown_context) continue;
        for (const auto& [id, of] : forwarded_)
            if (id.context == one->context && one->means(*of.object)) ids.push_back(id);
        drop_wish(one);
    }
    std::vector<std::string> gone;
    const auto deadline = clock_.now() + 10s;
    for (const auto& id : ids) {
        std::shared_ptr<const kube::service> object;
        if (wish_for(id, object)) continue; // somebody wants it by itself
        while (forwarded_.contains(id))
            if (!co_await changed_before(deadline))
                co_return refusal{error{errc::timed_out, "service " + key_of(id) + " is still being removed"}};
        gone.push_back(key_of(id));
    }
    co_return gone;
}

void supervisor::shutdown(bool force)
{
    parts_.on_shutdown(force);
}

// --- cluster_view ------------------------------------------------------------------------------------------------------

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
