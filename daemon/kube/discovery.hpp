// Read-only questions to a cluster: version, namespaces, services, pods, events, and what we may do. Control thread.
#pragma once

#include "daemon/kube/api_client.hpp"
#include "daemon/kube/types.hpp"

#include <boost/json/fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fwd::kube {

struct server_version {
    std::string git_version;  ///< "v1.33.1"
    int major = 0, minor = 0; ///< of "29+" the number
};
[[nodiscard]] server_version read_version(const boost::json::value& from);

/// One question of SelfSubjectAccessReview.
struct access_question {
    std::string verb, resource, subresource, group, namespace_name, name;
};
struct access_answer {
    bool allowed = false;
    std::string reason; ///< of the authorizer; may be empty
};

struct list_scope {
    std::string namespace_name; ///< empty: all
    std::string label_selector, field_selector;
};

/// A piece of a list as the server cuts it.
struct page_ask {
    std::size_t limit = 0; ///< 0: all at once
    std::string more;      ///< continue token of the page before; empty: from the beginning
};
template <class T>
struct page_of {
    std::vector<T> items;
    std::string more; ///< continue token; empty: that was all
};

/// What `kubectl` takes in place of a pod's name.
enum class workload_kind { deployment, stateful_set, daemon_set, job };
/// "deploy", "deployment", "deployments", "sts" ... as kubectl knows them.
[[nodiscard]] std::optional<workload_kind> parse_workload_kind(std::string_view word);

/// What keeps pods.
struct workload {
    workload_kind kind = workload_kind::deployment;
    std::string name;
    std::int64_t replicas = 1; ///< wanted
    std::int64_t ready = 0;
    labels pod_labels;   ///< of its template
    std::string trouble; ///< why it cannot make pods, in the server's words; empty: nothing known
};

struct log_question {
    std::string namespace_name, pod, container;
    std::optional<std::int64_t> tail_lines;
    std::optional<wall_time> since;
    bool previous = false, timestamps = false;
};

/// Lists are read from the server's cache in one request, in the order of namespace and name.
class discovery {
public:
    explicit discovery(api_client& client) : client_{client} {}

    awaitable<api_result<server_version>> version();
    awaitable<api_result<std::vector<namespace_object>>> namespaces();
    /// errc::not_found when there is none of that name.
    awaitable<api_result<namespace_object>> namespace_named(std::string name);
    awaitable<api_result<std::vector<service>>> services(list_scope of);
    awaitable<api_result<service>> service_named(std::string namespace_name, std::string name);
    awaitable<api_result<std::vector<pod>>> pods(list_scope of);
    awaitable<api_result<pod>> pod_named(std::string namespace_name, std::string name);
    /// Errors: gone when the token is too old.
    awaitable<api_result<page_of<service>>> services(list_scope of, page_ask part);
    awaitable<api_result<page_of<pod>>> pods(list_scope of, page_ask part);
    /// The pod as the server has it, for what `pod` leaves out.
    awaitable<api_result<boost::json::value>> pod_document(std::string namespace_name, std::string name);
    /// Deployments or StatefulSets of a namespace.
    awaitable<api_result<std::vector<workload>>> workloads(workload_kind kind, std::string namespace_name);
    /// The label selector of a workload, as text.
    awaitable<api_result<std::string>> selector_of(workload_kind kind, std::string namespace_name, std::string name);
    /// The log to its end.
    awaitable<api_result<std::string>> log(log_question what);
    /// The log as it grows, until the container ends.
    awaitable<api_result<std::unique_ptr<api_stream>>> follow_log(log_question what);
    awaitable<api_result<std::vector<endpoint_slice>>> slices(list_scope of);
    /// Newest first, of one object where `kind` and `name` are given. `type`: "Warning", "Normal"; empty: both.
    awaitable<api_result<std::vector<event>>> events(std::string namespace_name, std::string kind = {}, std::string name = {},
                                                     std::size_t limit = 500, std::string type = {});
    awaitable<api_result<access_answer>> may(access_question question);
    /// Whether pods/portforward may be used in the namespace (empty: everywhere): `create`, or else `get`. One request when allowed.
    awaitable<api_result<access_answer>> may_forward(std::string namespace_name);

private:
    api_client& client_;
};

} // namespace fwd::kube
