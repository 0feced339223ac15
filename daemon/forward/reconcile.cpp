// From what is wanted to what is there: one pass over the services that changed, then one round of calls to the host for all of them.
#include "daemon/forward/supervisor.hpp"

#include "common/text.hpp"

namespace fwd::forward {

namespace {

/// How long after its last pod went a service counts as about to have another.
constexpr duration successor_within = 60s;
/// How long the names of a deleted stable pod stay.
constexpr duration pod_names_stay = 60s;
constexpr ipv4 here_address{0x7f000001};

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
        for (const auto& stale : names_.take_stale())
            for (const auto& [id, of] : forwarded_)
                for (const auto& [hostname, group] : of.groups)
                    if (group.lease_key == stale) mark(id);
        show_namespaces();
        reconciling_ = false;
        changed_.set();
    }
}

/// Whether somebody scaled it to zero; then no pod is to be waited for.
bool supervisor::asleep(forwarded& of)
{
    auto& from = *clusters_.at(of.id.context);
    if (of.object->selector.empty() || !of.plan.deserted || !from.pods_known(of.id.namespace_name)) {
        from.idle().forget(of.id.namespace_name, of.id.name);
        return false;
    }
    const auto workload = from.idle().behind(*of.object);
    if (workload.empty()) return false;
    of.plan.coming = false;
    of.plan.reason_code = "scaled_to_zero";
    of.plan.reason = workload + " is scaled to zero";
    for (auto& pod : of.plan.stable) pod.coming = false;
    return true;
}

/// Where the status of the pod that is waited for says too little, the cluster may have said more.
void supervisor::listen_to_warnings(forwarded& of)
{
    auto& from = clusters_.at(of.id.context)->warnings();
    auto& plan = of.plan;
    if (!plan.waits_for || plan.pods.ready > 0) return from.forget(of.id.namespace_name, of.id.name);
    if (const auto said = from.about(*plan.waits_for, of.id.name); !said.empty()) plan.reason += ": " + said;
}

/// It has pods, or is not forwarded any more: nothing is to be asked for its sake.
void supervisor::forget(const service_id& id)
{
    const auto from = clusters_.find(id.context);
    if (from == clusters_.end()) return;
    from->second->idle().forget(id.namespace_name, id.name);
    from->second->warnings().forget(id.namespace_name, id.name);
}

void supervisor::update(const service_id& id, batch& to)
{
    auto& of = forwarded_.at(id);
    to.touched.insert(id);
    auto& from = *clusters_.at(id.context);
    std::shared_ptr<const kube::service> object;
    const auto wanted = wish_for(id, object);
    of.local.reset();
    for (const auto& one : settings_.locals)
        if (wildcard_match(one.service, id.name)) of.local = one;
    if (of.local) return update_here(of, to);
    plan_question ask{*of.object,
                      from.pods_of(*of.object),
                      {},
                      from.pods_known(id.namespace_name),
                      false,
                      wanted->ports,
                      settings_.mappings,
                      from.pods_failure(id.namespace_name),
                      wanted->service.empty() || wanted_with_namespace(id)};
    if (of.object->selector.empty() && !of.object->is_external_name()) {
        ask.slices = from.slices_of(*of.object);
        ask.slices_known = from.slices_known(id.namespace_name);
    }
    of.plan = plan(ask);
    listen_to_warnings(of);
    if (const auto old = of.groups.find(""); old != of.groups.end() && old->second.here) remove_group(of, "", to);
    if (!of.plan.unsupported_code.empty()) {
        while (!of.groups.empty()) remove_group(of, of.groups.begin()->first, to);
        return;
    }
    const bool eligible =
        std::any_of(of.plan.ports.begin(), of.plan.ports.end(), [](const planned_port& p) { return !p.eligible.empty(); });
    // Until this moment it was, however long ago anything of it had changed.
    if (eligible || std::exchange(of.was_eligible, eligible)) of.eligible_at = clock_.now();
    of.was_eligible = eligible;
    const bool lately = !asleep(of) && !of.plan.stuck && of.eligible_at && clock_.now() - *of.eligible_at < successor_within;
    if (lately && !eligible) recheck_at(*of.eligible_at + successor_within);
    update_group(of, "", of.plan.ports, of.plan.coming || lately, to);
    update_stable(of, lately, to);
}

/// Those of its pods that have names of their own. A deleted one keeps them for a while: a successor of the same name has the same address.
void supervisor::update_stable(forwarded& of, bool may_come, batch& to)
{
    for (const auto& pod : of.plan.stable) {
        update_group(of, pod.hostname, pod.ports, pod.coming || may_come, to);
        if (const auto at = of.groups.find(pod.hostname); at != of.groups.end()) at->second.gone_since.reset();
    }
    std::vector<std::string> over;
    for (auto& [hostname, group] : of.groups) {
        const auto stays = [&name = hostname](const auto& pod) { return pod.hostname == name; };
        if (hostname.empty() || std::any_of(of.plan.stable.begin(), of.plan.stable.end(), stays)) continue;
        if (!group.gone_since) group.gone_since = clock_.now();
        const auto until = *group.gone_since + pod_names_stay;
        if (!of.object->headless() || clock_.now() >= until) {
            over.push_back(hostname);
            continue;
        }
        recheck_at(until);
        for (auto& [local, port] : group.ports) {
            port.plan.eligible.clear();
            endpoints next{port.id, {}, may_come, of.object->sticky()};
            if (next == port.sent) continue;
            port.sent = next;
            to.endpoints_.push_back(std::move(next));
        }
    }
    for (const auto& hostname : over) remove_group(of, hostname, to);
}

