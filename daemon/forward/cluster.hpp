// One context as the supervisor sees it: credentials, version, rights, and the kept lists of services, pods and slices. Control thread.
#pragma once

#include "common/async/task_scope.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/kube/credentials.hpp"
#include "daemon/kube/discovery.hpp"
#include "daemon/kube/informer.hpp"
#include "daemon/kube/kubeconfig.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fwd::forward {

/// What the supervisor hears, never from inside a call.
struct cluster_events {
    /// A service, its pods or its slices changed, came or went.
    std::function<void(const std::string& namespace_name, const std::string& service)> service_changed;
    /// Everything of a namespace may look different: lists came in, rights are known, a watch failed or recovered.
    std::function<void(const std::string& namespace_name)> namespace_changed;
    std::function<void()> context_changed;
    std::function<void(std::shared_ptr<const kube::access>)> renewed;
    std::function<void(int minor)> version_known;
};

/// Whether pods/portforward may be used in a namespace.
struct access_state {
    enum class kind { unknown, allowed, denied } what = kind::unknown;
    std::string reason; ///< when denied
};

/// Which services to watch.
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

    /// The first list of services is in.
    [[nodiscard]] bool synced(const watch_scope& scope) const;
    [[nodiscard]] bool pods_known(const std::string& namespace_name) const;
    [[nodiscard]] std::optional<catalog::failure> watch_failure(const watch_scope& scope) const;
    void each_service(const watch_scope& scope, const std::function<void(const std::shared_ptr<const kube::service>&)>& visit) const;
    [[nodiscard]] std::shared_ptr<const kube::service> find_service(const watch_scope& scope, const std::string& namespace_name,
                                                                    const std::string& name) const;
    /// Selected by the service, by name.
    [[nodiscard]] std::vector<const kube::pod*> pods_of(const kube::service& service) const;
    /// Of a service without selector; starts to watch slices of its namespace at first use.
    [[nodiscard]] std::vector<const kube::endpoint_slice*> slices_of(const kube::service& service);
    [[nodiscard]] bool slices_known(const std::string& namespace_name) const;
    [[nodiscard]] const access_state& access(const std::string& namespace_name) const;

    [[nodiscard]] kube::discovery& ask() { return ask_; }
    [[nodiscard]] kube::credential_source& credentials() { return *credentials_; }
    [[nodiscard]] const kube::context_config& config() const { return config_; }
    [[nodiscard]] const std::string& shown() const { return shown_; }
    [[nodiscard]] catalog::context state() const;
    /// Tries everything that waits at once.
    void poke();
    /// Ends the watches and waits for their end. The tasks given at make() are their owner's to join.
    awaitable<void> stop();

private:
    struct services_watch;
    struct pods_watch;
    struct slices_watch;

    cluster(const kube::context_config& config, std::string shown, const kube::surroundings& around, task_scope& tasks,
            cluster_events heard, std::unique_ptr<kube::credential_source> credentials, std::unique_ptr<kube::api_client> client);
    void wait_for_login(bool waiting, const std::string& says);
    awaitable<void> keep_credentials();
    awaitable<void> connect();
    awaitable<void> review(std::string namespace_name);
    awaitable<void> bury();
    [[nodiscard]] pods_watch* pods_in(const std::string& namespace_name) const;
    void pod_changed(const kube::pod& one);
    void services_selecting(const kube::pod& one, const std::function<void(const kube::service&)>& visit) const;
    void note_failure(std::optional<catalog::failure>& at, const kube::api_failure& why, duration retry_in);

    kube::context_config config_;
    std::string shown_;
    const kube::surroundings& around_;
    task_scope& tasks_;
    cluster_events heard_;
    std::unique_ptr<kube::credential_source> credentials_;
    std::unique_ptr<kube::api_client> client_;
    kube::discovery ask_;
    std::map<watch_scope, std::unique_ptr<services_watch>> services_;
    std::map<std::string, std::unique_ptr<pods_watch>> pods_;
    std::map<std::string, std::unique_ptr<slices_watch>> slices_;
    std::vector<std::shared_ptr<void>> retired_; ///< watches that were dropped, until their tasks have surely ended
    std::map<std::string, access_state> access_;
    std::string version_;
    std::string waiting_for_;
    std::optional<catalog::failure> failure_, waiting_failure_;
    std::shared_ptr<cluster*> self_; ///< for callbacks of the credentials; emptied at the end
    static const std::string all_namespaces;
};

} // namespace fwd::forward
