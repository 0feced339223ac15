// From what is wanted to what is there: one pass over the services that changed, then one round of calls to the host for all of them.
#include "daemon/forward/supervisor.hpp"

#include "common/log.hpp"

#include <fmt/core.h>

namespace fwd::forward {

namespace {

/// How long after its last pod went a service counts as about to have another (product: section 5, "Waiting").
constexpr duration successor_within = 60s;

} // namespace

awaitable<void> supervisor::reconcile()
{
    for (;;) {
        if (dirty_.empty()) co_await dirty_event_.wait();
        reconciling_ = true;
        batch now;
        for (const auto& id : std::exchange(dirty_, {})) {
            std::shared_ptr<const kube::service> object;
            const auto wanted = wish_for(id, object);
            if (wanted && object) {
                auto& of = forwarded_[id];
                of.id = id;
                of.object = object;
                of.owner = wanted->owner;
                of.by_itself = !wanted->service.empty();
                update(id, now);
            } else
                remove(id, now);
        }
        parts_.data.put_endpoints(std::move(now.endpoints_));
        co_await apply(now);
        for (const auto& id : now.touched)
            if (const auto at = forwarded_.find(id); at != forwarded_.end()) show(at->second);
        for (const auto& hoping : names_.take_hopeful())
            for (const auto& [id, of] : forwarded_)
                for (const auto& [hostname, group] : of.groups)
                    if (group.lease_key == hoping) mark(id);
        show_namespaces();
        reconciling_ = false;
        changed_.set();
    }
}

void supervisor::update(const service_id& id, batch& to)
{
    auto& of = forwarded_.at(id);
    to.touched.insert(id);
    auto& from = *clusters_.at(id.context);
    std::shared_ptr<const kube::service> object;
    const auto wanted = wish_for(id, object);
    plan_question ask{*of.object,    from.pods_of(*of.object), {}, from.pods_known(id.namespace_name), false,
                      wanted->ports, settings_.mappings};
    if (of.object->selector.empty() && !of.object->is_external_name()) {
        ask.slices = from.slices_of(*of.object);
        ask.slices_known = from.slices_known(id.namespace_name);
    }
    of.plan = plan(ask);
    if (!of.plan.unsupported_code.empty()) {
        while (!of.groups.empty()) remove_group(of, of.groups.begin()->first, to);
        return;
    }
    const bool eligible =
        std::any_of(of.plan.ports.begin(), of.plan.ports.end(), [](const planned_port& p) { return !p.eligible.empty(); });
    if (eligible) of.eligible_at = clock_.now();
    const bool lately = of.eligible_at && clock_.now() - *of.eligible_at < successor_within;
    if (lately && !eligible) recheck_later();
    update_group(of, "", of.plan.ports, of.plan.coming || lately, to);
    for (const auto& pod : of.plan.stable) update_group(of, pod.hostname, pod.ports, pod.coming || lately, to);
    std::vector<std::string> gone;
    for (const auto& [hostname, group] : of.groups) {
        const auto stays = [&](const auto& pod) { return pod.hostname == hostname; };
        if (!hostname.empty() && std::none_of(of.plan.stable.begin(), of.plan.stable.end(), stays)) gone.push_back(hostname);
    }
    for (const auto& hostname : gone) remove_group(of, hostname, to);
}

void supervisor::recheck_later()
{
    if (recheck_) return;
    recheck_ = clock_.call_after(successor_within, [this] {
        recheck_ = 0;
        for (const auto& [id, of] : forwarded_)
            if (of.pods_gone()) mark(id);
    });
}

void supervisor::remove(const service_id& id, batch& to)
{
    const auto at = forwarded_.find(id);
    if (at == forwarded_.end()) return;
    while (!at->second.groups.empty()) remove_group(at->second, at->second.groups.begin()->first, to);
    parts_.state.remove_service(key_of(id));
    forwarded_.erase(at);
}

void supervisor::update_group(forwarded& of, const std::string& hostname, const std::vector<planned_port>& ports, bool coming, batch& to)
{
    auto found = of.groups.find(hostname);
    if (found == of.groups.end()) {
        const auto lease = store::lease_key(of.id.context, of.id.namespace_name, of.id.name, hostname);
        std::optional<ipv4> wanted;
        std::shared_ptr<const kube::service> object;
        if (const auto wish = wish_for(of.id, object); wish && hostname.empty()) wanted = wish->local_ip;
        if (hostname.empty())
            for (const auto& name : {of.id.name, of.id.name + "." + of.id.namespace_name, key_of(of.id)})
                if (const auto at = settings_.reservations.find(name); at != settings_.reservations.end()) wanted = at->second;
        const auto leased = parts_.leases.allocate(lease, wanted);
        if (!leased) {
            of.lease_code = leased.error().is(errc::addresses_exhausted) ? "addresses_exhausted" : "address_conflict";
            of.lease_problem = leased.error().message();
            return;
        }
        of.lease_code.clear();
        found = of.groups.emplace(hostname, group{}).first;
        found->second.lease_key = lease;
        found->second.address = *leased;
        to.new_addresses.push_back(*leased);
    }
    auto& here = found->second;
    std::vector<std::uint16_t> gone;
    for (const auto& [local, port] : here.ports)
        if (std::none_of(ports.begin(), ports.end(), [&](const planned_port& p) { return p.local_port == local; })) gone.push_back(local);
    for (const auto local : gone) {
        auto& port = here.ports.at(local);
        parts_.data.drop_route(port.id);
        if (parts_.host.about().listening == host::listening_mode::bind) parts_.data.drop_listener(make_endpoint(port.address, port.local));
        to.old_routes.push_back({port.address, port.local, 0});
        by_id_.erase(port.id);
        here.ports.erase(local);
    }
    for (const auto& planned : ports) {
        auto& port = here.ports[planned.local_port];
        const bool fresh = port.id == 0;
        if (fresh) {
            port.id = ++last_id_;
            port.of = of.id;
            port.address = here.address;
            port.local = planned.local_port;
            port.traffic = std::make_shared<catalog::counters>();
            by_id_[port.id] = {of.id, {hostname, planned.local_port}};
        }
        port.plan = planned;
        if (fresh) announce(port);
        if (port.listens != port_state::listening::there) {
            const std::pair asked{of.id, hostname};
            if (std::find(to.listens.begin(), to.listens.end(), asked) == to.listens.end()) to.listens.push_back(asked);
        }
        endpoints next{port.id, planned.eligible, coming, of.object->sticky()};
        if (fresh || next != port.sent) {
            // Other pods, other luck: what failed before says nothing of them.
            if (next.eligible != port.sent.eligible) port.failure.reset(), port.verified = false;
            port.sent = next;
            to.endpoints_.push_back(std::move(next));
        }
    }
    claim_names(of, hostname);
}

void supervisor::announce(port_state& port)
{
    route made;
    made.id = port.id;
    made.address = port.address;
    made.port = port.local;
    made.service_key = key_of(port.of);
    made.context = port.of.context;
    made.traffic = port.traffic;
    parts_.data.put_route(std::move(made));
}

void supervisor::remove_group(forwarded& of, const std::string& hostname, batch& to)
{
    const auto found = of.groups.find(hostname);
    if (found == of.groups.end()) return;
    auto& here = found->second;
    for (const auto& [local, port] : here.ports) {
        parts_.data.drop_route(port.id);
        if (parts_.host.about().listening == host::listening_mode::bind) parts_.data.drop_listener(make_endpoint(port.address, port.local));
        to.old_routes.push_back({port.address, port.local, 0});
        by_id_.erase(port.id);
    }
    names_.release(here.lease_key);
    to.old_addresses.push_back(here.address);
    parts_.leases.release(here.lease_key);
    of.groups.erase(found);
    to.touched.insert(of.id);
}

void supervisor::claim_names(forwarded& of, const std::string& hostname)
{
    auto& here = of.groups.at(hostname);
    if (parts_.host.about().hosts_path.empty()) return; // names are left alone
    name_question ask;
    ask.service = of.id.name;
    ask.namespace_name = of.id.namespace_name;
    ask.context = shown(of.id.context);
    ask.primary_context = of.id.context == primary_context_;
    const auto primary = primary_namespace_.find(of.id.context);
    ask.primary_namespace = primary != primary_namespace_.end() && primary->second == of.id.namespace_name;
    ask.by_itself = of.by_itself;
    ask.domain = settings_.domain;
    ask.pod = hostname;
    auto got = names_.claim(here.lease_key, names_of(ask));
    here.names = std::move(got.names);
    here.conflicts = std::move(got.conflicts);
    for (auto& conflict : here.conflicts) {
        // Holders are known by their leases inside, by their keys outside.
        for (const auto& [id, other] : forwarded_)
            for (const auto& [name, group] : other.groups)
                if (group.lease_key == conflict.held_by) conflict.held_by = key_of(id);
    }
}

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
    co_await write_names(now.touched);
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

awaitable<void> supervisor::write_names(const std::set<service_id>& touched)
{
    if (parts_.host.about().hosts_path.empty()) co_return;
    std::vector<host::host_names> sets;
    for (const auto& id : touched) {
        const auto at = forwarded_.find(id);
        if (at == forwarded_.end()) continue;
        for (auto& [hostname, group] : at->second.groups) {
            const bool safe = std::all_of(group.ports.begin(), group.ports.end(),
                                          [](const auto& p) { return p.second.listens == port_state::listening::there; });
            // A name whose port leads to another program is withheld (product: section 2).
            auto names = safe ? group.names : std::vector<std::string>{};
            if (names == group.written) continue;
            group.written = names;
            sets.push_back({group.address, std::move(names)});
        }
    }
    if (sets.empty()) co_return;
    const auto refused = co_await parts_.host.put_names(sets);
    if (!refused) {
        log_.error("names not written", {{"error", refused.error().message()}, {"file", parts_.host.about().hosts_path}});
        for (const auto& id : touched)
            if (const auto at = forwarded_.find(id); at != forwarded_.end())
                for (auto& [hostname, group] : at->second.groups) group.written.clear();
        co_return;
    }
    for (const auto& refusal : *refused)
        for (const auto& id : touched) {
            const auto at = forwarded_.find(id);
            if (at == forwarded_.end()) continue;
            for (auto& [hostname, group] : at->second.groups)
                if (group.address == refusal.address) {
                    std::erase(group.written, refusal.name);
                    const auto known = [&](const catalog::conflict& c) { return c.name == refusal.name; };
                    if (std::none_of(group.conflicts.begin(), group.conflicts.end(), known))
                        group.conflicts.push_back({refusal.name, refusal.why});
                }
        }
}

} // namespace fwd::forward
