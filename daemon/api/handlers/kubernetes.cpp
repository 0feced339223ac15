#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/query.hpp"
#include "daemon/api/views.hpp"

namespace fwd::api {

awaitable<reply> get_k8s_contexts(api_context& with, api_request&)
{
    wire::context_list list;
    for (const auto& [name, one] : with.parts.state.contexts()) list.contexts.push_back(view(one, with.parts.state));
    list.current_context = with.parts.state.self().primary_context;
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
    const page part{in};
    const auto name_space = in.required("namespace");
    if (in.problem()) co_return failed(*in.problem());
    auto found = co_await with.parts.cluster.services(in.text("context"), name_space);
    if (!found) co_return failed(found.error());
    wire::meta about;
    wire::k8s_service_list list;
    for (const auto& one : part.cut(std::move(*found), about)) list.services.push_back(view(one));
    auto made = ok_with(list);
    made.about = about;
    co_return made;
}

} // namespace fwd::api
