// Its life: credentials, the first contact, what the kubeconfig says of it.
#include "daemon/forward/cluster.hpp"

#include "common/async/timeout.hpp"
#include "common/log.hpp"
#include "daemon/forward/cluster_watches.hpp"

#include <algorithm>

namespace fwd::forward {

namespace {

constexpr duration owes_answer = 10s;  ///< a server that is there
constexpr duration believed = 30s;     ///< so long an answer stands against further doubts
constexpr duration on_its_way = 500ms; ///< an event of a watch that works
constexpr duration anew = 5s;          ///< pods that are said to be gone make their watch start over no more often

} // namespace

cluster::cluster(const kube::context_config& config, std::string shown, const kube::surroundings& around,
                 std::shared_ptr<kube::exec_cache> plugins, task_scope& tasks, cluster_events heard,
                 std::unique_ptr<kube::credential_source> credentials)
    : config_{config}, shown_{std::move(shown)}, around_{around}, plugins_{std::move(plugins)}, tasks_{tasks}, heard_{std::move(heard)},
      credentials_{std::make_unique<kube::replaceable_credentials>(std::move(credentials))},
      client_{kube::make_api_client(around, *credentials_)}, ask_{*client_}, connect_pause_{around.clock}
{
    const auto tell = [this](const std::string& name) { heard_.namespace_changed(name); };
    const auto rights = [this](const std::string& name) { heard_.access_changed(name); };
    reviews_ = std::make_unique<access_reviews>(around_, ask_, tasks_, rights);
    idle_ = std::make_unique<idle_workloads>(around_, *client_, tasks_, tell);
    warnings_ = std::make_unique<pod_warnings>(around_, ask_, tasks_, tell);
}

cluster::~cluster()
{
    *ear_ = nullptr;
}

kube::credential_events cluster::events_for(const ear& alive)
{
    kube::credential_events made;
    made.renewed = [alive](std::shared_ptr<const kube::access> next) {
        if (*alive) (*alive)->renewed(std::move(next));
    };
    made.waiting_for_login = [alive](bool waiting, const std::string& says) {
        if (*alive) (*alive)->wait_for_login(waiting, says);
    };
    return made;
}

result<std::unique_ptr<cluster>> cluster::make(const kube::context_config& config, std::string shown, const kube::surroundings& around,
                                               std::shared_ptr<kube::exec_cache> plugins, task_scope& tasks, cluster_events heard)
{
    auto alive = std::make_shared<cluster*>(nullptr);
    auto credentials = kube::make_credential_source(config, around, plugins, events_for(alive));
    if (!credentials) return credentials.error();
    std::unique_ptr<cluster> made{
        new cluster{config, std::move(shown), around, std::move(plugins), tasks, std::move(heard), std::move(*credentials)}};
    *alive = made.get();
    made->ear_ = std::move(alive);
    tasks.start("credentials of " + config.name, made->keep_credentials());
    tasks.start("connect " + config.name, made->connect());
    return made;
}

result<void> cluster::adopt(const kube::context_config& next)
{
    if (next == config_) return {};
    const bool same_session = next.cluster == config_.cluster && next.user == config_.user;
    if (!same_session) {
        auto alive = std::make_shared<cluster*>(this);
        auto credentials = kube::make_credential_source(next, around_, plugins_, events_for(alive), generation_);
        if (!credentials) return credentials.error();
        *ear_ = nullptr;
        ear_ = std::move(alive);
        credentials_->replace(std::move(*credentials));
        waiting_for_.clear();
        waiting_failure_.reset();
        client_->drop_connections();
    }
    const bool same_server = next.cluster.server == config_.cluster.server;
    config_ = next;
    if (same_session) return {};
    reviews_->doubt_all();
    if (!same_server) {
        version_.clear();
        connected_ = false;
        each_list([](followed_list& one) { one.relist(); });
        if (!connecting_) tasks_.start("connect " + config_.name, connect());
    }
    poke();
    heard_.context_changed();
    return {};
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

void cluster::renewed(std::shared_ptr<const kube::access> next)
{
    generation_ = std::max(generation_, next->generation);
    heard_.renewed(std::move(next));
}

awaitable<void> cluster::keep_credentials()
{
    co_await credentials_->run();
}

awaitable<void> cluster::connect()
{
    // Everything here tells the truth about the context; the watches go on by themselves.
    connecting_ = true;
    backoff wait{{500ms, 5s}};
    for (;;) {
        connect_pause_.begin();
        auto version = co_await ask_.version();
        // Whoever may not ask for the version has reached the server all the same.
        if (version || version.error().why.is(errc::forbidden)) {
            connected_ = true;
            connecting_ = false;
            failure_.reset();
            if (version) {
                version_ = version->git_version;
                heard_.version_known(version->minor);
            }
            heard_.context_changed();
            co_return;
        }
        const auto pause = wait.next(around_.random);
        note_failure(failure_, version.error(), pause, around_.clock.wall_now());
        heard_.context_changed();
        co_await connect_pause_.wait(pause);
    }
}

/// One list came back: what else waits need not wait longer.
void cluster::works_again()
{
    poke();
}

void cluster::poke()
{
    credentials_->poke();
    connect_pause_.poke();
    reviews_->poke();
    idle_->poke();
    each_list([](followed_list& one) {
        if (one.failure) one.poke();
    });
}

void cluster::reconnect()
{
    poke();
    each_list([](followed_list& one) { one.reconnect(); });
}

void cluster::doubt()
{
    if (doubting_ || around_.clock.now() - seen_there_ < believed) return;
    doubting_ = true;
    tasks_.start("ask whether " + config_.name + " is there", ask_whether_there());
}

awaitable<void> cluster::ask_whether_there()
{
    client_->drop_connections(); // one of them may be what is dead
    const auto there = co_await with_timeout(around_.clock, owes_answer, is_there());
    doubting_ = false;
    if (there) { // new connections get through, old ones need not
        seen_there_ = around_.clock.now();
        reconnect();
        co_return;
    }
    const auto why = there.error().in(config_.cluster.server);
    each_list([&](followed_list& one) { one.doubt(why); });
}

/// Any answer shows that somebody is there; so does one that never went out.
awaitable<result<bool>> cluster::is_there()
{
    auto version = co_await ask_.version();
    const auto unreached = [](const error& why) {
        const auto one_of = {errc::timed_out, errc::closed, errc::refused, errc::dns_failed, errc::proxy_failed};
        return why.code.category() != fwd_category() || std::any_of(one_of.begin(), one_of.end(), [&](errc one) { return why.is(one); });
    };
    if (!version && version.error().status == 0 && unreached(version.error().why)) co_return version.error().why;
    co_return true;
}

/// The watch that has the pod, and not as one that is on its way out.
cluster::pods_watch* cluster::still_listing(const kube::pod_ref& pod) const
{
    auto* const pods = pods_in(pod.namespace_name);
    if (!pods) return nullptr;
    const auto one = pods->list->list().find(pod.namespace_name + "/" + pod.name);
    return one && one->meta.uid == pod.uid && !one->deleting() ? pods : nullptr;
}

void cluster::gone(kube::pod_ref pod)
{
    poke();
    auto* const pods = still_listing(pod);
    if (!pods || std::exchange(pods->doubted, true)) return;
    const auto name = "await the end of pod " + pod.name;
    tasks_.start(name, await_end_of(std::move(pod)));
}

awaitable<void> cluster::await_end_of(kube::pod_ref pod)
{
    co_await around_.clock.sleep_for(on_its_way);
    if (auto* const pods = still_listing(pod)) {
        around_.log.info("a pod that is followed is gone, following anew", {{"context", config_.name}, {"pod", pod.name}});
        client_->drop_connections(); // as silent, maybe
        pods->list->reconnect();
        co_await around_.clock.sleep_for(anew);
    }
    if (auto* const pods = pods_in(pod.namespace_name)) pods->doubted = false;
}

awaitable<void> cluster::bury()
{
    // A cancelled task may have one completion under way; it is over long before this.
    co_await around_.clock.sleep_for(1s);
    retired_.clear();
}

awaitable<void> cluster::stop()
{
    std::vector<followed_list*> all;
    each_list([&](followed_list& one) { all.push_back(&one); });
    for (auto* one : all) one->cancel();
    for (auto* one : all) co_await one->join();
}

catalog::context cluster::state() const
{
    catalog::context made;
    made.name = config_.name;
    made.shown = shown_;
    made.server = config_.cluster.server;
    made.cluster = config_.cluster.name;
    made.user = config_.user.name;
    made.namespace_name = config_.namespace_name;
    made.version = version_;
    made.insecure = credentials_->insecure();
    made.waiting_for = waiting_for_;
    made.last_error = failure_;
    // Rights of single namespaces are theirs to tell, unless there is nothing else.
    for (const auto& [scope, watched] : services_)
        if (!made.last_error && !watched->list->quiet) made.last_error = watch_failure(scope);
    if (const auto why = down()) made.last_error = why;
    made.connected = connected_ && !made.last_error;
    if (waiting_failure_) made.last_error = waiting_failure_;
    const auto tell = [&](const followed_list& one) {
        for (auto& object : one.left_out()) made.left_out.push_back(std::move(object));
    };
    for (const auto& [scope, watched] : services_) tell(*watched->list);
    for (const auto& [name, watched] : pods_) tell(*watched->list);
    if (namespaces_) tell(*namespaces_->list);
    return made;
}

} // namespace fwd::forward
