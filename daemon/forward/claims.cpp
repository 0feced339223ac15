// Which names a service has, and who else wanted them.
#include "daemon/forward/supervisor.hpp"

#include <fmt/core.h>

namespace fwd::forward {

name_question supervisor::question_for(const forwarded& of, const std::string& hostname) const
{
    name_question ask;
    ask.service = of.id.name;
    ask.namespace_name = of.id.namespace_name;
    ask.context = shown(of.id.context);
    ask.primary_context = of.id.context == primary_context_;
    const auto primary = primary_namespace_.find(of.id.context);
    ask.primary_namespace = primary != primary_namespace_.end() && primary->second == of.id.namespace_name;
    ask.by_itself = of.by_itself;
    ask.is_protected = settings_.protected_contexts.contains(of.id.context);
    ask.domain = settings_.domain;
    ask.pod = hostname;
    return ask;
}

/// Leases are known inside, keys outside.
std::string supervisor::owner_of(const std::string& lease_key) const
{
    for (const auto& [id, of] : forwarded_)
        for (const auto& [hostname, group] : of.groups)
            if (group.lease_key == lease_key) return key_of(id);
    return lease_key;
}

void supervisor::claim_names(forwarded& of, const std::string& hostname)
{
    auto& here = of.groups.at(hostname);
    if (parts_.host.about().hosts_path.empty()) return; // names are left alone
    const auto ask = question_for(of, hostname);
    std::vector<std::string> wanted;
    std::vector<catalog::conflict> shadows;
    for (auto& name : names_of(ask)) {
        // Names below the user's own --domain are the user's business.
        const bool own = !ask.domain.empty() && name.ends_with("." + ask.domain);
        if (!settings_.allow_shadow && !own && may_be_public(name)) {
            const auto found = public_.of(name);
            if (found.what == public_names::verdict::taken)
                shadows.push_back({name, fmt::format("the public DNS ({}); --allow-shadow takes it all the same", found.address), {}});
            if (found.what != public_names::verdict::free) continue;
        }
        wanted.push_back(std::move(name));
    }
    auto got = names_.claim(here.lease_key, wanted, weak_names_of(ask));
    here.names = std::move(got.names);
    // What the hosts file itself has is found out when it is written; it stays known until then.
    std::erase_if(here.conflicts, [&](const catalog::conflict& c) {
        return !c.wanted_by.empty() || c.held_by.starts_with("the public DNS") ||
               std::find(here.names.begin(), here.names.end(), c.name) == here.names.end();
    });
    here.conflicts.insert(here.conflicts.end(), shadows.begin(), shadows.end());
    for (auto& conflict : got.conflicts)
        here.conflicts.push_back({conflict.name, owner_of(conflict.held_by), owner_of(conflict.wanted_by)});
}

/// These names are free now, or turned out to be taken.
void supervisor::mark_names(const std::vector<std::string>& names)
{
    for (const auto& [id, of] : forwarded_)
        for (const auto& [hostname, group] : of.groups) {
            const auto all = names_of(question_for(of, hostname));
            const auto mine = [&all](const std::string& name) { return std::find(all.begin(), all.end(), name) != all.end(); };
            if (std::any_of(names.begin(), names.end(), mine)) mark(id);
        }
    changed_.set();
}

} // namespace fwd::forward
