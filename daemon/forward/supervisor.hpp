// From wishes to forwards: follows the clusters, leases addresses, listens, names, and tells the catalog what is so. Control thread.
// What faces ask for arrives here as catalog::commands; what the data thread saw as data_events.
#pragma once

#include "common/async/task_scope.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/cluster_view.hpp"
#include "daemon/catalog/commands.hpp"
#include "daemon/forward/cluster.hpp"
#include "daemon/forward/data_plane.hpp"
#include "daemon/forward/naming.hpp"
#include "daemon/forward/public_names.hpp"
#include "daemon/forward/selection.hpp"
#include "daemon/host/client.hpp"
#include "daemon/store/leases.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fwd::forward {

struct supervisor_settings {
    kube::kubeconfig config;
    struct context {
        std::string name, alias;
    };
    std::vector<context> contexts;              ///< of --context, the first is primary; empty: the current one
    std::string primary_namespace;              ///< of the primary context; empty: the first that is asked for
    std::map<std::string, std::string> aliases; ///< of contexts that --context does not name
    std::set<std::string> protected_contexts;   ///< as in the kubeconfig: they get no bare names
    std::string domain;
    std::vector<port_mapping> mappings;
    std::vector<local_service> locals;
    std::map<std::string, ipv4> reservations; ///< by "svc", "svc.ns", "svc.ns.ctx", or with "svc" before a stable pod's name
    bool allow_shadow = false;                ///< names that the public DNS has are taken all the same
    std::string user;
    duration find_service = 30s;  ///< how long an add waits for the first list
    duration find_at_start = 10s; ///< the same where the wish stays anyway
};

/// All of it outlives the supervisor.
struct supervisor_parts {
    const kube::surroundings& around;
    data_plane& data;
    host::host_client& host;
    store::lease_store& leases;
    catalog::catalog& state;
    std::function<void(bool force)> on_shutdown;
};

class supervisor final : public catalog::commands, public catalog::cluster_view {
public:
    supervisor(supervisor_parts parts, supervisor_settings settings);
    ~supervisor() override;

    /// Starts reconciling. Wishes may be added before.
    void start();
    /// Names, routes and forwards go; watches end. The data plane is stopped by its owner.
    awaitable<void> stop();
    /// Where the data thread reports to.
    [[nodiscard]] data_events& reports();
    /// Ends when every namespace that was asked for has its list in, or has failed; what failed is returned.
    awaitable<std::vector<error>> settled(duration limit);
    /// Network changed, or the machine woke up.
    void poke();
    /// The kubeconfig was changed: contexts are followed to what it says now, and nothing else is touched. Returns what is different, a
    /// sentence each.
    std::vector<std::string> reload(kube::kubeconfig next);
    /// What of the configuration may change while it runs.
    void reconfigure(std::vector<port_mapping> mappings, std::vector<local_service> locals, bool allow_shadow);

    // catalog::commands
    awaitable<catalog::answer<catalog::added_service>> add(catalog::add_service ask) override;
    awaitable<catalog::answer<catalog::added_namespace>> add(catalog::add_namespace ask) override;
    awaitable<catalog::answer<std::vector<std::string>>> remove_service(std::string key) override;
    awaitable<catalog::answer<std::vector<std::string>>> remove_namespace(std::string key) override;
    awaitable<catalog::answer<catalog::primary_set>> set_primary(catalog::set_primary ask) override;
    awaitable<void> reconnect(std::vector<std::string> keys, duration patience) override;
    awaitable<catalog::answer<std::monostate>> sync(std::string key, duration patience) override;
    awaitable<void> prove(std::string key, duration patience) override;
    void shutdown(bool force) override;

