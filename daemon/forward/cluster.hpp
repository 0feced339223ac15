// One context as the supervisor sees it: credentials, version, rights, and the kept lists of services, pods and slices. Control thread.
#pragma once

#include "common/async/task_scope.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/forward/access_reviews.hpp"
#include "daemon/forward/idle_workloads.hpp"
#include "daemon/forward/pod_warnings.hpp"
#include "daemon/kube/discovery.hpp"
#include "daemon/kube/kubeconfig.hpp"
#include "daemon/kube/replaceable_credentials.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fwd::forward {

class followed_list;

/// What the supervisor hears, never from inside a call.
struct cluster_events {
    /// A service, its pods or its slices changed, came or went.
    std::function<void(const std::string& namespace_name, const std::string& service)> service_changed;
    /// Everything of a namespace (empty: of all) may look different: lists came in, rights are known, a watch failed or recovered.
    std::function<void(const std::string& namespace_name)> namespace_changed;
    /// Whether pods/portforward may be used there is known, or is otherwise than before.
    std::function<void(const std::string& namespace_name)> access_changed;
    std::function<void()> context_changed;
    std::function<void(std::shared_ptr<const kube::access>)> renewed;
    std::function<void(int minor)> version_known;
};

/// Which services to watch. An empty namespace: all of them, and where that is forbidden, each by itself.
struct watch_scope {
    std::string namespace_name, label_selector, field_selector;
    auto operator<=>(const watch_scope&) const = default;
};

class cluster {
public:
    /// Errors: those of the configuration (no such file, bad URL ...).
    static result<std::unique_ptr<cluster>> make(const kube::context_config& config, std::string shown, const kube::surroundings& around,
                                                 std::shared_ptr<kube::exec_cache> plugins, task_scope& tasks, cluster_events heard);
    ~cluster();

    /// Starts watching, or counts one more user of it.
    void watch(const watch_scope& scope);
    void unwatch(const watch_scope& scope);

    /// The first list of services is in; of all namespaces one by one, each list is in or cannot be had.
    [[nodiscard]] bool synced(const watch_scope& scope) const;
    [[nodiscard]] bool pods_known(const std::string& namespace_name) const;
    /// Why the services or pods of the scope cannot be followed now; namespaces of which nothing may be read are left out where others may.
    [[nodiscard]] std::optional<catalog::failure> watch_failure(const watch_scope& scope) const;
    /// The same of the pods that serve a namespace.
    [[nodiscard]] std::optional<catalog::failure> pods_failure(const std::string& namespace_name) const;
    /// Since when and why the server does not answer, or does not take our credentials. Nothing: it does.
    [[nodiscard]] std::optional<catalog::failure> down() const;
    void each_service(const watch_scope& scope, const std::function<void(const std::shared_ptr<const kube::service>&)>& visit) const;
    [[nodiscard]] std::shared_ptr<const kube::service> find_service(const watch_scope& scope, const std::string& namespace_name,
                                                                    const std::string& name) const;
    /// Selected by the service, by name.
    [[nodiscard]] std::vector<const kube::pod*> pods_of(const kube::service& service) const;
    /// Of a service without selector; starts to watch slices of its namespace at first use.
    [[nodiscard]] std::vector<const kube::endpoint_slice*> slices_of(const kube::service& service);
    [[nodiscard]] bool slices_known(const std::string& namespace_name) const;
    [[nodiscard]] const access_state& access(const std::string& namespace_name) const { return reviews_->of(namespace_name); }
    [[nodiscard]] access_reviews& reviews() { return *reviews_; }
    [[nodiscard]] idle_workloads& idle() { return *idle_; }
    [[nodiscard]] pod_warnings& warnings() { return *warnings_; }

