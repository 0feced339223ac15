// Tools about forwarded services: what is there, and taking one away.
#include "bridge/mcp/schema.hpp"
#include "bridge/tools/registry.hpp"
#include "bridge/tools/shapes.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

json::object counts_of(const wire::summary& of)
{
    return {{"services", of.total_services},
            {"active", of.active_services},
            {"pending", of.pending_services},
            {"error", of.error_count},
            {"activeForwards", of.active_forwards}};
}

std::string summary_of(const bridge::service_page& page, bool filtered)
{
    const auto& sum = page.summary;
    if (sum.total_services == 0) return "Nothing is forwarded.";
    auto text =
        fmt::format("{} service{} forwarded, {} active", sum.total_services, sum.total_services == 1 ? "" : "s", sum.active_services);
    if (sum.pending_services > 0) text += fmt::format(", {} pending", sum.pending_services);
    if (sum.error_count > 0) text += fmt::format(", {} in error", sum.error_count);
    if (filtered) text += fmt::format("; {} match", page.total);
    return text + ".";
}

/// Nothing is forwarded: what there would be, and the call that forwards it.
awaitable<json::object> what_there_is(const bridge::rest_client& rest, json::object out)
{
    auto namespaces = co_await rest.k8s_namespaces("");
    json::array names, next;
    if (!namespaces) {
        out["summary"] =
            fmt::format("Nothing is forwarded, and the cluster could not be asked what it has: {}.", namespaces.error().message);
    } else {
        for (const auto& each : namespaces->namespaces) {
            names.push_back(json::value(each.name));
            if (names.size() >= 100) break;
        }
        out["summary"] = fmt::format("Nothing is forwarded. The cluster has {} namespaces.", namespaces->namespaces.size());
        json::object arguments{{"namespace", namespaces->namespaces.size() == 1 ? namespaces->namespaces.front().name : "NAMESPACE"}};
        next.push_back(mcp::as_json(call_of("add_namespace", std::move(arguments), "forwards every service of a namespace")));
    }
    out["availableNamespaces"] = std::move(names);
    out["next"] = std::move(next);
    co_return out;
}

awaitable<mcp::tool_answer> list_services(const kit& with, mcp::tool_call& call)
{
    const auto& given = call.arguments();
    const auto offset = read_cursor(given);
    if (!offset) co_return invalid_arguments(offset.error().message());
    bridge::service_query which;
    which.name_space = text_argument(given, "namespace");
    which.context = text_argument(given, "context");
    which.status = text_argument(given, "status");
    if (which.status == "all") which.status.clear();
    which.search = text_argument(given, "search");
    which.limit = whole_argument(given, "limit", 50);
    which.offset = *offset;
    const bool filtered = !which.name_space.empty() || !which.context.empty() || !which.status.empty() || !which.search.empty();
    const bool forwards = given.at("include_forwards").as_bool();

    const auto rest = with.rest_for(call);
    auto page = co_await rest.services(which);
    if (!page) co_return problem_from(page.error());
    json::object out{{"summary", summary_of(*page, filtered)}};
    auto services = as_many_as_fit(page->services, [&](const wire::service& each) { return service_json(each, forwards); });
    const auto shown = *offset + static_cast<std::int64_t>(services.size());
    out["count"] = services.size();
    out["total"] = page->total;
    out["services"] = std::move(services);
    out["counts"] = counts_of(page->summary);
    if (shown < page->total) out["nextCursor"] = cursor_at(shown);
    if (page->summary.total_services == 0) co_return co_await what_there_is(rest, std::move(out));
    co_return out;
}

} // namespace

mcp::tool make_list_services(const kit& with)
{
    mcp::tool out;
    out.name = "list_services";
    out.title = "List forwarded services";
    out.description = "Use to see which services are reachable on this machine, at which address, names and ports, and why one is not. "
                      "With nothing forwarded it tells what the cluster has and the call that forwards it.";
    out.input = s::object(
        {s::may("namespace", s::text("only this namespace")), s::may("context", s::text("only this kubeconfig context")),
         s::may("status", s::choice("only services in this state", {"active", "partial", "pending", "error", "all"}, "all")),
         s::may("search", s::text("part of a name or host name")),
         s::may("include_forwards", s::truth("with pod, traffic and last error of each port", false)),
         s::may("limit", s::whole("services in one answer", 1, 200, 50)), s::may("cursor", s::text("nextCursor of the answer before"))});
    out.output = s::object(
        {s::must("summary", s::text("")), s::must("count", s::count("in this answer")), s::must("total", s::count("that match")),
         s::must("services", s::list("", service_schema())),
         s::must("counts", s::object({s::must("services", s::count("")), s::must("active", s::count("")), s::must("pending", s::count("")),
                                      s::must("error", s::count("")), s::must("activeForwards", s::count(""))},
                                     "over all that is forwarded")),
         s::may("nextCursor", s::text("pass as cursor for more")),
         s::may("availableNamespaces", s::list("of the cluster, where nothing is forwarded", s::text(""))),
         s::may("next", s::list("", next_schema()))});
    out.hints = {.read_only = true, .destructive = false, .idempotent = true, .open_world = false};
    out.run = [&with](mcp::tool_call& call) { return list_services(with, call); };
    return out;
}

} // namespace fwd::tools
