#include "bridge/prompts/prompts.hpp"

#include "bridge/tools/reading.hpp"

namespace fwd::prompts {

namespace {

using names = std::vector<std::string>;

std::string other(const mcp::completion_query& query, const std::string& name)
{
    const auto found = query.others.find(name);
    return found == query.others.end() ? std::string{} : found->second;
}

awaitable<names> contexts(const bridge::rest_client& rest)
{
    names out;
    if (const auto found = co_await rest.contexts())
        for (const auto& each : found->contexts) out.push_back(each.name);
    co_return out;
}

awaitable<names> namespaces(const bridge::rest_client& rest, std::string context)
{
    names out;
    if (const auto found = co_await rest.k8s_namespaces(context))
        for (const auto& each : found->namespaces) out.push_back(each.name);
    co_return out;
}

/// Services of the namespace that is known, else those that are forwarded.
awaitable<names> services(const bridge::rest_client& rest, std::string name_space, std::string context)
{
    names out;
    if (!name_space.empty()) {
        if (const auto found = co_await rest.k8s_services(name_space, context))
            for (const auto& each : found->services) out.push_back(each.name);
        co_return out;
    }
    bridge::service_query which;
    if (const auto page = co_await rest.services(std::move(which)))
        for (const auto& each : page->services) out.push_back(each.service_name + "." + each.namespace_name);
    co_return out;
}

awaitable<names> pods(const bridge::rest_client& rest, std::string name_space, std::string context)
{
    names out;
    if (name_space.empty()) co_return out;
    bridge::rest_client::parameters with{{"context", context}};
    const auto found = co_await rest.read("/kubernetes/pods/" + tools::segment(name_space), std::move(with));
    if (!found || !found->data.is_object()) co_return out;
    const auto* list = found->data.get_object().if_contains("pods");
    if (!list || !list->is_array()) co_return out;
    for (const auto& each : list->get_array())
        if (const auto* one = each.if_object()) out.push_back(tools::text_of(*one, "name"));
    co_return out;
}

awaitable<names> complete(const tools::kit& with, mcp::tool_call& call, mcp::completion_query query)
{
    const auto rest = with.rest_for(call);
    const auto context = other(query, "context"), name_space = other(query, "namespace");
    if (query.argument == "context") co_return co_await contexts(rest);
    if (query.argument == "namespace") co_return co_await namespaces(rest, context);
    if (query.argument == "service") co_return co_await services(rest, name_space, context);
    if (query.argument == "pod") co_return co_await pods(rest, name_space, context);
    names out;
    if (query.argument == "language") out = {"C#", "C++", "Go", "Java", "Node.js", "Python", "Ruby", "Rust", "TypeScript"};
    if (query.argument == "auto_reconnect") out = {"false", "true"};
    co_return out;
}

} // namespace

std::function<awaitable<std::vector<std::string>>(mcp::tool_call&, mcp::completion_query)> completion(const tools::kit& with)
{
    return [&with](mcp::tool_call& call, mcp::completion_query query) { return complete(with, call, std::move(query)); };
}

} // namespace fwd::prompts
