#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/http_views.hpp"
#include "daemon/api/query.hpp"
#include "daemon/catalog/requests.hpp"

namespace fwd::api {

namespace {

http_wanted wanted_of(query& in)
{
    http_wanted made;
    made.count = static_cast<std::size_t>(in.whole("count", 50, 1, 500));
    made.least_status = static_cast<int>(in.whole("status_min", 0, 100, 599));
    made.path_part = in.text("path_contains");
    return made;
}

/// Forwards as they are now, each with the counters that outlive a change of the catalog.
struct looked_at {
    std::vector<wire::http_traffic> forwards;
    std::vector<std::string> services; ///< the keys of theirs
    std::vector<std::shared_ptr<const catalog::counters>> counters;

    void add(const catalog::service& of, const catalog::forward& one)
    {
        forwards.push_back({one.key(), one.pod, one.local_ip.text(), one.local_port, {}, {}});
        services.push_back(of.key());
        counters.push_back(one.traffic);
    }
};

reply with_count(reply made, std::size_t count)
{
    made.about.count = static_cast<std::int64_t>(count);
    return made;
}

} // namespace

awaitable<reply> get_service_http(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto wanted = wanted_of(in);
    const auto port = in.whole("port", 0, 1, 65535);
    auto of = chosen_service(with, ask, in);
    if (!of) co_return std::move(*of.refused);
    looked_at at;
    for (const auto& one : of.it->forwards)
        if (port == 0 || port == one.local_port) at.add(*of.it, one);
    wire::service_http_traffic made{of.it->key(), {}, {}};
    const auto seen = co_await with.parts.requests.requests(at.counters);
    made.summary = summary_view(seen);
    for (std::size_t i = 0; i < seen.size(); ++i) at.forwards[i].summary = summary_view(std::span{seen}.subspan(i, 1));
    const auto found = newest(seen, wanted);
    for (const auto& one : found) at.forwards[one.from].logs.push_back(view(*one.seen));
    made.forwards = std::move(at.forwards);
    co_return with_count(ok_with(made), found.size());
}

awaitable<reply> get_forward_http(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto wanted = wanted_of(in);
    if (in.problem()) co_return failed(*in.problem());
    const auto found = with.parts.state.find_forward(ask.key());
    if (!found) co_return unknown_key(found.error(), {}, "/api/v1/forwards");
    looked_at at;
    at.add(*found->first, *found->second);
    auto made = std::move(at.forwards.front());
    const auto seen = co_await with.parts.requests.requests(at.counters);
    made.summary = summary_view(seen);
    for (const auto& one : newest(seen, wanted)) made.logs.push_back(view(*one.seen));
    co_return with_count(ok_with(made), made.logs.size());
}

awaitable<reply> get_http(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto wanted = wanted_of(in);
    if (in.problem()) co_return failed(*in.problem());
    looked_at at;
    for (const auto& [key, service] : with.parts.state.services())
        for (const auto& one : service.forwards) {
            const auto counts = one.traffic->http.counts();
            if (counts.total() + counts.in_flight > 0) at.add(service, one);
        }
    const auto seen = co_await with.parts.requests.requests(at.counters);
    wire::all_http_traffic made;
    made.summary = summary_view(seen);
    for (const auto& one : newest(seen, wanted)) {
        made.logs.push_back(view(*one.seen));
        made.logs.back().service_key = at.services[one.from];
        made.logs.back().forward_key = at.forwards[one.from].forward_key;
    }
    co_return with_count(ok_with(made), made.logs.size());
}

} // namespace fwd::api
