// The handlers behind the route table, by noun. Each validates, asks the catalog, the commands or the cluster, and replies.
#pragma once

#include "daemon/api/router.hpp"

namespace fwd::api {

// docs
awaitable<reply> get_openapi(api_context& with, api_request& ask);
awaitable<reply> get_docs(api_context& with, api_request& ask);
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
// reconnects
awaitable<reply> post_services_reconnect(api_context& with, api_request& ask);
awaitable<reply> post_service_reconnect(api_context& with, api_request& ask);
awaitable<reply> post_service_sync(api_context& with, api_request& ask);
// checks
awaitable<reply> post_service_check(api_context& with, api_request& ask);
// environment
awaitable<reply> get_env(api_context& with, api_request& ask);
awaitable<reply> get_service_env(api_context& with, api_request& ask);
// doctor
awaitable<reply> get_doctor(api_context& with, api_request& ask);
// primary
awaitable<reply> put_primary(api_context& with, api_request& ask);
// plans
awaitable<reply> post_plan(api_context& with, api_request& ask);
awaitable<reply> post_plan_apply(api_context& with, api_request& ask);
// metrics
awaitable<reply> get_metrics(api_context& with, api_request& ask);
awaitable<reply> get_service_metrics_list(api_context& with, api_request& ask);
awaitable<reply> get_service_metrics(api_context& with, api_request& ask);
awaitable<reply> get_service_metrics_history(api_context& with, api_request& ask);
awaitable<reply> get_prometheus(api_context& with, api_request& ask);
// connections
awaitable<reply> get_connections(api_context& with, api_request& ask);
awaitable<reply> get_service_connections(api_context& with, api_request& ask);
// http
awaitable<reply> get_service_http(api_context& with, api_request& ask);
awaitable<reply> get_forward_http(api_context& with, api_request& ask);
awaitable<reply> get_http(api_context& with, api_request& ask);
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
awaitable<reply> get_k8s_service(api_context& with, api_request& ask);
awaitable<reply> get_k8s_ports(api_context& with, api_request& ask);
awaitable<reply> get_k8s_endpoints(api_context& with, api_request& ask);
awaitable<reply> get_k8s_events(api_context& with, api_request& ask);
awaitable<reply> get_k8s_find(api_context& with, api_request& ask);
// pods
awaitable<reply> get_k8s_pods(api_context& with, api_request& ask);
awaitable<reply> get_k8s_pod(api_context& with, api_request& ask);
awaitable<reply> get_k8s_pod_logs(api_context& with, api_request& ask);
// explain
awaitable<reply> get_explain(api_context& with, api_request& ask);
awaitable<reply> get_explain_any(api_context& with, api_request& ask);
// history
awaitable<reply> get_history_events(api_context& with, api_request& ask);
awaitable<reply> get_history_errors(api_context& with, api_request& ask);
awaitable<reply> get_history_reconnections(api_context& with, api_request& ask);
awaitable<reply> get_history_requests(api_context& with, api_request& ask);
awaitable<reply> get_history_stats(api_context& with, api_request& ask);
awaitable<reply> get_service_reconnections(api_context& with, api_request& ask);
// logs
awaitable<reply> get_logs(api_context& with, api_request& ask);
awaitable<reply> delete_logs(api_context& with, api_request& ask);
awaitable<reply> get_logs_stream(api_context& with, api_request& ask);
// diagnostics
awaitable<reply> get_analyze(api_context& with, api_request& ask);
awaitable<reply> get_diagnostics(api_context& with, api_request& ask);
awaitable<reply> get_service_diagnostics(api_context& with, api_request& ask);
awaitable<reply> get_forward_diagnostics(api_context& with, api_request& ask);
awaitable<reply> get_network_diagnostics(api_context& with, api_request& ask);
awaitable<reply> get_error_diagnostics(api_context& with, api_request& ask);

} // namespace fwd::api
