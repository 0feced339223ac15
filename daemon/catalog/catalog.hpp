// The truth for all faces: contexts, namespaces, services, forwards, as last observed. Control thread.
// The supervisor writes it, faces read it, every change is an event.
#pragma once

#include "common/async/timing.hpp"
#include "common/net/endpoint.hpp"
#include "daemon/catalog/counters.hpp"
#include "daemon/catalog/event.hpp"
#include "daemon/catalog/state.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fwd::catalog {

/// What went wrong last, how often, and when it is tried again.
struct failure {
    wall_time at;
    std::string code;        ///< lower snake case, e.g. port_refused, no_ready_pod, forbidden
    std::string message;     ///< one sentence for a person
    std::uint64_t count = 1; ///< in a row
    std::optional<wall_time> next_retry;
};

/// Who asked for something. Empty client: the command line of the daemon.
struct wish_owner {
    std::string owner;  ///< user
    std::string client; ///< Fwd-Client
    std::string purpose;
    wall_time created_at;
};

/// One service port on one local address.
struct forward {
    std::string service_key;
    std::string service, namespace_name, context;
    bool headless = false;
    std::string pod; ///< that the next connection would most likely get; empty: none
    std::string container;
    ipv4 local_ip;
    std::string stable_pod;                 ///< its one pod, there or not, of a headless service; empty: any of the service's
    std::vector<std::string> own_hostnames; ///< of a stable pod; empty: those of the service
    std::uint16_t local_port = 0;           ///< where it is reachable here
    std::uint16_t service_port = 0;
    std::string port_name;
    std::string app_protocol;   ///< of the service port, as "kubernetes.io/h2c"
    std::uint16_t pod_port = 0; ///< of that pod; 0: unknown
    std::string target_port;    ///< as the service spells it
    std::string protocol = "TCP";
    forward_state state = forward_state::pending;
    bool verified = false; ///< Active by evidence of a tunnel, not by an access review
    std::string reason;    ///< one sentence: why it is not Active
    std::string reason_code;
    wall_time since;
    wall_time started_at;
    std::optional<failure> last_error;
    std::uint64_t attempts = 0;
    std::vector<std::string> pods;     ///< eligible, by name
    std::optional<failure> last_reset; ///< connections that the application itself reset; says nothing about the forward
    std::optional<failure> last_loss;  ///< a tunnel that ended by itself
    struct outage {
        wall_time since;
        std::string code, message, pod; ///< why, and the pod until then
    };
    std::optional<outage> away; ///< kept by the catalog, from a loss to the return
    std::shared_ptr<counters> traffic = std::make_shared<counters>();
    /// `service.ns.ctx.pod.localPort`, without the pod part while there is none; of a headless service only with the pod that
    /// the address belongs to.
    [[nodiscard]] std::string key() const;
};

struct conflict {
    std::string name;
    std::string held_by;   ///< service key, "hosts file line 12", "public DNS"
    std::string wanted_by; ///< service key of the other claimant; on both services the same
};

struct pod_count {
    unsigned ready = 0, total = 0;
};

struct unsupported_port {
    std::uint16_t port = 0;
    std::string name, protocol, reason;
};

struct service {
    std::string service, namespace_name, context;
    std::string type; ///< ClusterIP, NodePort, LoadBalancer, ExternalName
    bool headless = false;
    service_state state = service_state::pending;
    std::string reason; ///< why it is not active; empty when it is
    std::string reason_code;
    wall_time since;
    std::optional<ipv4> local_ip;
    std::vector<std::string> hostnames;
    std::vector<conflict> conflicts;
    std::vector<forward> forwards; ///< by local port
    std::vector<unsupported_port> unsupported;
    pod_count pods;
    wish_owner owner;
    bool by_itself = false; ///< asked for by its name, so that it stays when its namespace goes
    std::optional<failure> last_error;
    [[nodiscard]] std::string key() const { return service + "." + namespace_name + "." + context; }
};

