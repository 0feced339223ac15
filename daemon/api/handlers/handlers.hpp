// The handlers behind the route table, by noun. Each validates, asks the catalog, the commands or the cluster, and replies.
#pragma once

#include "daemon/api/router.hpp"

namespace fwd::api {

// daemon
awaitable<reply> get_health(api_context& with, api_request& ask);
awaitable<reply> get_info(api_context& with, api_request& ask);
awaitable<reply> get_status(api_context& with, api_request& ask);
awaitable<reply> post_shutdown(api_context& with, api_request& ask);
awaitable<reply> post_token_rotate(api_context& with, api_request& ask);
// services
awaitable<reply> get_services(api_context& with, api_request& ask);
awaitable<reply> post_service(api_context& with, api_request& ask);
awaitable<reply> get_service(api_context& with, api_request& ask);
awaitable<reply> delete_service(api_context& with, api_request& ask);
awaitable<reply> get_service_env(api_context& with, api_request& ask);
// forwards
awaitable<reply> get_forwards(api_context& with, api_request& ask);
awaitable<reply> get_forward(api_context& with, api_request& ask);
// namespaces
awaitable<reply> get_namespaces(api_context& with, api_request& ask);
awaitable<reply> post_namespace(api_context& with, api_request& ask);
awaitable<reply> get_namespace(api_context& with, api_request& ask);
awaitable<reply> delete_namespace(api_context& with, api_request& ask);
// events
awaitable<reply> get_events(api_context& with, api_request& ask);
// kubernetes
awaitable<reply> get_k8s_contexts(api_context& with, api_request& ask);
awaitable<reply> get_k8s_namespaces(api_context& with, api_request& ask);
awaitable<reply> get_k8s_services(api_context& with, api_request& ask);

} // namespace fwd::api
