// Variables that tell programs where forwarded services are.
#include "common/api/wire_actions.hpp"
#include "common/async/timeout.hpp"
#include "daemon/api/connection_strings.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/kube/discovery.hpp"

namespace fwd::api {

namespace {

constexpr duration patience = 3s; ///< for a cluster; without it, names and numbers are the evidence

std::string text_in(const std::string& format, const std::map<std::string, std::string>& variables)
{
    if (format == "dotenv") return env_text(variables, env_format::dotenv);
    if (format == "shell") return env_text(variables, env_format::shell);
    return {};
}

/// Services and pods of one namespace, as far as they may be read.
struct namespace_facts {
    std::vector<kube::service> services;
    std::vector<kube::pod> pods;

    [[nodiscard]] service_evidence about(const std::string& service) const
    {
        const auto at = std::find_if(services.begin(), services.end(), [&](const kube::service& one) { return one.meta.name == service; });
        return at == services.end() ? service_evidence{} : evidence_of(*at, pods);
    }
};

awaitable<result<namespace_facts>> read_facts(catalog::open_cluster of, std::string namespace_name)
{
    namespace_facts made;
    const kube::list_scope all{namespace_name, {}, {}};
    auto services = co_await of.ask->services(all);
    if (!services) co_return services.error().why;
    made.services = std::move(*services);
    if (auto pods = co_await of.ask->pods(all)) made.pods = std::move(*pods);
    co_return made;
}

awaitable<namespace_facts> facts_of(api_context& with, std::string context, std::string namespace_name)
{
    const auto of = with.parts.cluster.open(context);
    if (!of) co_return namespace_facts{};
    auto read = co_await with_timeout(with.parts.clock, patience, read_facts(*of, std::move(namespace_name)));
    co_return read ? std::move(*read) : namespace_facts{};
}

} // namespace

awaitable<reply> get_service_env(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto format = in.choice("format", {"json", "dotenv", "shell"});
    auto of = chosen_service(with, ask, in);
    if (!of) co_return std::move(*of.refused);
    const auto key = of.it->key(), name = of.it->service, context = of.it->context, space = of.it->namespace_name;
    const auto facts = co_await facts_of(with, context, space);
    const auto now = with.parts.state.find_service(key);
    if (!now) co_return unknown_key(now.error(), {}, "/api/v1/services");
    auto made = connection_strings(**now, facts.about(name));
    made.text = text_in(format, made.env);
    co_return ok_with(made);
}

awaitable<reply> get_env(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto format = in.choice("format", {"json", "dotenv", "shell"});
    const auto name_space = in.text("namespace"), context = in.text("context");
    if (in.problem()) co_return failed(*in.problem());
    std::map<std::pair<std::string, std::string>, namespace_facts> facts;
    for (const auto& [key, one] : with.parts.state.services())
        if ((name_space.empty() || name_space == one.namespace_name) && (context.empty() || context == one.context))
            facts.try_emplace({one.context, one.namespace_name});
    for (auto& [place, known] : facts) known = co_await facts_of(with, place.first, place.second);
    wire::all_variables made;
    for (const auto& [key, one] : with.parts.state.services())
        if (const auto at = facts.find({one.context, one.namespace_name}); at != facts.end())
            made.services.push_back(connection_strings(one, at->second.about(one.service)));
    made.env = merged(made.services, made.notes);
    made.text = text_in(format, made.env);
    co_return ok_with(made);
}

} // namespace fwd::api
