#include "daemon/forward/cluster.hpp"

#include "common/log.hpp"
#include "daemon/kube/pod_rules.hpp"

#include <fmt/core.h>

namespace fwd::forward {

namespace {

/// One of the pairs that both a selector and the pods it selects have: an index key.
std::string index_key(const std::string& namespace_name, const std::string& key, const std::string& value)
{
    return namespace_name + '\n' + key + '=' + value;
}

using index = std::map<std::string, std::set<std::string>>;

void forget(index& from, const std::string& key, const std::string& member)
{
    const auto at = from.find(key);
    if (at == from.end()) return;
    at->second.erase(member);
    if (at->second.empty()) from.erase(at);
}

std::string code_of(const error& why)
{
    if (why.code.category() == fwd_category()) return std::string{name_of(static_cast<errc>(why.code.value()))};
    return "unreachable";
}

} // namespace

/// A watch that runs as a task of its own until it is dropped.
template <class T>
struct running_watch {
    running_watch(const kube::surroundings& around, kube::api_client& client, kube::scope of, kube::informer_handlers<T> handlers)
        : informer{std::make_shared<kube::informer<T>>(around, client, std::move(of), std::move(handlers))}, tasks{around.executor,
                                                                                                                   around.log}
    {
        tasks.start("watch", run(informer));
    }
    ~running_watch() { tasks.cancel(); }
    static awaitable<void> run(std::shared_ptr<kube::informer<T>> one) { co_await one->run(); }

