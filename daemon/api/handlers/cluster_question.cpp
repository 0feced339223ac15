#include "daemon/api/handlers/cluster_question.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::api {

kube::page_ask page_asked(query& in)
{
    return {static_cast<std::size_t>(in.whole("limit", 0, 1, 1000)), in.text("continue")};
}

result<catalog::open_cluster> cluster_asked(api_context& with, const query& in)
{
    if (in.problem()) return *in.problem();
    return with.parts.cluster.open(in.text("context"));
}

reply failed(const kube::api_failure& why)
{
    auto made = failed(why.why);
    if (why.retry_after) made.problem->retry_after_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*why.retry_after).count();
    return made;
}

awaitable<std::optional<reply>> no_such_namespace(catalog::open_cluster of, std::string name)
{
    if (name.empty()) co_return std::nullopt;
    const auto there = co_await of.ask->namespace_named(name);
    if (there || !there.error().why.is(errc::not_found)) co_return std::nullopt;
    auto made = failed(404, "not_found", fmt::format("namespace {} is not in context {}", printable(name), of.shown));
    const auto all = co_await of.ask->namespaces();
    if (!all) co_return made;
    std::vector<std::string> names;
    for (const auto& one : *all) names.push_back(one.meta.name);
    if (const auto close = close_names(name, names); !close.empty()) made.problem->message += "; did you mean " + join(close, " or ") + "?";
    made.problem->next.push_back({.method = "GET",
                                  .path = "/api/v1/kubernetes/namespaces?context=" + percent_encode(of.shown),
                                  .why = "lists the namespaces of that context"});
    co_return made;
}

namespace {

/// Ready before not ready, then the newest.
bool better(const kube::pod& a, const kube::pod& b)
{
    const auto rank = [](const kube::pod& one) { return std::pair{one.ready() && !one.deleting(), one.meta.created}; };
    return rank(a) > rank(b);
}

} // namespace

awaitable<kube::api_result<std::string>> pod_asked(catalog::open_cluster of, std::string namespace_name, std::string name)
{
    const auto slash = name.find('/');
    if (slash == std::string::npos) co_return name;
    const auto word = name.substr(0, slash), rest = name.substr(slash + 1);
    if (word == "pod" || word == "pods" || word == "po") co_return rest;
    const auto kind = kube::parse_workload_kind(word);
    if (!kind)
        co_return kube::api_failure{
            error{errc::invalid_request, fmt::format("{} is no workload; deploy/, sts/, ds/ and job/ are", printable(name))}};
    auto selector = co_await of.ask->selector_of(*kind, namespace_name, rest);
    if (!selector) co_return selector.error();
    const kube::list_scope scope{namespace_name, *selector, {}};
    auto pods = co_await of.ask->pods(scope);
    if (!pods) co_return pods.error();
    if (pods->empty()) co_return kube::api_failure{error{errc::not_found, fmt::format("{} has no pods at the moment", printable(name))}};
    co_return std::min_element(pods->begin(), pods->end(), better)->meta.name;
}

} // namespace fwd::api
