// Services over all contexts and namespaces that may be read.
#include "daemon/api/find.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timeout.hpp"
#include "daemon/api/handlers/cluster_question.hpp"
#include "daemon/api/handlers/handlers.hpp"

#include <set>

namespace fwd::api {

namespace {

constexpr duration patience = 8s; ///< for one context; the others do not wait for one that is down

struct search {
    const find_question& what;
    const catalog::catalog& state;
    wire::found_services found;
};

/// All services of a cluster, or those of the namespaces that may be read.
awaitable<kube::api_result<std::vector<kube::service>>> services_of(catalog::open_cluster of, const find_question& what,
                                                                    const catalog::catalog& state)
{
    const kube::list_scope all{what.namespace_name, {}, {}};
    auto everywhere = co_await of.ask->services(all);
    if (everywhere || !everywhere.error().why.is(errc::forbidden) || !what.namespace_name.empty()) co_return everywhere;
    std::set<std::string> names{of.namespace_name};
    if (const auto listed = co_await of.ask->namespaces())
        for (const auto& one : *listed) names.insert(one.meta.name);
    for (const auto& [key, one] : state.services())
        if (one.context == of.shown) names.insert(one.namespace_name);
    std::vector<kube::service> made;
    bool any = false;
    for (const auto& name : names) {
        const kube::list_scope one{name, {}, {}};
        auto part = co_await of.ask->services(one);
        if (!part) continue; // what may not be read is not searched
        any = true;
        std::move(part->begin(), part->end(), std::back_inserter(made));
    }
    if (!any) co_return everywhere;
    co_return made;
}

awaitable<result<bool>> search_in(catalog::open_cluster of, search& in)
{
    const auto services = co_await services_of(of, in.what, in.state);
    if (!services) co_return services.error().why;
    auto found = matching(in.what, *services, {}, of.shown, in.state);
    if (found.empty() && in.what.asks_for_images()) {
        const kube::list_scope all{in.what.namespace_name, {}, {}};
        if (const auto pods = co_await of.ask->pods(all)) found = matching(in.what, *services, *pods, of.shown, in.state);
    }
    std::move(found.begin(), found.end(), std::back_inserter(in.found.services));
    co_return true;
}

awaitable<void> search_context(api_context& with, std::string context, search& in)
{
    const auto of = with.parts.cluster.open(context);
    result<bool> done = true;
    if (of)
        done = co_await with_timeout(with.parts.clock, patience, search_in(*of, in));
    else
        done = of.error();
    if (!done) in.found.unreachable.push_back({context, failed(done.error()).problem->code, done.error().message()});
}

} // namespace

awaitable<reply> get_k8s_find(api_context& with, api_request& ask)
{
    query in{ask.target};
    const page part{in};
    const auto what = find_asked(in);
    if (in.problem()) co_return failed(*in.problem());
    search all{what, with.parts.state, {}};
    if (const auto only = in.text("context"); !only.empty()) {
        const auto there = with.parts.cluster.open(only);
        if (!there) co_return failed(there.error());
        co_await search_context(with, only, all);
    } else {
        task_scope tasks{with.parts.executor, with.parts.log};
        for (const auto& one : with.parts.cluster.known()) tasks.start("find in " + one.name, search_context(with, one.name, all));
        co_await tasks.join();
    }
    one_per_cluster(all.found.services, with.parts.cluster.known());
    best_first(all.found.services, what);
    wire::meta about;
    all.found.services = part.cut(std::move(all.found.services), about);
    auto made = ok_with(all.found);
    made.about = about;
    co_return made;
}

} // namespace fwd::api