    [[nodiscard]] kube::discovery& ask() { return ask_; }
    [[nodiscard]] kube::credential_source& credentials() { return *credentials_; }
    [[nodiscard]] const kube::context_config& config() const { return config_; }
    [[nodiscard]] const std::string& shown() const { return shown_; }
    [[nodiscard]] catalog::context state() const;
    /// The context as the kubeconfig has it now. What is kept stays; with another server the lists are read anew. Errors: as make(), and
    /// then everything stays as it was.
    result<void> adopt(const kube::context_config& next);
    /// Tries everything that waits at once.
    void poke();
    /// As poke(), and streams that may be dead are opened anew.
    void reconnect();
    /// Somebody had no answer from the server. It is asked, and where it does not answer that either, nothing of it counts as reachable
    /// until something does.
    void doubt();
    /// No tunnel was to be had because that pod is gone: the watch may be behind, or cut without anybody having noticed. Where its end is
    /// not heard of very soon, the pods are followed anew.
    void gone(kube::pod_ref pod);
    /// Ends the watches and waits for their end. The tasks given at make() are their owner's to join.
    awaitable<void> stop();

private:
    struct services_watch;
    struct pods_watch;
    struct slices_watch;
    struct namespaces_watch;
    /// For callbacks of one credential source; emptied when it is replaced.
    using ear = std::shared_ptr<cluster*>;

    cluster(const kube::context_config& config, std::string shown, const kube::surroundings& around,
            std::shared_ptr<kube::exec_cache> plugins, task_scope& tasks, cluster_events heard,
            std::unique_ptr<kube::credential_source> credentials);
    static kube::credential_events events_for(const ear& alive);
    void wait_for_login(bool waiting, const std::string& says);
    void renewed(std::shared_ptr<const kube::access> next);
    awaitable<void> keep_credentials();
    awaitable<void> connect();
    awaitable<void> ask_whether_there();
    awaitable<result<bool>> is_there();
    [[nodiscard]] pods_watch* still_listing(const kube::pod_ref& pod) const;
    awaitable<void> await_end_of(kube::pod_ref pod);
    void works_again();
    awaitable<void> bury();
    template <class T>
    void retire(T watched);

    // cluster_watches.cpp
    std::unique_ptr<services_watch> watch_services(const watch_scope& scope, bool quiet);
    std::unique_ptr<pods_watch> watch_pods(const std::string& namespace_name, bool quiet);
    std::unique_ptr<slices_watch> watch_slices(const std::string& namespace_name);
    void each_list(const std::function<void(followed_list&)>& visit) const;
    [[nodiscard]] pods_watch* pods_in(const std::string& namespace_name) const;
    void pod_changed(const kube::pod& one);
    void changed(const std::string& namespace_name);
    // cluster_spread.cpp: all namespaces one by one
    [[nodiscard]] bool is_spread(const watch_scope& scope) const { return spread_.contains(scope); }
    void spread_or_gather();
    void spread(const watch_scope& scope);
    void gather(const watch_scope& scope);
    void namespace_came(const std::string& name);
    void namespace_went(const std::string& name);

    kube::context_config config_;
    std::string shown_;
    const kube::surroundings& around_;
    std::shared_ptr<kube::exec_cache> plugins_;
    task_scope& tasks_;
    cluster_events heard_;
    ear ear_;
    std::unique_ptr<kube::replaceable_credentials> credentials_;
    std::uint64_t generation_ = 0; ///< the latest that was heard of
    std::unique_ptr<kube::api_client> client_;
    kube::discovery ask_;
    std::unique_ptr<access_reviews> reviews_;
    std::unique_ptr<idle_workloads> idle_;
    std::unique_ptr<pod_warnings> warnings_;
    std::map<watch_scope, std::unique_ptr<services_watch>> services_;
    std::map<std::string, std::unique_ptr<pods_watch>> pods_;
    std::map<std::string, std::unique_ptr<slices_watch>> slices_;
    std::unique_ptr<namespaces_watch> namespaces_;        ///< while anything is spread
    std::map<watch_scope, std::set<std::string>> spread_; ///< scopes of all namespaces, and those that stand for them
    std::vector<std::shared_ptr<void>> retired_;          ///< watches that were dropped, until their tasks have surely ended
    std::string version_;
    bool connected_ = false, connecting_ = false;
    retry_pause connect_pause_;
    bool doubting_ = false;
    time_point seen_there_{}; ///< it answered when it was doubted
    std::string waiting_for_;
    std::optional<catalog::failure> failure_, waiting_failure_;
};

} // namespace fwd::forward
