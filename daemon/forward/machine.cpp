// The calls to the host that one pass over the services comes to.
#include "daemon/forward/supervisor.hpp"

#include "common/log.hpp"

namespace fwd::forward {

namespace {

/// A name that the hosts file has already is asked for again after so long: the line may have been removed.
constexpr duration ask_again = 30s;

/// Not of another service, and not of the public DNS.
bool is_of_the_file(const catalog::conflict& one)
{
    return one.wanted_by.empty() && !one.held_by.starts_with("the public DNS");
}

} // namespace

awaitable<void> supervisor::apply(batch& now)
{
    const auto note = [this](const char* what, const result<void>& done) {
        if (!done) log_.error(what, {{"error", done.error().message()}});
    };
    // Names go first and come last: none may lead where nobody listens.
    if (!now.old_addresses.empty()) {
        note("names not removed", co_await parts_.host.drop_names(now.old_addresses));
        if (parts_.host.about().listening == host::listening_mode::lookup)
            note("routes not removed", co_await parts_.host.unroute(now.old_routes));
        note("addresses not dropped", co_await parts_.host.drop_addresses(now.old_addresses));
    } else if (!now.old_routes.empty() && parts_.host.about().listening == host::listening_mode::lookup)
        note("routes not removed", co_await parts_.host.unroute(now.old_routes));
    if (!now.new_addresses.empty()) note("addresses not added", co_await parts_.host.add_addresses(now.new_addresses));

    if (parts_.host.about().listening == host::listening_mode::lookup) {
        std::vector<host::route_entry> routes;
        for (const auto& [id, hostname] : now.listens)
            for (const auto& [local, port] : forwarded_.at(id).groups.at(hostname).ports)
                if (port.listens != port_state::listening::there) routes.push_back({port.address, port.local, 0});
        const auto routed = routes.empty() ? result<void>{} : co_await parts_.host.route(routes);
        note("routes not set", routed);
        for (const auto& [id, hostname] : now.listens)
            for (auto& [local, port] : forwarded_.at(id).groups.at(hostname).ports) {
                port.listens = routed ? port_state::listening::there : port_state::listening::failed;
                if (!routed) port.listen_code = "not_routed", port.listen_problem = routed.error().message();
            }
    } else {
        for (const auto& [id, hostname] : now.listens) co_await listen_bound(forwarded_.at(id).groups.at(hostname));
    }
    co_await write_names(now);
}

awaitable<void> supervisor::listen_bound(group& at)
{
    for (auto& [planned, port] : at.ports) {
        if (port.listens == port_state::listening::there) continue;
        // Without root a low port is offered elsewhere, never at another port of the same service.
        std::vector<std::uint16_t> tries{planned};
        if (!parts_.host.about().privileged)
            for (const unsigned offset : {8000u, 18000u, 28000u})
                if (planned < 1024 && !at.ports.contains(static_cast<std::uint16_t>(planned + offset)))
                    tries.push_back(static_cast<std::uint16_t>(planned + offset));
        for (const auto local : tries) {
            const auto got = co_await parts_.host.listen(port.address, local);
            if (got) {
                port.listens = port_state::listening::there;
                port.listen_code.clear();
                if (port.local != local) {
                    port.local = local;
                    announce(port);
                }
                parts_.data.add_listener(*got);
                break;
            }
            port.listens = port_state::listening::failed;
            port.listen_code = got.error().is(errc::conflict)        ? "port_shadowed"
                               : got.error().is(errc::not_permitted) ? "not_permitted"
                                                                     : "listen_failed";
            port.listen_problem = got.error().message();
            if (!got.error().is(errc::not_permitted)) break;
        }
        if (port.listens == port_state::listening::failed && !retry_listen_) {
            // Whoever holds the port may end.
            retry_listen_ = clock_.call_after(5s, [this] {
                retry_listen_ = 0;
                for (const auto& [id, of] : forwarded_)
                    for (const auto& [hostname, group] : of.groups)
                        for (const auto& [number, one] : group.ports)
                            if (one.listens == port_state::listening::failed) mark(id);
            });
        }
    }
}

/// Services that run here share one address, so their names are one set.
host::host_names supervisor::names_here() const
{
    host::host_names all{ipv4{0x7f000001}, {}};
    for (const auto& [id, of] : forwarded_)
        for (const auto& [hostname, group] : of.groups)
            if (group.here) all.names.insert(all.names.end(), group.names.begin(), group.names.end());
    return all;
}

bool supervisor::group::asked_for(const std::vector<std::string>& all) const
{
    const auto is_in = [](const std::vector<std::string>& some, const std::string& name) {
        return std::find(some.begin(), some.end(), name) != some.end();
    };
    return all.size() == written.size() + refused.size() &&
           std::all_of(all.begin(), all.end(), [&](const auto& name) { return is_in(written, name) || is_in(refused, name); });
}

awaitable<void> supervisor::write_names(const batch& now)
{
    if (parts_.host.about().hosts_path.empty()) co_return;
    std::vector<host::host_names> sets;
    bool here_changed = now.here_changed;
    for (const auto& id : now.touched) {
        const auto at = forwarded_.find(id);
        if (at == forwarded_.end()) continue;
        for (auto& [hostname, group] : at->second.groups) {
            const bool safe = std::all_of(group.ports.begin(), group.ports.end(),
                                          [](const auto& p) { return p.second.listens == port_state::listening::there; });
            // A name whose port leads to another program is withheld.
            auto names = safe ? group.names : std::vector<std::string>{};
            const bool again = group.refused_at && clock_.now() >= *group.refused_at + ask_again;
            if (group.asked_for(names) && !again) continue;
            if (group.refused_at) std::erase_if(group.conflicts, [](const catalog::conflict& c) { return is_of_the_file(c); });
            group.refused_at.reset();
            group.refused.clear();
            group.written = names;
            if (group.here)
                here_changed = true;
            else
                sets.push_back({group.address, std::move(names)});
        }
    }
    if (here_changed) sets.push_back(names_here());
    if (sets.empty()) co_return;
    const auto refused = co_await parts_.host.put_names(sets);
    if (!refused) {
        log_.error("names not written", {{"error", refused.error().message()}, {"file", parts_.host.about().hosts_path}});
        for (const auto& id : now.touched)
            if (const auto at = forwarded_.find(id); at != forwarded_.end())
                for (auto& [hostname, group] : at->second.groups) group.refused.clear(), group.written.clear();
        co_return;
    }
    for (const auto& refusal : *refused) note_refusal(refusal);
}

/// The user's own lines have the name.
void supervisor::note_refusal(const host::name_refusal& refusal)
{
    for (auto& [id, of] : forwarded_)
        for (auto& [hostname, group] : of.groups) {
            if (group.address != refusal.address || std::erase(group.written, refusal.name) == 0) continue;
            group.refused.push_back(refusal.name);
            const auto known = [&](const catalog::conflict& c) { return c.name == refusal.name; };
            std::erase_if(group.conflicts, known);
            group.conflicts.push_back({refusal.name, refusal.why, {}});
            group.refused_at = clock_.now();
            recheck_at(clock_.now() + ask_again);
        }
}

} // namespace fwd::forward
