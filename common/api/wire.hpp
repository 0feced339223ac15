// The contract between daemon and bridge: REST requests and replies as plain structs, with their JSON both ways.
// Names in JSON are kubefwd's (camel case), so that its clients need only the token. Writing leaves out what is absent and
// writes empty lists as []; reading ignores what is unknown. Times are RFC 3339 UTC with milliseconds.
#pragma once

#include "common/async/timing.hpp"
#include "common/result.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fwd::wire {

namespace json = boost::json;

/// How the problem of a path that is no route begins: by it a client knows a daemon that is older than itself.
inline constexpr std::string_view nothing_at = "there is nothing at ";

/// The JSON of any struct below.
template <class T>
[[nodiscard]] json::value to_json(const T& from);
/// The same as text, without a value tree between: what a list of thousands is written by.
template <class T>
[[nodiscard]] std::string to_text(const T& from);
/// Whether a struct is sent to the daemon, where what is absent is defaulted, or comes from it.
enum class schema_side { request, reply };
/// The JSON Schema of any struct below.
template <class T>
[[nodiscard]] json::value schema_of(schema_side side);
/// Reads any struct below. Errors: parse_error naming the member.
template <class T>
[[nodiscard]] result<T> from_json(const json::value& from);

// --- the envelope ---------------------------------------------------------------------------------------------------

/// Something that helps: a REST call, or a command for a person.
struct next_step {
    std::string method, path;
    json::value body; ///< null: none
    std::string command, why;
};

struct problem {
    std::string code;    ///< lower snake case
    std::string message; ///< one sentence
    std::string cause;
    std::vector<std::string> evidence;
    std::vector<next_step> next;
    std::optional<std::int64_t> retry_after_ms;
};

struct meta {
    std::optional<wall_time> timestamp;
    std::optional<std::int64_t> count, total, offset, limit;
    std::string more; ///< JSON: continue, a token for the next page of a cluster's list; empty: absent
};

/// {success, data?, error?, meta?}
struct envelope {
    bool success = false;
    json::value data; ///< null: none
    std::optional<problem> error;
    std::optional<meta> about;
};

// --- what is forwarded ----------------------------------------------------------------------------------------------

struct failure {
    std::optional<wall_time> at;
    std::string code, message;
    std::int64_t count = 1; ///< in a row
    std::optional<wall_time> next_retry_at;
};

struct conflict {
    std::string name, held_by;
    std::string wanted_by; ///< the other claimant's key, on both services
};

struct pod_count {
    std::int64_t ready = 0, total = 0;
};

/// Who asked for it.
struct owner {
    std::string owner, client, purpose;
    std::optional<wall_time> created_at;
};

struct forward {
    std::string key, service_key, service_name, namespace_name, context;
    bool headless = false;
    std::string pod_name, container_name; ///< empty: no pod at the moment
    std::string local_ip;
    std::uint16_t local_port = 0; ///< a string in JSON, as kubefwd has it
    std::uint16_t pod_port = 0;   ///< a string in JSON; 0: unknown, absent
    std::uint16_t service_port = 0;
    std::string port_name, target_port;
    std::vector<std::string> hostnames;
    std::string status; ///< Active, Connecting, Pending, Error, Stopping
    bool verified = false;
    std::string error; ///< why it is not Active; empty: absent
    std::string error_code;
    std::optional<wall_time> since, started_at, last_active;
    std::optional<failure> last_error;
    std::optional<wall_time> next_retry_at;
    std::int64_t attempts = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    double rate_in = 0, rate_out = 0, avg_rate_in = 0, avg_rate_out = 0;
    std::uint64_t connections = 0; ///< open now
    std::uint64_t total_connections = 0, waiting_connections = 0;
    std::string protocol = "TCP";
};

struct unsupported_port {
    std::uint16_t port = 0;
    std::string name, protocol, reason;
};