    // catalog::cluster_view
    result<catalog::open_cluster> open(const std::string& context) override;
    [[nodiscard]] std::vector<catalog::context> known() const override;
    awaitable<catalog::answer<std::vector<catalog::cluster_service>>> services(std::string context, std::string namespace_name) override;
    awaitable<catalog::answer<std::vector<catalog::cluster_namespace>>> namespaces(std::string context) override;

private:
    /// Names a service of a cluster, forwarded or not.
    struct service_id {
        std::string context, namespace_name, name; ///< context as in the kubeconfig
        auto operator<=>(const service_id&) const = default;
    };
    /// One listening port.
    struct port_state {
        forward_id id = 0;
        service_id of;
        planned_port plan;
        ipv4 address;
        std::uint16_t local = 0; ///< where it listens in truth
        enum class listening { pending, there, failed } listens = listening::pending;
        std::string listen_code, listen_problem;
        std::shared_ptr<catalog::counters> traffic;
        bool opening = false, verified = false;
        time_point proved_at{};                  ///< when a tunnel or an answer was seen last
        std::optional<catalog::failure> failure; ///< since the last success
        std::optional<catalog::failure> reset;   ///< connections that the application itself reset, as far as they are told
        std::optional<catalog::failure> loss;    ///< the last tunnel that ended by itself
        std::uint64_t attempts = 0;
        std::string failed_pod; ///< that the failure tells of
        backoff retrying{{500ms, 5s}};
        backoff asking{{1s, 30s}}; ///< a port that its pod refused; the tunnel is there already
        timer_id retry = 0;        ///< of the next attempt without a client
        wall_time retry_due{};
        endpoints sent;
    };
    /// An address with its ports and names: of the service itself, or of one stable pod.
    struct group {
        std::string lease_key;
        ipv4 address;
        std::map<std::uint16_t, port_state> ports; ///< by the local port that was planned
        std::vector<std::string> names;            ///< granted, and written unless withheld
        std::vector<catalog::conflict> conflicts;
        std::vector<std::string> written;     ///< in the file, as far as is known
        std::vector<std::string> refused;     ///< were to be written, too, but the file has them already
        bool here = false;                    ///< its names lead to this machine itself: --local
        std::optional<time_point> gone_since; ///< its stable pod was deleted; it stays for a while
        std::optional<time_point> refused_at; ///< when the last of these was
        [[nodiscard]] bool asked_for(const std::vector<std::string>& all) const;
    };
    struct forwarded {
        service_id id;
        std::shared_ptr<const kube::service> object;
        service_plan plan;
        std::map<std::string, group> groups;   ///< "" is the service, others are stable pods by host name
        std::optional<time_point> eligible_at; ///< the last moment at which somebody is known to have been
        bool was_eligible = false;
        catalog::wish_owner owner;
        bool by_itself = false;
        std::optional<local_service> local; ///< it runs here
        std::string lease_code, lease_problem;
        /// It had pods, and has none now.
        [[nodiscard]] bool pods_gone() const { return eligible_at && plan.pods.ready == 0; }
    };
    /// What one pass asks of the machine.
    struct batch {
        std::vector<ipv4> new_addresses, old_addresses;
        std::vector<host::route_entry> old_routes;
        std::vector<std::pair<service_id, std::string>> listens; ///< service and group with pending ports
        std::vector<endpoints> endpoints_;
        std::set<service_id> touched;
        bool here_changed = false; ///< a name that led to this machine itself is gone
    };

    // supervisor.cpp: contexts and wishes
    result<cluster*> open_context(const std::string& name);
    result<std::string> context_name(const std::string& given) const;
    [[nodiscard]] std::string shown(const std::string& context) const;
    [[nodiscard]] std::string key_of(const service_id& id) const;
    [[nodiscard]] std::optional<service_id> id_of(const std::string& key) const;
    static watch_scope scope_of(const wish& what);
    std::shared_ptr<wish> put_wish(wish next, bool& created);
    void drop_wish(const std::shared_ptr<wish>& what);
    void show_namespaces();
    void show_contexts();
    void mark(const service_id& id);
    void mark_namespace(const std::string& context, const std::string& namespace_name);
    void mark_names(const std::vector<std::string>& names);
    [[nodiscard]] std::shared_ptr<wish> wish_for(const service_id& id, std::shared_ptr<const kube::service>& object);
    // commands.cpp
    /// A wish on its way.
    struct begun {
        cluster* from = nullptr;
        std::shared_ptr<wish> kept;
        bool created = false;
        bool already = false; ///< the service was forwarded before
        bool first = false;   ///< it made its namespace the primary one
        time_point deadline{};
        std::optional<catalog::refusal> not_yet; ///< why the lists are not in, of a wish that stays
    };
    awaitable<catalog::answer<begun>> begin(const std::string& given_context, wish next, duration timeout, bool stays);
    /// Takes back what a failed wish began, and comes back when nothing of it is left.
    awaitable<catalog::refusal> give_up(begun what, catalog::refusal why);
    /// Why the service, as it is shown now, is not what was asked for, and never will be.
    std::optional<catalog::refusal> impossible(const catalog::add_service& ask, const service_id& id) const;
    /// A wish that was there already, widened by one that is like it.
    void widen(wish& kept, const std::vector<catalog::wanted_port>& ports);
    void widen(wish& kept, const std::vector<std::string>& exclude);
    [[nodiscard]] bool wanted_with_namespace(const service_id& id) const;
    static std::optional<catalog::refusal> unknown_port(const catalog::add_service& ask, const kube::service& object);
    awaitable<bool> changed_before(time_point deadline);
    /// Waits until all that is known is put into effect, or what is known of one service, which outlives the call. False: not in time.
    awaitable<bool> reconciled(time_point deadline, const service_id* only = nullptr);
    awaitable<catalog::answer<std::monostate>> wait_for_lists(cluster& of, std::shared_ptr<wish> what, time_point deadline);
    awaitable<catalog::refusal> unknown_service(cluster& of, std::string namespace_name, std::string name);
    awaitable<std::optional<catalog::refusal>> unknown_namespace(cluster& of, std::string name);
    awaitable<bool> wait_until_ready(std::vector<std::string> keys, catalog::wait_for what, time_point deadline);
    /// Every port of these services is seen to work, has failed, or has no pod to try.
    [[nodiscard]] bool decided(const std::vector<std::string>& keys) const;
    [[nodiscard]] std::vector<port_state*> ports_of(const std::vector<std::string>& keys);
    [[nodiscard]] bool satisfied(const std::string& key, catalog::wait_for what) const;
    awaitable<void> renew(std::string context);

