// The fields we read of Service, Pod, Namespace, EndpointSlice and Event; everything else is left in the JSON.
// Parsing is lenient: what is absent or of another type than expected is as if it were not set.
#pragma once

#include "common/async/timing.hpp"
#include "daemon/kube/access.hpp"
#include "daemon/kube/selector.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fwd::kube {

struct object_meta {
    std::string namespace_name, name, uid, resource_version;
    kube::labels labels;
    kube::labels annotations; ///< only those that begin with fwd.dev/
    std::optional<wall_time> created;
    std::optional<wall_time> deletion; ///< deletionTimestamp: it is going away
    [[nodiscard]] std::string key() const { return namespace_name.empty() ? name : namespace_name + "/" + name; }
};

struct service_port {
    std::string name;
    std::string protocol = "TCP";
    std::string app_protocol;
    std::uint16_t port = 0;
    /// A number, a port name, or nothing: the same as `port`.
    std::variant<std::monostate, std::uint16_t, std::string> target;
    std::uint16_t node_port = 0;
    [[nodiscard]] std::string target_text() const; ///< "8080", "http", or the port itself
    bool operator==(const service_port&) const = default;
};

struct service {
    object_meta meta;
    std::string type = "ClusterIP";
    std::string cluster_ip; ///< "None" when headless
    std::string external_name;
    labels selector;
    std::vector<service_port> ports;
    bool session_affinity = false; ///< ClientIP
    bool publish_not_ready = false;
    [[nodiscard]] bool headless() const { return cluster_ip == "None"; }
    [[nodiscard]] bool is_external_name() const { return type == "ExternalName"; }
    /// One pod is kept: sessionAffinity ClientIP or the annotation fwd.dev/sticky: "true".
    [[nodiscard]] bool sticky() const;
};

struct container_port {
    std::string name;
    std::string protocol = "TCP";
    std::uint16_t port = 0;
};

struct container {
    std::string name, image;
    std::vector<container_port> ports;
    bool init = false;
    bool restartable = false; ///< a sidecar: an init container with restartPolicy Always
    /// Literal POSTGRES_*, PG*, MYSQL_*, MARIADB_*, MONGO_*, REDIS_* and RABBITMQ_* values; never of passwords or references.
    std::vector<std::pair<std::string, std::string>> hints;
    /// Names of the Secrets that such variables refer to: variable, secret, key.
    struct secret_reference {
        std::string variable, secret, key;
    };
    std::vector<secret_reference> secrets;
};

struct container_status {
    std::string name;
    bool init = false;
    bool ready = false, started = false;
    unsigned restarts = 0;
    enum class state_kind { none, waiting, running, terminated } state = state_kind::none;
    std::string reason, message; ///< of waiting or terminated
    int exit_code = 0;           ///< of terminated
    std::string last_reason;     ///< of the last termination
    std::string last_message;    ///< its termination message, mostly absent
    int last_exit_code = 0;
    std::optional<wall_time> last_finished;
};

struct pod_condition {
    std::string type, status, reason, message;
    std::optional<wall_time> changed;
};

struct pod {
    object_meta meta;
    std::string phase;           ///< Pending, Running, Succeeded, Failed, Unknown
    std::string reason, message; ///< of the status, e.g. Evicted
    std::string node, ip, hostname, subdomain;
    bool host_network = false;
    std::string owner_kind, owner_name; ///< of the controller
    std::vector<container> containers;  ///< init containers too, marked
    std::vector<container_status> statuses;
    std::vector<pod_condition> conditions;
    std::optional<wall_time> started;
    [[nodiscard]] bool ready() const; ///< condition Ready is True
    [[nodiscard]] std::optional<wall_time> ready_since() const;
    [[nodiscard]] bool deleting() const { return meta.deletion.has_value(); }
    [[nodiscard]] bool finished() const { return phase == "Succeeded" || phase == "Failed"; }
    [[nodiscard]] unsigned restarts() const;
    [[nodiscard]] std::pair<unsigned, unsigned> ready_count() const; ///< of containers: ready, all
    [[nodiscard]] const pod_condition* condition(std::string_view type) const;
    [[nodiscard]] pod_ref ref() const { return {meta.namespace_name, meta.name, meta.uid}; }
};

struct namespace_object {
    object_meta meta;
    std::string phase; ///< Active, Terminating
};

struct slice_endpoint {
    std::vector<std::string> addresses;
    bool ready = true, serving = true, terminating = false;
    std::string hostname, node;
    std::string target_kind, target_namespace, target_name, target_uid;
};
struct slice_port {
    std::string name, protocol = "TCP", app_protocol;
    std::uint16_t port = 0; ///< 0: all ports
};
struct endpoint_slice {
    object_meta meta;
    std::string service_name; ///< of the label kubernetes.io/service-name
    std::string address_type;
    std::vector<slice_endpoint> endpoints;
    std::vector<slice_port> ports;
};

struct event {
    object_meta meta;
    std::string type, reason, message, source;
    std::string object_kind, object_name, object_uid;
    std::uint64_t count = 1;
    std::optional<wall_time> first, last; ///< last: the time to show
};

/// Whether Kubernetes lets an object have these names: a label for the namespace, labels joined by dots for the object. Only those
/// are taken from a server: nothing else may get into paths, host names and terminals. Source: "Object Names and IDs".
[[nodiscard]] bool has_lawful_name(const object_meta& meta);
/// The same of services and namespaces, whose names are one label.
[[nodiscard]] bool has_lawful_label(const object_meta& meta);

// From the object's JSON. An object without a name is still a value; callers drop it.
[[nodiscard]] service read_service(const boost::json::value& from);
[[nodiscard]] pod read_pod(const boost::json::value& from);
[[nodiscard]] namespace_object read_namespace(const boost::json::value& from);
[[nodiscard]] endpoint_slice read_endpoint_slice(const boost::json::value& from);
[[nodiscard]] event read_event(const boost::json::value& from);

} // namespace fwd::kube