/// A namespace that is forwarded.
struct forwarded_namespace {
    std::string name, context;
    std::string label_selector, field_selector;
    std::vector<std::string> services, exclude; ///< name patterns
    bool running = false;                       ///< its lists are in and its watches are up
    std::optional<failure> last_error;
    wish_owner owner;
    [[nodiscard]] std::string key() const { return name + "." + context; }
};

struct context {
    std::string name;  ///< as in the kubeconfig
    std::string shown; ///< alias, or reduced to host-name characters
    std::string server, cluster, user, namespace_name;
    std::string version; ///< gitVersion, when known
    bool primary = false;
    bool connected = false;
    bool insecure = false;     ///< verification is off in the kubeconfig
    bool is_protected = false; ///< by configuration: additions are to be confirmed
    std::string waiting_for;   ///< "login" while a credential plugin runs long
    std::optional<failure> last_error;
    std::vector<std::string> left_out; ///< "pod shop/We b": objects whose names are none that Kubernetes allows
};

/// Why `object` of a context's left_out is nowhere to be seen.
[[nodiscard]] std::string left_out_sentence(const std::string& object, const std::string& context);

struct totals {
    std::size_t services = 0, active_services = 0, forwards = 0, active_forwards = 0, errors = 0, pending = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    double rate_in = 0, rate_out = 0;
};

/// What one run of the daemon is.
struct identity {
    std::string version, build, user, hosts_path, listening, platform; ///< listening: sk_lookup or bind
    int pid = 0;
    bool privileged = false;
    wall_time started;
    bool agent_alive = true;
    std::string primary_namespace, primary_context;
};

class catalog {
public:
    catalog(timing& clock, event_sink& events);

    [[nodiscard]] const std::map<std::string, service>& services() const { return services_; }
    [[nodiscard]] const std::map<std::string, forwarded_namespace>& namespaces() const { return namespaces_; }
    [[nodiscard]] const std::map<std::string, context>& contexts() const { return contexts_; }
    [[nodiscard]] const identity& self() const { return self_; }
    [[nodiscard]] totals sum() const;
    [[nodiscard]] health state() const;
    [[nodiscard]] bool uses(const context& one) const;
    /// The service state that its forwards add up to.
    [[nodiscard]] static service_state add_up(const service& of);

    /// A key or a shorter form of one. Errors: not_found with close names, ambiguous with the candidates.
    [[nodiscard]] result<const service*> find_service(std::string_view key) const;
    [[nodiscard]] result<std::pair<const service*, const forward*>> find_forward(std::string_view key) const;
    [[nodiscard]] result<const forwarded_namespace*> find_namespace(std::string_view key) const;
    /// The keys that a short form may mean, in order. "web", "web.shop", "shop/web" and the whole key all mean web.shop.kind.
    [[nodiscard]] std::vector<std::string> services_like(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> namespaces_like(std::string_view key) const;

    // For the supervisor. Puts compare with what was there and emit ServiceAdded, ServiceUpdated, PodStatusChanged ... only
    // for what changed. What the catalog keeps itself need not be given: `since` moves only when the state does, `started_at` and
    // `created_at` are kept, `last_error` stays until another one comes.
    void put(service next);
    void remove_service(const std::string& key);
    void put(forwarded_namespace next);
    void remove_namespace(const std::string& key);
    void put(context next);
    void set_self(identity next) { self_ = std::move(next); }
    /// For a forward that is new; those made otherwise have no rates.
    [[nodiscard]] std::shared_ptr<counters> new_counters() { return board_->make(); }
    /// Feeds the meters of what is in use, and while somebody listens emits BandwidthUpdate for services where something moved, and
    /// once after that. Called once a second.
    void sample_rates();

private:
    /// Events of the forwards in `now`, compared with what they were.
    void announce(const service* before, service& now);
    /// Each pod that takes connections now, and each that takes none any more, once for the whole service.
    void announce_pods(const service* before, const service& now);

    timing& clock_;
    event_sink& events_;
    std::shared_ptr<counter_board> board_;
    std::map<std::string, service> services_;
    std::map<std::string, forwarded_namespace> namespaces_;
    std::map<std::string, context> contexts_;
    identity self_;
};

} // namespace fwd::catalog