    // primary.cpp: which namespace has the bare names
    void claim_again(const std::set<service_id>& ids);
    [[nodiscard]] std::map<std::string, std::string> written_names() const;
    // recovery.cpp: what failed is tried again
    void context_changed(const std::string& context);
    void failed(port_state& port, const report& what);
    void retry_later(port_state& port);
    void try_again(forward_id id);
    void proved(port_state& port, bool answered);
    void access_changed(const std::string& context, const std::string& namespace_name);

    // reconcile.cpp: from what is wanted to what is there
    awaitable<void> reconcile();
    void update(const service_id& id, batch& to);
    void remove(const service_id& id, batch& to);
    void update_group(forwarded& of, const std::string& hostname, const std::vector<planned_port>& ports, bool coming, batch& to);
    void remove_group(forwarded& of, const std::string& hostname, batch& to);
    void update_here(forwarded& of, batch& to);
    void update_stable(forwarded& of, bool may_come, batch& to);
    [[nodiscard]] bool asleep(forwarded& of);
    void listen_to_warnings(forwarded& of);
    void forget(const service_id& id);
    result<ipv4> lease(const forwarded& of, const std::string& hostname, const std::string& key);
    void announce(port_state& port);
    void recheck_at(time_point when);
    // claims.cpp: names
    void claim_names(forwarded& of, const std::string& hostname);
    [[nodiscard]] name_question question_for(const forwarded& of, const std::string& hostname) const;
    [[nodiscard]] std::string owner_of(const std::string& lease_key) const;
    // machine.cpp: calls to the host
    awaitable<void> apply(batch& now);
    awaitable<void> listen_bound(group& at);
    awaitable<void> write_names(const batch& now);
    void note_refusal(const host::name_refusal& refusal);
    [[nodiscard]] host::host_names names_here() const;

    // show.cpp: what the catalog says
    void show(const forwarded& of);
    void add_forwards(catalog::service& to, const forwarded& of, const std::string& hostname, const group& from) const;
    void judge(catalog::forward& to, const forwarded& of, const std::string& hostname, const port_state& port) const;
    [[nodiscard]] bool works_since(const port_state& port, time_point when) const;
    void on_reports(std::vector<report> reports);

    struct ears;

    supervisor_parts parts_;
    supervisor_settings settings_;
    logger& log_;
    timing& clock_;
    std::unique_ptr<ears> ears_;
    std::shared_ptr<kube::exec_cache> plugins_;
    std::map<std::string, std::string> shown_;                 ///< context to what is shown
    std::map<std::string, std::unique_ptr<cluster>> clusters_; ///< by context
    std::string primary_context_;
    std::map<std::string, std::string> primary_namespace_; ///< by context
    std::vector<std::shared_ptr<wish>> wishes_;
    std::map<service_id, forwarded> forwarded_;
    std::map<forward_id, std::pair<service_id, std::pair<std::string, std::uint16_t>>> by_id_;
    name_table names_;
    public_names public_;
    std::map<std::string, time_point> down_since_; ///< contexts that do not answer
    std::set<service_id> dirty_;
    async_event dirty_event_, changed_;
    forward_id last_id_ = 0;
    bool reconciling_ = false; ///< a pass is under way
    bool stopping_ = false;
    timer_id retry_listen_ = 0, recheck_ = 0;
    time_point recheck_when_{};
    task_scope tasks_;
};

} // namespace fwd::forward
