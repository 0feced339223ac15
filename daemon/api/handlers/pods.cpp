// Pods of a cluster: lists, one in detail, and what it prints.
#include "common/text.hpp"
#include "daemon/api/cluster_views.hpp"
#include "daemon/api/handlers/cluster_question.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/pod_log.hpp"

#include <boost/json/value.hpp>

#include <fmt/core.h>

namespace fwd::api {

namespace {

/// label_selector, or that of the service which service_name names.
awaitable<kube::api_result<std::string>> labels_asked(catalog::open_cluster of, std::string namespace_name, std::string service,
                                                      std::string labels)
{
    if (service.empty()) co_return labels;
    const auto found = co_await of.ask->service_named(namespace_name, service);
    if (!found) co_return found.error();
    if (found->selector.empty())
        co_return kube::api_failure{error{errc::unsupported, fmt::format("service {} selects no pods", printable(service))}};
    for (const auto& [key, value] : found->selector) labels += fmt::format("{}{}={}", labels.empty() ? "" : ",", key, value);
    co_return labels;
}

bool truth(query& in, std::string_view name)
{
    return in.choice(name, {"true", "false", "1", "0"}).find_first_of("t1") == 0;
}

log_wish log_asked(query& in, wall_time now)
{
    log_wish made;
    made.what.container = in.text("container");
    made.lines = in.whole("tail_lines", 100, 1, 1000);
    made.what.since = in.moment("since_time", now);
    made.what.previous = truth(in, "previous");
    made.what.timestamps = truth(in, "timestamps");
    made.follow = truth(in, "follow");
    return made;
}

} // namespace

awaitable<reply> get_k8s_pods(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto part = page_asked(in);
    const auto service = in.text("service_name"), labels = in.text("label_selector"), fields = in.text("field_selector");
    const auto of = cluster_asked(with, in);
    if (!of) co_return failed(of.error());
    const auto selector = co_await labels_asked(*of, ask.variables[0], service, labels);
    if (!selector) co_return failed(selector.error());
    const kube::list_scope scope{ask.variables[0], *selector, fields};
    const auto page = co_await of->ask->pods(scope, part);
    if (!page) co_return failed(page.error());
    if (page->items.empty())
        if (auto missing = co_await no_such_namespace(*of, ask.variables[0])) co_return std::move(*missing);
    const pod_place place{of->shown, with.parts.state, with.parts.clock.wall_now()};
    wire::k8s_pod_list list;
    for (const auto& one : page->items) list.pods.push_back(view(one, place));
    co_return page_reply(list, page->items.size(), *page);
}

awaitable<reply> get_k8s_pod(api_context& with, api_request& ask)
{
    const query in{ask.target};
    const auto of = cluster_asked(with, in);
    if (!of) co_return failed(of.error());
    const auto name = co_await pod_asked(*of, ask.variables[0], ask.variables[1]);
    if (!name) co_return failed(name.error());
    const auto document = co_await of->ask->pod_document(ask.variables[0], *name);
    if (!document) co_return failed(document.error());
    // Who may read pods may still not read events; the pod is worth showing without them.
    const auto events = co_await of->ask->events(ask.variables[0], "Pod", *name, 50);
    const pod_place place{of->shown, with.parts.state, with.parts.clock.wall_now()};
    co_return ok_with(detail_view(*document, events ? *events : std::vector<kube::event>{}, place));
}

awaitable<reply> get_k8s_pod_logs(api_context& with, api_request& ask)
{
    query in{ask.target};
    auto wish = log_asked(in, with.parts.clock.wall_now());
    const auto of = cluster_asked(with, in);
    if (!of) co_return failed(of.error());
    const auto name = co_await pod_asked(*of, ask.variables[0], ask.variables[1]);
    if (!name) co_return failed(name.error());
    wish.what.namespace_name = ask.variables[0];
    wish.what.pod = *name;
    if (wish.what.container.empty()) {
        const auto document = co_await of->ask->pod_document(ask.variables[0], *name);
        if (!document) co_return failed(document.error());
        wish.what.container = default_container(*document);
    }
    if (wish.follow) {
        wish.what.tail_lines = wish.lines;
        auto stream = co_await of->ask->follow_log(wish.what);
        if (!stream) co_return failed(stream.error());
        reply made;
        made.stream = make_log_source(std::move(*stream), with.parts.executor, with.parts.log);
        co_return made;
    }
    wish.what.tail_lines = wish.lines + 1; // one more tells whether there is more
    const auto text = co_await of->ask->log(wish.what);
    if (!text) co_return failed(text.error());
    co_return ok_with(log_view(*text, wish, of->shown));
}

} // namespace fwd::api
