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
    awaitable<api_result<std::vector<endpoint_slice>>> slices(list_scope of);
    /// Newest first, of one object where `kind` and `name` are given.
    awaitable<api_result<std::vector<event>>> events(std::string namespace_name, std::string kind = {}, std::string name = {},
                                                     std::size_t limit = 500);
    awaitable<api_result<access_answer>> may(access_question question);
    /// Whether pods/portforward may be used in the namespace (empty: everywhere): `create`, or else `get`. One request when allowed.
    awaitable<api_result<access_answer>> may_forward(std::string namespace_name);

private:
    api_client& client_;
};

} // namespace fwd::kube