    std::shared_ptr<kube::informer<T>> informer; ///< kept by the task as well, which ends a little later
    task_scope tasks;
    std::optional<catalog::failure> failure;
};

struct cluster::services_watch {
    std::size_t users = 0;
    index selecting; ///< by the first pair of the selector: keys of services
    std::unique_ptr<running_watch<kube::service>> watch;
};
struct cluster::pods_watch {
    std::size_t users = 0;
    index labelled; ///< by each label: keys of pods
    std::unique_ptr<running_watch<kube::pod>> watch;
};
struct cluster::slices_watch {
    std::unique_ptr<running_watch<kube::endpoint_slice>> watch;
};

result<std::unique_ptr<cluster>> cluster::make(const kube::context_config& config, std::string shown, const kube::surroundings& around,
                                               std::shared_ptr<kube::exec_cache> plugins, task_scope& tasks, cluster_events heard)
{
    kube::credential_events events;
    auto alive = std::make_shared<cluster*>(nullptr);
    events.renewed = [alive](std::shared_ptr<const kube::access> next) {
        if (*alive) (*alive)->heard_.renewed(std::move(next));
    };
    events.waiting_for_login = [alive](bool waiting, const std::string& says) {
        if (*alive) (*alive)->wait_for_login(waiting, says);
    };
    auto credentials = kube::make_credential_source(config, around, std::move(plugins), std::move(events));
    if (!credentials) return credentials.error();
    auto client = kube::make_api_client(around, **credentials);
    std::unique_ptr<cluster> made{
        new cluster{config, std::move(shown), around, tasks, std::move(heard), std::move(*credentials), std::move(client)}};
    *alive = made.get();
    made->self_ = alive;
    tasks.start("credentials of " + config.name, made->keep_credentials());
    tasks.start("connect " + config.name, made->connect());
    return made;
}

/// What the plugin says is for the person: where to go and what to type.
void cluster::wait_for_login(bool waiting, const std::string& says)
{
    waiting_for_ = waiting ? "login" : "";
    waiting_failure_.reset();
    if (waiting) {
        waiting_failure_.emplace();
        waiting_failure_->at = around_.clock.wall_now();
        waiting_failure_->code = "waiting_for_login";
        waiting_failure_->message = "the credential plugin waits" + (says.empty() ? std::string{} : ", saying: " + says);
        around_.log.warn("a credential plugin waits", {{"context", config_.name}, {"says", says}});
    }
    heard_.context_changed();
}

cluster::cluster(const kube::context_config& config, std::string shown, const kube::surroundings& around, task_scope& tasks,
                 cluster_events heard, std::unique_ptr<kube::credential_source> credentials, std::unique_ptr<kube::api_client> client)
    : config_{config}, shown_{std::move(shown)}, around_{around}, tasks_{tasks}, heard_{std::move(heard)},
      credentials_{std::move(credentials)}, client_{std::move(client)}, ask_{*client_}
{
}

cluster::~cluster()
{
    *self_ = nullptr;
}

awaitable<void> cluster::keep_credentials()
{
    co_await credentials_->run();
}

awaitable<void> cluster::connect()
{
    // Everything here tells the truth about the context; the watches go on by themselves.
    backoff wait{{500ms, 5s}};
    for (;;) {
        auto version = co_await ask_.version();
        if (version) {
            version_ = version->git_version;
            failure_.reset();
            heard_.version_known(version->minor);
            heard_.context_changed();
            co_return;
        }
        const auto pause = wait.next(around_.random);
        note_failure(failure_, version.error(), pause);
        heard_.context_changed();
        co_await around_.clock.sleep_for(pause);
    }
}

void cluster::note_failure(std::optional<catalog::failure>& at, const kube::api_failure& why, duration retry_in)
{
    const auto now = around_.clock.wall_now();
    const auto count = at ? at->count + 1 : 1;
    at = catalog::failure{now, code_of(why.why), why.why.message(), count, now + retry_in};
}

awaitable<void> cluster::review(std::string namespace_name)
{
    backoff wait{{500ms, 30s}};
    for (;;) {
        auto answer = co_await ask_.may_forward(namespace_name);
        auto& state = access_[namespace_name];
        duration again = 60s;
        if (answer) {
            wait.reset();
            const auto before = state.what;
            state.what = answer->allowed ? access_state::kind::allowed : access_state::kind::denied;
            state.reason = answer->allowed
                               ? ""
                               : fmt::format("pods/portforward (verbs get and create) is not allowed in namespace {}", namespace_name);
            if (!answer->allowed && !answer->reason.empty()) state.reason += ": " + answer->reason;
            if (before != state.what) heard_.namespace_changed(namespace_name);
            // What is allowed shows itself in tunnels from here on; what is denied may be granted.
            if (answer->allowed) co_return;
        } else
            again = wait.next(around_.random);
        co_await around_.clock.sleep_for(again);
    }
}

cluster::pods_watch* cluster::pods_in(const std::string& namespace_name) const
{
    for (const auto* name : {&namespace_name, &all_namespaces}) {
        const auto at = pods_.find(*name);
        if (at != pods_.end()) return at->second.get();
    }
    return nullptr;
}

const std::string cluster::all_namespaces;

void cluster::services_selecting(const kube::pod& one, const std::function<void(const kube::service&)>& visit) const
{
    for (const auto& [scope, watched] : services_)
        for (const auto& [key, value] : one.meta.labels) {
            const auto at = watched->selecting.find(index_key(one.meta.namespace_name, key, value));
            if (at == watched->selecting.end()) continue;
            for (const auto& name : at->second) {
                const auto service = watched->watch->informer->find(name);
                if (service && kube::selects(*service, one)) visit(*service);
            }
        }
}

void cluster::pod_changed(const kube::pod& one)
{
    services_selecting(one,
                       [this](const kube::service& service) { heard_.service_changed(service.meta.namespace_name, service.meta.name); });
}

void cluster::watch(const watch_scope& scope)
{
    auto& watched = services_[scope];
    if (watched) {
        ++watched->users;
    } else {
        watched = std::make_unique<services_watch>();
        watched->users = 1;
        auto* at = watched.get();
        const auto indexed = [at](const kube::service& service, bool add) {
            if (service.selector.empty()) return;
            const auto& [key, value] = *service.selector.begin();
            const auto under = index_key(service.meta.namespace_name, key, value);
            if (add)
                at->selecting[under].insert(service.meta.key());
            else
                forget(at->selecting, under, service.meta.key());
        };
        const auto tell = [this](const kube::service& service) { heard_.service_changed(service.meta.namespace_name, service.meta.name); };
        kube::informer_handlers<kube::service> handlers;
        handlers.added = [indexed, tell](const std::shared_ptr<const kube::service>& now) {
            indexed(*now, true);
            tell(*now);
        };
        handlers.changed = [indexed, tell](const std::shared_ptr<const kube::service>& before,
                                           const std::shared_ptr<const kube::service>& now) {
            indexed(*before, false);
            indexed(*now, true);
            tell(*now);
        };
        handlers.removed = [indexed, tell](const std::shared_ptr<const kube::service>& was) {
            indexed(*was, false);
            tell(*was);
        };
        handlers.synced = [this, scope] { heard_.namespace_changed(scope.namespace_name); };
        handlers.failed = [this, at, scope](const kube::api_failure& why, duration retry_in) {
            note_failure(at->watch->failure, why, retry_in);
            heard_.namespace_changed(scope.namespace_name);
        };
        handlers.recovered = [this, at, scope] {
            at->watch->failure.reset();
            heard_.namespace_changed(scope.namespace_name);
        };
        const kube::scope of{scope.namespace_name, scope.label_selector, scope.field_selector};
        watched->watch = std::make_unique<running_watch<kube::service>>(around_, *client_, of, std::move(handlers));
    }

    auto& pods = pods_[scope.namespace_name];
    if (pods) {
        ++pods->users;
        return;
    }
    pods = std::make_unique<pods_watch>();
    pods->users = 1;
    auto* at = pods.get();
    const auto indexed = [at](const kube::pod& pod, bool add) {
        for (const auto& [key, value] : pod.meta.labels) {
            const auto under = index_key(pod.meta.namespace_name, key, value);
            if (add)
                at->labelled[under].insert(pod.meta.key());
            else
                forget(at->labelled, under, pod.meta.key());
        }
    };
    kube::informer_handlers<kube::pod> handlers;
    // Until the first list is whole nobody needs to hear of each pod: synced tells them all.
    const auto tell = [this, at](const kube::pod& pod) {
        if (at->watch && at->watch->informer->synced()) pod_changed(pod);
    };
    handlers.added = [indexed, tell](const std::shared_ptr<const kube::pod>& now) {
        indexed(*now, true);
        tell(*now);
    };
    handlers.changed = [indexed, tell](const std::shared_ptr<const kube::pod>& before, const std::shared_ptr<const kube::pod>& now) {
        const bool relabelled = before->meta.labels != now->meta.labels;
        if (relabelled) {
            indexed(*before, false);
            indexed(*now, true);
            tell(*before);
        }
        tell(*now);
    };
    handlers.removed = [indexed, tell](const std::shared_ptr<const kube::pod>& was) {
        indexed(*was, false);
        tell(*was);
    };
    const auto name = scope.namespace_name;
    handlers.synced = [this, name] { heard_.namespace_changed(name); };
    handlers.failed = [this, at, name](const kube::api_failure& why, duration retry_in) {
        note_failure(at->watch->failure, why, retry_in);
        heard_.namespace_changed(name);
    };
    handlers.recovered = [this, at, name] {
        at->watch->failure.reset();
        heard_.namespace_changed(name);
    };
    pods->watch = std::make_unique<running_watch<kube::pod>>(around_, *client_, kube::scope{name, {}, {}}, std::move(handlers));
    if (!access_.contains(name)) {
        access_.emplace(name, access_state{});
        tasks_.start("access review", review(name));
    }
}

void cluster::unwatch(const watch_scope& scope)
{
    const auto services = services_.find(scope);
    if (services == services_.end()) return;
    const auto retire = [this](auto watched) {
        watched->watch->tasks.cancel();
        retired_.push_back(std::shared_ptr<void>{std::move(watched)});
    };
    if (--services->second->users == 0) {
        retire(std::move(services->second));
        services_.erase(services);
    }
    const auto pods = pods_.find(scope.namespace_name);
    if (--pods->second->users > 0) return;
    retire(std::move(pods->second));
    pods_.erase(pods);
    if (const auto slices = slices_.find(scope.namespace_name); slices != slices_.end()) {
        retire(std::move(slices->second));
        slices_.erase(slices);
    }
    tasks_.start("end watches", bury());
}

awaitable<void> cluster::bury()
{
    // A cancelled task may have one completion under way; it is over long before this.
    co_await around_.clock.sleep_for(1s);
    retired_.clear();
}

awaitable<void> cluster::stop()
{
    for (auto& [scope, watched] : services_) {
        watched->watch->tasks.cancel();
        co_await watched->watch->tasks.join();
    }
    for (auto& [name, watched] : pods_) {
        watched->watch->tasks.cancel();
        co_await watched->watch->tasks.join();
    }
    for (auto& [name, watched] : slices_) {
        watched->watch->tasks.cancel();
        co_await watched->watch->tasks.join();
    }
}

bool cluster::synced(const watch_scope& scope) const
{
    const auto at = services_.find(scope);
    return at != services_.end() && at->second->watch->informer->synced();
}

bool cluster::pods_known(const std::string& namespace_name) const
{
    const auto* at = pods_in(namespace_name);
    return at && at->watch->informer->synced();
}

std::optional<catalog::failure> cluster::watch_failure(const watch_scope& scope) const
{
    const auto at = services_.find(scope);
    if (at != services_.end() && at->second->watch->failure) return at->second->watch->failure;
    const auto* pods = pods_in(scope.namespace_name);
    return pods ? pods->watch->failure : std::nullopt;
}

void cluster::each_service(const watch_scope& scope, const std::function<void(const std::shared_ptr<const kube::service>&)>& visit) const
{
    const auto at = services_.find(scope);
    if (at == services_.end()) return;
    auto& informer = *at->second->watch->informer;
    informer.each([&](const kube::service& one) { visit(informer.find(one.meta.key())); });
}

std::shared_ptr<const kube::service> cluster::find_service(const watch_scope& scope, const std::string& namespace_name,
                                                           const std::string& name) const
{
    const auto at = services_.find(scope);
    return at == services_.end() ? nullptr : at->second->watch->informer->find(namespace_name + "/" + name);
}

std::vector<const kube::pod*> cluster::pods_of(const kube::service& service) const
{
    std::vector<const kube::pod*> found;
    const auto* pods = pods_in(service.meta.namespace_name);
    if (!pods || service.selector.empty()) return found;
    const auto& [key, value] = *service.selector.begin();
    const auto at = pods->labelled.find(index_key(service.meta.namespace_name, key, value));
    if (at == pods->labelled.end()) return found;
    for (const auto& name : at->second) {
        const auto pod = pods->watch->informer->find(name);
        if (pod && kube::selects(service, *pod)) found.push_back(pod.get());
    }
    return found;
}

std::vector<const kube::endpoint_slice*> cluster::slices_of(const kube::service& service)
{
    const auto& name = service.meta.namespace_name;
    auto& slices = slices_[name];
    if (!slices) {
        slices = std::make_unique<slices_watch>();
        auto* at = slices.get();
        kube::informer_handlers<kube::endpoint_slice> handlers;
        const auto tell = [this](const kube::endpoint_slice& one) { heard_.service_changed(one.meta.namespace_name, one.service_name); };
        handlers.added = [tell](const std::shared_ptr<const kube::endpoint_slice>& now) { tell(*now); };
        handlers.changed = [tell](const auto&, const std::shared_ptr<const kube::endpoint_slice>& now) { tell(*now); };
        handlers.removed = [tell](const std::shared_ptr<const kube::endpoint_slice>& was) { tell(*was); };
        handlers.synced = [this, name] { heard_.namespace_changed(name); };
        handlers.failed = [this, at](const kube::api_failure& why, duration retry_in) { note_failure(at->watch->failure, why, retry_in); };
        handlers.recovered = [at] { at->watch->failure.reset(); };
        slices->watch =
            std::make_unique<running_watch<kube::endpoint_slice>>(around_, *client_, kube::scope{name, {}, {}}, std::move(handlers));
    }
    std::vector<const kube::endpoint_slice*> found;
    slices->watch->informer->each([&](const kube::endpoint_slice& one) {
        if (one.service_name == service.meta.name && one.meta.namespace_name == name) found.push_back(&one);
    });
    return found;
}

bool cluster::slices_known(const std::string& namespace_name) const
{
    const auto at = slices_.find(namespace_name);
    return at != slices_.end() && at->second->watch->informer->synced();
}

const access_state& cluster::access(const std::string& namespace_name) const
{
    static const access_state unknown;
    for (const auto* name : {&namespace_name, &all_namespaces}) {
        const auto at = access_.find(*name);
        if (at != access_.end()) return at->second;
    }
    return unknown;
}

catalog::context cluster::state() const
{
    catalog::context made;
    made.name = config_.name;
    made.shown = shown_;
    made.server = client_->server();
    made.cluster = config_.cluster.name;
    made.user = config_.user.name;
    made.namespace_name = config_.namespace_name;
    made.version = version_;
    made.insecure = credentials_->insecure();
    made.waiting_for = waiting_for_;
    made.last_error = failure_;
    for (const auto& [scope, watched] : services_)
        if (!made.last_error && watched->watch->failure) made.last_error = watched->watch->failure;
    for (const auto& [name, watched] : pods_)
        if (!made.last_error && watched->watch->failure) made.last_error = watched->watch->failure;
    made.connected = !version_.empty() && !made.last_error;
    if (waiting_failure_) made.last_error = waiting_failure_;
    return made;
}

void cluster::poke()
{
    for (const auto& [scope, watched] : services_) watched->watch->informer->poke();
    for (const auto& [name, watched] : pods_) watched->watch->informer->poke();
    for (const auto& [name, watched] : slices_) watched->watch->informer->poke();
}

} // namespace fwd::forward