struct service {
    std::string key, service_name, namespace_name, context, type;
    bool headless = false;
    std::string status;              ///< active, partial, pending, error, stopping, unsupported
    std::string reason, reason_code; ///< why it is not active; empty: absent
    bool verified = false;           ///< every forward is
    std::int64_t active_count = 0, error_count = 0;
    std::uint64_t total_bytes_in = 0, total_bytes_out = 0;
    double rate_in = 0, rate_out = 0;
    std::uint64_t waiting_connections = 0;
    std::string local_ip; ///< empty: absent
    std::vector<std::string> hostnames;
    std::vector<conflict> conflicts;
    std::vector<forward> forwards;
    std::vector<unsupported_port> unsupported_ports;
    pod_count pods;
    wire::owner owner;
    std::optional<wall_time> since;
    std::optional<failure> last_error;
};

struct summary {
    std::int64_t total_services = 0, active_services = 0, pending_services = 0, total_forwards = 0, active_forwards = 0, error_count = 0;
    std::uint64_t total_bytes_in = 0, total_bytes_out = 0;
    double rate_in = 0, rate_out = 0;
};

struct service_list {
    std::vector<service> services;
    wire::summary summary;
};
struct forward_list {
    std::vector<forward> forwards;
    wire::summary summary;
};

struct namespace_info {
    std::string key, namespace_name, context;
    std::int64_t service_count = 0, active_count = 0, error_count = 0;
    bool running = false;
    std::string label_selector, field_selector;
    std::vector<std::string> services, exclude; ///< name patterns
    wire::owner owner;
    std::optional<failure> last_error;
};
struct namespace_list {
    std::vector<namespace_info> namespaces;
};

// --- changing it ----------------------------------------------------------------------------------------------------

struct wanted_port {
    std::string port; ///< number or name; a number in JSON where it is one
    std::optional<std::uint16_t> local_port;
};

/// POST /services
struct add_service {
    std::string service_name; ///< JSON: serviceName, required
    std::string namespace_name, context;
    std::vector<wanted_port> ports;
    std::optional<std::string> local_ip;
    std::string wait; ///< none, listening, ready, reachable; empty: none
    std::optional<std::int64_t> timeout_ms;
    std::string purpose;
};

struct port_mapping {
    std::uint16_t local_port = 0, remote_port = 0; ///< strings in JSON
    std::string protocol = "TCP", name;
};
struct check {
    std::string stage;
    bool ok = false;
    double duration_ms = 0;
    std::string detail;
};
struct added_service {
    std::string key, service_name, namespace_name, context, local_ip;
    std::vector<std::string> hostnames;
    std::vector<port_mapping> ports;
    std::string status;
    bool created = false; ///< false: it was there
    bool ready = false;
    std::string reason, reason_code; ///< why it is not ready; empty: absent
    std::vector<check> checks;
};

/// DELETE /services/:key, /namespaces/:key
struct removed {
    bool done = false; ///< JSON: removed
    std::string key, message;
    std::vector<std::string> services; ///< keys that are gone
    std::vector<std::string> kept;     ///< keys of a namespace that stay, since they are also wanted by themselves
};

/// POST /namespaces
struct add_namespace {
    std::string namespace_name, context, selector, field_selector;
    std::vector<std::string> services, exclude;
    std::string wait;
    std::optional<std::int64_t> timeout_ms;
    std::string purpose;
};
struct not_ready {
    std::string key, why;
};
struct added_namespace {
    std::string key, namespace_name, context;
    bool created = false, ready = false;
    std::vector<std::string> services; ///< keys
    std::vector<wire::not_ready> not_ready;
};

/// POST /shutdown
struct shutdown_request {
    bool force = false;
};
struct shutdown_reply {
    std::int64_t services = 0, forwards = 0, connections = 0; ///< what ends with it
    std::string message;
};

/// POST /token/rotate. The token itself is only ever in that file.
struct token_rotated {
    std::string path;
};

// --- the daemon -----------------------------------------------------------------------------------------------------

/// GET /api/health, without envelope.
struct health {
    std::string status; ///< ok, degraded, error
    std::string version, uptime;
    std::optional<wall_time> timestamp;
};

