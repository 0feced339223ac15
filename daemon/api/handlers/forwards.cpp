#include "common/api/list_text.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/handlers/wishes.hpp"
#include "daemon/api/query.hpp"
#include "daemon/api/views.hpp"

namespace fwd::api {

awaitable<reply> get_forwards(api_context& with, api_request& ask)
{
    query in{ask.target};
    const page part{in};
    const auto status = in.choice("status", {"Active", "Connecting", "Pending", "Error", "Stopping", "all"});
    const auto name_space = in.text("namespace"), context = in.text("context"), search = in.text("search");
    if (in.problem()) co_return failed(*in.problem());
    std::vector<std::pair<const catalog::service*, const catalog::forward*>> chosen;
    for (const auto& [key, service] : with.parts.state.services()) {
        if (!name_space.empty() && name_space != service.namespace_name) continue;
        if (!context.empty() && context != service.context) continue;
        for (const auto& one : service.forwards) {
            if (!status.empty() && status != "all" && status != name_of(one.state)) continue;
            const auto found = [&](const std::string& name) { return contains(name, search); };
            if (!found(key) && !found(one.pod) && std::none_of(service.hostnames.begin(), service.hostnames.end(), found)) continue;
            chosen.emplace_back(&service, &one);
        }
    }
    wire::meta about;
    wire::list_text<wire::forward> list{"forwards"};
    for (const auto& [service, one] : part.cut(std::move(chosen), about)) list.add(view(*service, *one));
    auto made = ok(list.finish(view(with.parts.state.sum())));
    made.about = about;
    co_return made;
}

awaitable<reply> get_forward(api_context& with, api_request& ask)
{
    const auto found = with.parts.state.find_forward(ask.key());
    if (!found) co_return unknown_key(found.error(), {}, "/api/v1/forwards");
    co_return ok_with(view(*found->first, *found->second));
}

} // namespace fwd::api
