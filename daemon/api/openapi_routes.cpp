// What is said of each route. A test holds this table equal to the routes.
#include "daemon/api/openapi.hpp"

#include "common/api/wire_actions.hpp"
#include "common/api/wire_cluster.hpp"
#include "common/api/wire_connections.hpp"
#include "common/api/wire_history.hpp"
#include "common/api/wire_http.hpp"
#include "common/api/wire_primary.hpp"
#include "common/api/wire_traffic.hpp"

namespace fwd::api {

namespace {

using kind = parameter_doc::kind;
using form = route_doc::form;

/// A struct by the name that the document gives it.
template <class T>
shape_doc shape(std::string_view name)
{
    return {name, &wire::schema_of<T>};
}

parameter_doc text(std::string_view name, std::string_view about)
{
    return {name, about};
}
parameter_doc needed(std::string_view name, std::string_view about)
{
    return {.name = name, .about = about, .required = true};
}
parameter_doc whole(std::string_view name, std::string_view about, std::int64_t least, std::int64_t most)
{
    return {.name = name, .about = about, .what = kind::whole, .least = least, .most = most};
}
parameter_doc truth(std::string_view name, std::string_view about)
{
    return {.name = name, .about = about, .what = kind::truth};
}
parameter_doc moment(std::string_view name, std::string_view about)
{
    return {.name = name, .about = about, .what = kind::moment};
}
parameter_doc choice(std::string_view name, std::string_view about, std::vector<std::string_view> words)
{
    return {.name = name, .about = about, .what = kind::choice, .words = std::move(words)};
}

using parameters = std::vector<parameter_doc>;

parameters with(parameters some, const parameters& more)
{
    some.insert(some.end(), more.begin(), more.end());
    return some;
}

const parameter_doc context = text("context", "context of the kubeconfig or its alias; without it the primary one");
const parameters page = {whole("limit", "how many at most (100)", 1, 1000), whole("offset", "how many to leave out first (0)", 0, 0)};
const parameters cluster_page = {whole("limit", "how many at most; without it all", 1, 1000),
                                 text("continue", "meta.continue of the page before")};
const parameters filters = {text("namespace", "only of this namespace"), text("context", "only of this context"),
                            text("search", "part of a key or name")};
const parameter_doc format = choice("format", "text gets lines for a file or a shell", {"json", "dotenv", "shell"});
const parameter_doc points = whole("points", "seconds of history (60)", 1, 300);
const parameters past = {whole("count", "how many at most (100), newest first", 1, 1000), text("type", "only this type"),
                         moment("since", "not what is older")};
const parameters past_of_any = with(past, {text("service", "only of this service")});
const parameters lines = {choice("level", "this level and above", {"debug", "info", "warn", "warning", "error"}),
                          text("search", "part of a line")};
const parameter_doc connection_state = choice("state", "only in this state", {"waiting", "open", "closing", "all"});

void add_daemon(std::vector<route_doc>& to)
{
    const std::vector<route_doc> some = {
        {verb::get, "/", "This reference.", {}, {}, {}, false, form::text},
        {verb::get, "/docs", "This reference.", {}, {}, {}, false, form::text},
        {verb::get, "/openapi.yaml", "This contract for machines.", {}, {}, {}, false, form::text},
        {verb::get,
         "/api/health",
         "Whether the daemon works: ok, degraded or error.",
         {},
         {},
         shape<wire::health>("Health"),
         false,
         form::bare},
        {verb::get, "/api/v1/info", "The daemon: version, process, namespaces, way of listening.", {}, {}, shape<wire::info>("Info")},
        {verb::get, "/api/v1/status", "How everything is, and what is not as it should be.", {}, {}, shape<wire::status>("Status")},
        {verb::post,
         "/api/v1/shutdown",
         "Stops the daemon; tells what ends with it.",
         {},
         shape<wire::shutdown_request>("ShutdownRequest"),
         shape<wire::shutdown_reply>("Shutdown")},
        {verb::post,
         "/api/v1/token/rotate",
         "Replaces the token; the old one ends at once.",
         {},
         {},
         shape<wire::token_rotated>("TokenRotated")},
        {verb::get,
         "/api/v1/doctor",
         "What may be wrong with this machine, each with its fix.",
         {whole("port", "also tells who holds this port", 1, 65535)},
         {},
         shape<wire::doctor_report>("DoctorReport")},
        {verb::post,
         "/api/v1/plans",
         "What an operation would do, and an id to do just that once within five minutes.",
         {},
         shape<wire::plan_request>("PlanRequest"),
         shape<wire::plan>("Plan"),
         false,
         form::envelope,
         {201}},
        {verb::get,
         "/api/v1/events",
         "Events as they happen; Last-Event-ID replays what was missed.",
         {text("type", "types, separated by commas"),
          text("service", "a key or its beginning up to a dot"),
          {.name = "Last-Event-ID", .about = "id of the last event that was seen", .header = true}},
         {},
         {},
         false,
         form::events},
    };
    to.insert(to.end(), some.begin(), some.end());
    // What is applied answers with its own data.
    to.push_back({verb::post,
                  "/api/v1/plans/:id/apply",
                  "Does what was planned; answers as the planned call does. The body may repeat the plan, and must then equal it.",
                  {},
                  shape<wire::plan_request>("PlanRequest"),
                  shape<wire::applied>("Applied"),
                  false,
                  form::envelope,
                  {200, 201}});
}

void add_services(std::vector<route_doc>& to)
{
    const std::vector<route_doc> some = {
        {verb::get,
         "/api/v1/services",
         "Services that are forwarded.",
         with(with(page, filters), {choice("status", "only in this state",
                                           {"active", "partial", "pending", "error", "stopping", "unsupported", "local", "all"})}),
         {},
         shape<wire::service_list>("ServiceList")},
        {verb::post,
         "/api/v1/services",
         "Forwards a service; the second time it changes nothing and says 200.",
         {},
         shape<wire::add_service>("AddService"),
         shape<wire::added_service>("AddedService"),
         false,
         form::envelope,
         {201, 200}},
        {verb::get, "/api/v1/services/:key", "One service with its forwards.", {}, {}, shape<wire::service>("Service")},
        {verb::del, "/api/v1/services/:key", "Ends a forward.", {}, {}, shape<wire::removed>("Removed")},
        {verb::post,
         "/api/v1/services/reconnect",
         "Connects services anew, those in error or all.",
         {},
         shape<wire::reconnect_request>("ReconnectRequest"),
         shape<wire::reconnected>("Reconnected")},
        {verb::post,
         "/api/v1/services/:key/reconnect",
         "Connects one service anew; its open connections end.",
         {},
         {},
         shape<wire::reconnected>("Reconnected")},
        {verb::post,
         "/api/v1/services/:key/sync",
         "Compares a service with the cluster; force also connects it anew.",
         {},
         shape<wire::sync_request>("SyncRequest"),
         shape<wire::synced>("Synced")},
        {verb::post,
         "/api/v1/services/:key/check",
         "Tries name, listener, pod, tunnel, port and protocol, one after the other.",
         {},
         shape<wire::check_request>("CheckRequest"),
         shape<wire::check_report>("CheckReport")},
        {verb::get,
         "/api/v1/services/:key/env",
         "How programs connect to a service: URLs and variables.",
         {format},
         {},
         shape<wire::connection_info>("ConnectionInfo")},
        {verb::get,
         "/api/v1/env",
         "The same of all services, names made distinct.",
         {format, text("namespace", "only of this namespace"), text("context", "only of this context")},
         {},
         shape<wire::all_variables>("AllVariables")},
        {verb::get,
         "/api/v1/services/:key/connections",
         "Connections of a service.",
         with(page, {connection_state}),
         {},
         shape<wire::connection_list>("ConnectionList")},
        {verb::get,
         "/api/v1/connections",
         "Connections with their clients.",
         with(page, {connection_state}),
         {},
         shape<wire::connection_list>("ConnectionList")},
        {verb::get,
         "/api/v1/forwards",
         "Ports that are forwarded.",
         with(with(page, filters),
              {choice("status", "only in this state", {"Active", "Connecting", "Pending", "Error", "Stopping", "all"})}),
         {},
         shape<wire::forward_list>("ForwardList")},
        {verb::get, "/api/v1/forwards/:key", "One port.", {}, {}, shape<wire::forward>("Forward")},
        {verb::get, "/api/v1/namespaces", "Namespaces that are forwarded.", page, {}, shape<wire::namespace_list>("NamespaceList")},
        {verb::post,
         "/api/v1/namespaces",
         "Forwards a namespace.",
         {},
         shape<wire::add_namespace>("AddNamespace"),
         shape<wire::added_namespace>("AddedNamespace"),
         false,
         form::envelope,
         {201, 200}},
        {verb::put,
         "/api/v1/primary",
         "Gives the bare names to another namespace.",
         {},
         shape<wire::set_primary>("SetPrimary"),
         shape<wire::primary_set>("PrimarySet")},
        {verb::get, "/api/v1/namespaces/:key", "One namespace.", {}, {}, shape<wire::namespace_info>("NamespaceInfo")},
        {verb::del,
         "/api/v1/namespaces/:key",
         "Ends the forwards of a namespace; services added by themselves stay.",
         {},
         {},
         shape<wire::removed>("Removed")},
    };
    to.insert(to.end(), some.begin(), some.end());
}

void add_traffic(std::vector<route_doc>& to)
{
    const std::vector<parameter_doc> requests = {whole("count", "how many at most, newest first (50)", 1, 500),
                                                 whole("status_min", "only answers with this status or a higher one", 100, 599),
                                                 text("path_contains", "only paths with this in them")};
    const std::vector<route_doc> some = {
        {verb::get, "/metrics", "Prometheus text format.", {}, {}, {}, false, form::text},
        {verb::get, "/api/v1/metrics", "Counts, totals and rates.", {}, {}, shape<wire::metrics_summary>("MetricsSummary")},
        {verb::get, "/api/v1/metrics/services", "The same by service.", page, {}, shape<wire::service_metrics_list>("ServiceMetricsList")},
        {verb::get,
         "/api/v1/metrics/services/:key",
         "One service with its last seconds.",
         {points},
         {},
         shape<wire::service_metrics>("ServiceMetrics")},
        {verb::get,
         "/api/v1/metrics/services/:key/history",
         "Its last seconds alone.",
         {points},
         {},
         shape<wire::metrics_history>("MetricsHistory")},
        {verb::get,
         "/api/v1/services/:key/http",
         "HTTP requests that passed to a service, as its bytes told them; what is in TLS is not seen.",
         with(requests, {whole("port", "only to this local port", 1, 65535)}),
         {},
         shape<wire::service_http_traffic>("ServiceHTTPTraffic")},
        {verb::get, "/api/v1/forwards/:key/http", "The same of one port.", requests, {}, shape<wire::http_traffic>("HTTPTraffic")},
        {verb::get, "/api/v1/http", "The same over all services.", requests, {}, shape<wire::all_http_traffic>("AllHTTPTraffic")},
    };
    to.insert(to.end(), some.begin(), some.end());
}

void add_past(std::vector<route_doc>& to)
{
    const parameter_doc since = moment("since", "not what is older");
    const std::vector<route_doc> some = {
        {verb::get, "/api/v1/explain", "What is wrong now, and why.", {since}, {}, shape<wire::explanation>("Explanation")},
        {verb::get,
         "/api/v1/explain/:any",
         "Why a service is as it is, forwarded or not.",
         {since},
         {},
         shape<wire::explanation>("Explanation")},
        {verb::get, "/api/v1/history/events", "Events, over restarts.", past_of_any, {}, shape<wire::past_event>("PastEvent"), true},
        {verb::get, "/api/v1/history/errors", "Errors, over restarts.", past_of_any, {}, shape<wire::past_error>("PastError"), true},
        {verb::get,
         "/api/v1/history/reconnections",
         "What was lost and came back.",
         past_of_any,
         {},
         shape<wire::reconnection>("Reconnection"),
         true},
        {verb::get, "/api/v1/history/requests", "Who asked for changes.", past_of_any, {}, shape<wire::past_request>("PastRequest"), true},
        {verb::get, "/api/v1/history/stats", "How much of each is kept.", {}, {}, shape<wire::history_stats>("HistoryStats")},
        {verb::get,
         "/api/v1/services/:key/history/reconnections",
         "What a service lost and got back.",
         past,
         {},
         shape<wire::reconnection>("Reconnection"),
         true},
        {verb::get,
         "/api/v1/logs",
         "The daemon's log.",
         with({whole("count", "how many at most (100)", 1, 1000)}, lines),
         {},
         shape<wire::log_list>("LogList")},
        {verb::get,
         "/api/v1/logs/system",
         "The daemon's log.",
         with({whole("count", "how many at most (100)", 1, 1000)}, lines),
         {},
         shape<wire::log_list>("LogList")},
        {verb::del, "/api/v1/logs/system", "Forgets the log so far.", {}, {}, shape<wire::log_cleared>("LogCleared")},
        {verb::get, "/api/v1/logs/stream", "The daemon's log as it is written.", lines, {}, {}, false, form::events},
        {verb::get, "/api/v1/analyze", "What to do about what is wrong.", {}, {}, shape<wire::analysis>("Analysis")},
        {verb::get, "/api/v1/diagnostics", "Services, network and errors at a glance.", {}, {}, shape<wire::diagnostics>("Diagnostics")},
        {verb::get,
         "/api/v1/diagnostics/services/:key",
         "One service in depth.",
         {},
         {},
         shape<wire::service_diagnostic>("ServiceDiagnostic")},
        {verb::get,
         "/api/v1/diagnostics/forwards/:key",
         "One port in depth.",
         {},
         {},
         shape<wire::forward_diagnostic>("ForwardDiagnostic")},
        {verb::get, "/api/v1/diagnostics/network", "Addresses, names and conflicts.", {}, {}, shape<wire::network_status>("NetworkStatus")},
        {verb::get,
         "/api/v1/diagnostics/errors",
         "Errors that are there now, then past ones.",
         {whole("count", "how many at most (50)", 1, 500)},
         {},
         shape<wire::error_list>("ErrorList")},
    };
    to.insert(to.end(), some.begin(), some.end());
}

void add_clusters(std::vector<route_doc>& to)
{
    const std::vector<route_doc> some = {
        {verb::get, "/api/v1/kubernetes/contexts", "Contexts of the kubeconfig.", {}, {}, shape<wire::context_list>("ContextList")},
        {verb::get,
         "/api/v1/kubernetes/namespaces",
         "Namespaces of a cluster.",
         {context},
         {},
         shape<wire::k8s_namespace_list>("K8sNamespaceList")},
        {verb::get,
         "/api/v1/kubernetes/find",
         "Services by words, kind or port over all contexts that answer.",
         with(page, {text("query", "words of which each fits the name, namespace, context or kind"),
                     text("kind", "postgres, mysql, mongodb, redis, amqp, kafka, nats, memcached, elasticsearch, grpc, https or http"),
                     whole("port", "a service port", 1, 65535), text("namespace", "only of this namespace"),
                     text("context", "only of this context")}),
         {},
         shape<wire::found_services>("FoundServices")},
        {verb::get,
         "/api/v1/kubernetes/services",
         "Services of a namespace.",
         with(cluster_page, {needed("namespace", "whose"), text("label_selector", "as kubectl has it"), context}),
         {},
         shape<wire::k8s_service_list>("K8sServiceList")},
        {verb::get, "/api/v1/kubernetes/services/:ns/:name", "One service.", {context}, {}, shape<wire::k8s_service>("K8sService")},
        {verb::get,
         "/api/v1/kubernetes/ports/:ns/:svc",
         "Ports of a service, or of the pods that labels (app=web) select.",
         {context},
         {},
         shape<wire::k8s_ports>("K8sPorts")},
        {verb::get,
         "/api/v1/kubernetes/endpoints/:ns/:svc",
         "Who stands behind a service.",
         {context},
         {},
         shape<wire::k8s_endpoints>("K8sEndpoints")},
        {verb::get,
         "/api/v1/kubernetes/events/:ns",
         "Events of a namespace, newest first.",
         {text("resource_kind", "only about this kind"), text("resource_name", "only about this name"),
          whole("limit", "how many at most (100)", 1, 1000), context},
         {},
         shape<wire::k8s_event_list>("K8sEventList")},
        {verb::get,
         "/api/v1/kubernetes/pods/:ns",
         "Pods of a namespace.",
         with(cluster_page, {text("label_selector", "as kubectl has it"), text("field_selector", "as kubectl has it"),
                             text("service_name", "those that this service selects"), context}),
         {},
         shape<wire::k8s_pod_list>("K8sPodList")},
        {verb::get,
         "/api/v1/kubernetes/pods/:ns/:pod",
         "One pod with its events; deploy%2Fx, sts%2Fx, ds%2Fx or job%2Fx means the newest ready pod.",
         {context},
         {},
         shape<wire::k8s_pod_detail>("K8sPodDetail")},
        {verb::get,
         "/api/v1/kubernetes/pods/:ns/:pod/logs",
         "What a pod printed; follow gives lines as they come.",
         {text("container", "without it the one that is annotated, else the first"),
          whole("tail_lines", "how many lines at most (100)", 1, 1000), moment("since_time", "not what is older"),
          truth("previous", "of the run before"), truth("timestamps", "each line begins with its time"),
          truth("follow", "server-sent events log {line} and end {reason}"), context},
         {},
         shape<wire::pod_logs>("PodLogs"),
         false,
         form::events},
    };
    to.insert(to.end(), some.begin(), some.end());
}

} // namespace

const std::vector<route_doc>& route_docs()
{
    static const std::vector<route_doc> all = [] {
        std::vector<route_doc> made;
        add_daemon(made);
        add_services(made);
        add_traffic(made);
        add_past(made);
        add_clusters(made);
        return made;
    }();
    return all;
}

} // namespace fwd::api
