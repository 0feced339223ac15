// Which namespace has the bare names, and what of the configuration may change while the daemon runs.
#include "daemon/forward/supervisor.hpp"

#include "common/log.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::forward {

using catalog::answer;
using catalog::refusal;

std::map<std::string, std::string> supervisor::written_names() const
{
    std::map<std::string, std::string> all;
    for (const auto& [id, of] : forwarded_)
        for (const auto& [hostname, group] : of.groups)
            for (const auto& name : group.written) all.emplace(name, key_of(id));
    return all;
}

/// Names change hands in one step: those that lose theirs claim first.
void supervisor::claim_again(const std::set<service_id>& ids)
{
    for (const bool losing : {true, false})
        for (const auto& id : ids) {
            auto& of = forwarded_.at(id);
            const auto primary = primary_namespace_.find(id.context);
            const bool gains =
                id.context == primary_context_ && primary != primary_namespace_.end() && primary->second == id.namespace_name;
            if (gains == losing) continue;
            for (const auto& [hostname, group] : of.groups) claim_names(of, hostname);
            mark(id);
        }
}

awaitable<answer<catalog::primary_set>> supervisor::set_primary(catalog::set_primary ask)
{
    const auto context = context_name(ask.context);
    if (!context) co_return refusal{context.error()};
    const auto opened = open_context(*context);
    if (!opened) co_return refusal{opened.error()};
    const auto is_there = [&](const auto& one) { return one.first.context == *context && one.first.namespace_name == ask.namespace_name; };
    if (std::none_of(forwarded_.begin(), forwarded_.end(), is_there)) {
        auto unknown = co_await unknown_namespace(**opened, ask.namespace_name);
        if (unknown) co_return *unknown;
    }
    const auto before = written_names();
    const auto old_context = std::exchange(primary_context_, *context);
    primary_namespace_[*context] = ask.namespace_name;
    std::set<service_id> ids;
    for (const auto& [id, of] : forwarded_)
        if (id.context == *context || id.context == old_context) ids.insert(id);
    claim_again(ids);
    show_contexts();
    const auto deadline = clock_.now() + 10s;
    while (co_await reconciled(deadline) && !public_.settled())
        if (!co_await changed_before(deadline)) break;
    const auto after = written_names();

    catalog::primary_set made{shown(*context), ask.namespace_name, {}};
    std::map<std::string, catalog::moved_name> moved;
    for (const auto& [name, key] : before) moved[name] = {name, key, {}};
    for (const auto& [name, key] : after) {
        auto& one = moved[name];
        one.name = name;
        one.to = key;
    }
    for (auto& [name, one] : moved)
        if (one.from != one.to) made.moved.push_back(std::move(one));
    log_.info("primary namespace", {{"context", made.context},
                                    {"namespace", made.namespace_name},
                                    {"names", std::to_string(made.moved.size())},
                                    {"by", ask.owner.client.empty() ? ask.owner.owner : ask.owner.client}});
    co_return made;
}

void supervisor::reconfigure(std::vector<port_mapping> mappings, std::vector<local_service> locals, bool allow_shadow)
{
    settings_.mappings = std::move(mappings);
    settings_.locals = std::move(locals);
    settings_.allow_shadow = allow_shadow;
    for (const auto& [id, of] : forwarded_) mark(id);
}

std::vector<std::string> supervisor::reload(kube::kubeconfig next)
{
    std::vector<std::string> told;
    for (const auto& one : next.contexts)
        if (!settings_.config.find_context(one.name)) told.push_back(fmt::format("context {} is new", printable(one.name)));
    for (const auto& one : settings_.config.contexts)
        if (!next.find_context(one.name) && !clusters_.contains(one.name))
            told.push_back(fmt::format("context {} is gone", printable(one.name)));
    for (const auto& [name, of] : clusters_) {
        const auto config = next.resolve(name);
        const auto before = of->config();
        const auto done = config ? of->adopt(*config) : result<void>{config.error()};
        if (!done)
            told.push_back(fmt::format("context {} stays as it was: {}", printable(name), done.error().message()));
        else if (config->cluster.server != before.cluster.server)
            told.push_back(fmt::format("context {} has another server: {}", printable(name), printable(config->cluster.server)));
        else if (config->user != before.user || config->cluster != before.cluster)
            told.push_back(fmt::format("context {} has other credentials", printable(name)));
    }
    // Keys hold what contexts are shown as, so those that were shown stay so.
    std::vector<std::string> names;
    for (const auto& one : next.contexts) names.push_back(one.name);
    const auto reduced = shown_contexts(names);
    for (std::size_t i = 0; i < names.size(); ++i) shown_.try_emplace(names[i], reduced[i]);
    if (settings_.contexts.empty() && clusters_.empty()) primary_context_ = next.current_context;
    settings_.config = std::move(next);
    show_contexts();
    return told;
}

} // namespace fwd::forward