/// It runs on this machine: names to 127.0.0.1, no address, no ports.
void supervisor::update_here(forwarded& of, batch& to)
{
    forget(of.id);
    of.plan = {};
    std::vector<std::string> forwarded;
    for (const auto& [hostname, group] : of.groups)
        if (!group.here) forwarded.push_back(hostname);
    for (const auto& hostname : forwarded) remove_group(of, hostname, to);
    auto& group = of.groups[""];
    group.here = true;
    group.address = here_address;
    group.lease_key = store::lease_key(of.id.context, of.id.namespace_name, of.id.name, "");
    claim_names(of, "");
}

/// Services are looked at again then: what was expected did not come, or what was kept goes.
void supervisor::recheck_at(time_point when)
{
    if (recheck_ && recheck_when_ <= when) return;
    clock_.cancel(recheck_);
    recheck_when_ = when;
    recheck_ = clock_.call_at(when, [this] {
        recheck_ = 0;
        for (const auto& [id, of] : forwarded_) {
            const auto waits = [](const auto& one) { return one.second.gone_since || one.second.refused_at; };
            if (of.pods_gone() || std::any_of(of.groups.begin(), of.groups.end(), waits)) mark(id);
        }
    });
}

void supervisor::remove(const service_id& id, batch& to)
{
    const auto at = forwarded_.find(id);
    if (at == forwarded_.end()) return;
    forget(id);
    while (!at->second.groups.empty()) remove_group(at->second, at->second.groups.begin()->first, to);
    parts_.state.remove_service(key_of(id));
    forwarded_.erase(at);
}

/// The address that is reserved, that was asked for, or that it had before.
result<ipv4> supervisor::lease(const forwarded& of, const std::string& hostname, const std::string& key)
{
    std::optional<ipv4> wanted;
    std::shared_ptr<const kube::service> object;
    if (const auto wish = wish_for(of.id, object); wish && hostname.empty()) wanted = wish->local_ip;
    const auto front = hostname.empty() ? std::string{} : hostname + ".";
    for (const auto& name : {front + of.id.name, front + of.id.name + "." + of.id.namespace_name, front + key_of(of.id)})
        if (const auto at = settings_.reservations.find(name); at != settings_.reservations.end()) wanted = at->second;
    return parts_.leases.allocate(key, wanted);
}

void supervisor::update_group(forwarded& of, const std::string& hostname, const std::vector<planned_port>& ports, bool coming, batch& to)
{
    auto found = of.groups.find(hostname);
    if (found == of.groups.end()) {
        const auto key = store::lease_key(of.id.context, of.id.namespace_name, of.id.name, hostname);
        const auto leased = lease(of, hostname, key);
        if (!leased) {
            of.lease_code = leased.error().is(errc::addresses_exhausted) ? "addresses_exhausted"
                            : leased.error().is(errc::invalid_request)   ? "address_invalid"
                                                                         : "address_conflict";
            of.lease_problem = leased.error().message();
            return;
        }
        of.lease_code.clear();
        found = of.groups.emplace(hostname, group{}).first;
        found->second.lease_key = key;
        found->second.address = *leased;
        to.new_addresses.push_back(*leased);
    }
    auto& here = found->second;
    std::vector<std::uint16_t> gone;
    for (const auto& [local, port] : here.ports)
        if (std::none_of(ports.begin(), ports.end(), [&](const planned_port& p) { return p.local_port == local; })) gone.push_back(local);
    for (const auto local : gone) {
        auto& port = here.ports.at(local);
        clock_.cancel(port.retry);
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
            port.traffic = parts_.state.new_counters();
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
            if (next.eligible != port.sent.eligible)
                port.failure.reset(), port.verified = false, port.retrying.reset(), port.asking.reset();
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
        clock_.cancel(port.retry);
        parts_.data.drop_route(port.id);
        if (parts_.host.about().listening == host::listening_mode::bind) parts_.data.drop_listener(make_endpoint(port.address, port.local));
        to.old_routes.push_back({port.address, port.local, 0});
        by_id_.erase(port.id);
    }
    names_.release(here.lease_key);
    if (here.here) {
        to.here_changed = true;
    } else {
        to.old_addresses.push_back(here.address);
        parts_.leases.release(here.lease_key);
    }
    of.groups.erase(found);
    to.touched.insert(of.id);
}

} // namespace fwd::forward