struct context_state {
    std::string name, alias, server, cluster, user, namespace_name, version;
    bool active = false; ///< something of it is forwarded
    bool primary = false;
    bool reachable = false;
    bool insecure = false;
    std::string waiting_for; ///< "login"; empty: absent
    std::string error, error_code;
    std::optional<failure> last_error;
};
/// GET /kubernetes/contexts
struct context_list {
    std::vector<context_state> contexts;
    std::string current_context;
};

struct primary {
    std::string namespace_name, context;
};

/// GET /info
struct info {
    std::string version, build, platform, user;
    std::int64_t pid = 0;
    std::optional<wall_time> start_time;
    std::string uptime;
    std::vector<std::string> namespaces; ///< keys
    std::vector<std::string> contexts;   ///< names
    wire::primary primary;
    std::string listening, hosts_path;
    bool privileged = false, api_enabled = true;
    std::int64_t tui_enabled = 0;  ///< attached terminals
    std::vector<std::string> urls; ///< where the API answers
};

struct trouble {
    std::string service_key, status, code, message;
};
/// GET /status
struct status {
    std::string status, message, version, uptime;
    std::optional<wall_time> timestamp;
    std::int64_t error_count = 0;
    wire::summary summary;
    std::vector<context_state> contexts;
    std::vector<trouble> problems; ///< services partial, pending or in error, namespaces and contexts that fail
    std::string listening;
};

// --- the cluster ----------------------------------------------------------------------------------------------------

struct k8s_port {
    std::string name;
    std::uint16_t port = 0;
    std::string target_port, protocol;
    std::string app_protocol, kind; ///< kind: postgres, http ... as far as it is known; empty: absent
};
struct k8s_service {
    std::string name, namespace_name, context, type, cluster_ip;
    std::vector<k8s_port> ports;
    std::map<std::string, std::string> selector;
    bool forwarded = false;
    std::string forward_key;
};
struct k8s_service_list {
    std::vector<k8s_service> services;
};
struct k8s_namespace {
    std::string name, status;
    bool forwarded = false;
};
struct k8s_namespace_list {
    std::vector<k8s_namespace> namespaces;
};

// --- how to connect -------------------------------------------------------------------------------------------------

struct connection_port {
    std::uint16_t local_port = 0, remote_port = 0; ///< numbers in JSON
    std::string protocol, name;
    std::string kind; ///< postgres, mysql, redis, mongodb, kafka, amqp, http, https, grpc; empty: unknown
    std::string url;  ///< empty: absent
};
struct secret_hint {
    std::string name, key, command;
};
/// GET /services/:key/env
struct connection_info {
    std::string key, address;
    std::vector<std::string> hostnames;
    std::vector<connection_port> ports;
    std::string url; ///< of the first port that has one; empty: absent
    std::map<std::string, std::string> env;
    std::vector<secret_hint> secrets;
    bool verified = false;
    std::string status;
    std::string text; ///< ?format=dotenv|shell: lines to use as they are
};

// --- events ---------------------------------------------------------------------------------------------------------

/// One event of GET /events: the SSE fields are id, event (the type) and data (this).
struct event {
    std::uint64_t id = 0; ///< the SSE id; not in the JSON
    std::string type;     ///< ServiceAdded, ...
    std::optional<wall_time> timestamp;
    std::string service_key, service, namespace_name, context, pod_name, local_ip;
    std::uint16_t local_port = 0, pod_port = 0;
    std::vector<std::string> hostnames;
    std::string status, reason, error, client; ///< reason: why it is not active, error: why it failed
    std::uint64_t bytes_in = 0, bytes_out = 0;
};
/// SSE event "dropped": this many were lost by a slow reader or asked for by an id too old to be replayed.
struct dropped {
    std::uint64_t count = 0;
};

/// "1h2m3s", "12s": a whole number of seconds, as Go prints durations.
[[nodiscard]] std::string uptime_text(duration since);

/// `around` as text, with `data` (JSON; empty: none) in the place of its data.
[[nodiscard]] std::string envelope_text(const envelope& around, std::string_view data);
/// Parses the text of a reply. Errors: parse_error.
[[nodiscard]] result<envelope> parse_envelope(std::string_view text);

} // namespace fwd::wire
