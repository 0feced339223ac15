// Tools that read the cluster, forwarded or not.
#include "bridge/mcp/schema.hpp"
#include "bridge/tools/registry.hpp"
#include "bridge/tools/shapes.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

json::object k8s_service_json(const wire::k8s_service& of)
{
    json::object out{{"name", of.name}, {"type", of.type}};
    json::array ports;
    for (const auto& each : of.ports) {
        json::object port{{"port", each.port}, {"targetPort", each.target_port}, {"protocol", each.protocol}};
        if (!each.name.empty()) port["name"] = each.name;
        ports.push_back(std::move(port));
    }
    out["ports"] = std::move(ports);
    json::object selector;
    for (const auto& [name, value] : of.selector) selector[name] = value;
    out["selector"] = std::move(selector);
    out["forwarded"] = of.forwarded;
    if (!of.forward_key.empty()) out["key"] = of.forward_key;
    return out;
}

awaitable<mcp::tool_answer> list_k8s_services(const kit& with, mcp::tool_call& call)
{
    const auto& given = call.arguments();
    const auto offset = read_cursor(given);
    if (!offset) co_return invalid_arguments(offset.error().message());
    const auto name_space = text_argument(given, "namespace"), context = text_argument(given, "context");
    const auto rest = with.rest_for(call);
    const auto found = co_await rest.k8s_services(name_space, context);
    if (!found) co_return problem_from(found.error());
    const auto& all = found->services;
    const auto rest_of_all = std::span{all}.subspan(std::min(all.size(), static_cast<std::size_t>(*offset)));
    auto services = as_many_as_fit(rest_of_all, k8s_service_json);
    const auto forwarded = std::count_if(all.begin(), all.end(), [](const wire::k8s_service& each) { return each.forwarded; });
    const auto shown = static_cast<std::size_t>(*offset) + services.size();
    json::object out{{"summary", fmt::format("{} has {} service{}, {} of them forwarded.", printable(name_space), all.size(),
                                             all.size() == 1 ? "" : "s", forwarded)},
                     {"count", services.size()},
                     {"total", all.size()}};
    out["services"] = std::move(services);
    if (shown < all.size()) out["nextCursor"] = cursor_at(static_cast<std::int64_t>(shown));
    co_return out;
}

} // namespace

mcp::tool make_list_k8s_services(const kit& with)
{
    mcp::tool out;
    out.name = "list_k8s_services";
    out.title = "List a namespace's services";
    out.description = "Use to see which services a namespace of the cluster has, with ports and selectors, forwarded or not.";
    out.input = s::object({s::must("namespace", s::text("")), s::may("context", s::text("kubeconfig context; default: the primary one")),
                           s::may("cursor", s::text("nextCursor of the answer before"))});
    out.output = s::object(
        {s::must("summary", s::text("")), s::must("count", s::count("in this answer")), s::must("total", s::count("")),
         s::must("services",
                 s::list("", s::object(
                                 {s::must("name", s::text("")), s::must("type", s::text("")),
                                  s::must("ports", s::list("", s::object({s::must("port", s::count("")), s::must("targetPort", s::text("")),
                                                                          s::must("protocol", s::text("")), s::may("name", s::text(""))}))),
                                  s::must("selector", s::texts_by_name("")), s::must("forwarded", s::truth("")),
                                  s::may("key", s::text("of the forwarded service"))}))),
         s::may("nextCursor", s::text("pass as cursor for more"))});
    out.hints = {.read_only = true, .destructive = false, .idempotent = true, .open_world = true};
    out.run = [&with](mcp::tool_call& call) { return list_k8s_services(with, call); };
    return out;
}

} // namespace fwd::tools
