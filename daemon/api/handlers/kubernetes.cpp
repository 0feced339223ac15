// What a cluster has: contexts, namespaces, services and their ports and endpoints, events.
#include "common/text.hpp"
#include "daemon/api/cluster_views.hpp"
#include "daemon/api/handlers/cluster_question.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/views.hpp"

#include <fmt/core.h>

namespace fwd::api {

namespace {

reply service_missing(const kube::api_failure& why, const catalog::open_cluster& of, const std::string& namespace_name)
{
    auto made = failed(why);
    if (why.why.is(errc::not_found))
        made.problem->next.push_back({.method = "GET",
                                      .path = fmt::format("/api/v1/kubernetes/services?namespace={}&context={}",
                                                          percent_encode(namespace_name), percent_encode(of.shown)),
                                      .why = "lists the services of that namespace"});
    return made;
}

} // namespace

awaitable<reply> get_k8s_contexts(api_context& with, api_request&)
{
    wire::context_list list;
    const auto& used = with.parts.state.contexts();
    for (const auto& known : with.parts.cluster.known()) {
        const auto at = used.find(known.name);
        list.contexts.push_back(view(at == used.end() ? known : at->second, with.parts.state));
        if (known.primary) list.current_context = known.shown;
    }
    if (list.current_context.empty()) list.current_context = with.parts.state.self().primary_context;
    co_return ok_with(list);
}

awaitable<reply> get_k8s_namespaces(api_context& with, api_request& ask)
{
    const query in{ask.target};
    const auto found = co_await with.parts.cluster.namespaces(in.text("context"));
    if (!found) co_return failed(found.error());
    wire::k8s_namespace_list list;
    for (const auto& one : *found) list.namespaces.push_back(view(one));
    co_return ok_with(list);
}

awaitable<reply> get_k8s_services(api_context& with, api_request& ask)
{
    query in{ask.target};
    const kube::list_scope scope{in.required("namespace"), in.text("label_selector"), {}};
    const auto part = page_asked(in);
    const auto of = cluster_asked(with, in);
    if (!of) co_return failed(of.error());
    const auto page = co_await of->ask->services(scope, part);
    if (!page) co_return failed(page.error());
    if (page->items.empty())
        if (auto missing = co_await no_such_namespace(*of, scope.namespace_name)) co_return std::move(*missing);
    wire::k8s_service_list list;
    for (const auto& one : page->items) list.services.push_back(view(one, of->shown, with.parts.state));
    co_return page_reply(list, page->items.size(), *page);
}

awaitable<reply> get_k8s_service(api_context& with, api_request& ask)
{
    const query in{ask.target};
    const auto of = cluster_asked(with, in);
    if (!of) co_return failed(of.error());
    const auto found = co_await of->ask->service_named(ask.variables[0], ask.variables[1]);
    if (!found) co_return service_missing(found.error(), *of, ask.variables[0]);
    co_return ok_with(view(*found, of->shown, with.parts.state));
}

awaitable<reply> get_k8s_ports(api_context& with, api_request& ask)
{
    const query in{ask.target};
    const auto of = cluster_asked(with, in);
    if (!of) co_return failed(of.error());
    wire::k8s_ports made{ask.variables[1], ask.variables[0], of->shown, "service"};
    if (made.service_name.find('=') == std::string::npos) {
        const auto found = co_await of->ask->service_named(ask.variables[0], ask.variables[1]);
        if (!found) co_return service_missing(found.error(), *of, ask.variables[0]);
        made.ports = ports_of(*found);
        co_return ok_with(made);
    }
    const kube::list_scope scope{ask.variables[0], ask.variables[1], {}};
    const auto pods = co_await of->ask->pods(scope);
    if (!pods) co_return failed(pods.error());
    made.source = "pods";
    made.ports = ports_of(*pods);
    co_return ok_with(made);
}

awaitable<reply> get_k8s_endpoints(api_context& with, api_request& ask)
{
    const query in{ask.target};
    const auto of = cluster_asked(with, in);
    if (!of) co_return failed(of.error());
    const kube::list_scope scope{ask.variables[0], "kubernetes.io/service-name=" + ask.variables[1], {}};
    const auto slices = co_await of->ask->slices(scope);
    if (!slices) co_return failed(slices.error());
    if (slices->empty()) {
        const auto service = co_await of->ask->service_named(ask.variables[0], ask.variables[1]);
        if (!service) co_return service_missing(service.error(), *of, ask.variables[0]);
    }
    auto made = view(*slices);
    made.service_name = ask.variables[1];
    made.namespace_name = ask.variables[0];
    made.context = of->shown;
    co_return ok_with(made);
}

awaitable<reply> get_k8s_events(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto limit = static_cast<std::size_t>(in.whole("limit", 100, 1, 1000));
    const auto kind = in.text("resource_kind"), name = in.text("resource_name");
    const auto of = cluster_asked(with, in);
    if (!of) co_return failed(of.error());
    const auto found = co_await of->ask->events(ask.variables[0], kind, name, limit);
    if (!found) co_return failed(found.error());
    if (found->empty())
        if (auto missing = co_await no_such_namespace(*of, ask.variables[0])) co_return std::move(*missing);
    wire::k8s_event_list list;
    for (const auto& one : *found) list.events.push_back(view(one));
    auto made = ok_with(list);
    made.about.count = static_cast<std::int64_t>(list.events.size());
    made.about.limit = static_cast<std::int64_t>(limit);
    co_return made;
}

} // namespace fwd::api
