// What the parts of the catalog add up to: a service from its forwards, the totals, the health of the whole.
#include "daemon/catalog/catalog.hpp"

namespace fwd::catalog {

service_state catalog::add_up(const service& of)
{
    if (of.forwards.empty()) return of.unsupported.empty() ? service_state::pending : service_state::unsupported;
    const auto count = [&](forward_state state) {
        return static_cast<std::size_t>(
            std::count_if(of.forwards.begin(), of.forwards.end(), [state](const forward& one) { return one.state == state; }));
    };
    const auto all = of.forwards.size();
    if (count(forward_state::stopping) == all) return service_state::stopping;
    const auto active = count(forward_state::active);
    if (active == all) return service_state::active;
    if (active > 0) return service_state::partial;
    return count(forward_state::error) == all ? service_state::error : service_state::pending;
}

totals catalog::sum() const
{
    totals made;
    for (const auto& [key, service] : services_) {
        ++made.services;
        if (service.state == service_state::active) ++made.active_services;
        if (service.state == service_state::pending) ++made.pending;
        if (service.state == service_state::error && service.forwards.empty()) ++made.errors;
        for (const auto& forward : service.forwards) {
            ++made.forwards;
            if (forward.state == forward_state::active) ++made.active_forwards;
            if (forward.state == forward_state::error) ++made.errors;
            made.bytes_in += forward.traffic->bytes_in.load(std::memory_order_relaxed);
            made.bytes_out += forward.traffic->bytes_out.load(std::memory_order_relaxed);
            const auto rate = forward.traffic->meter.rate();
            made.rate_in += rate.in;
            made.rate_out += rate.out;
        }
    }
    return made;
}

/// Whether anything is wanted of it. Others were only looked at.
bool catalog::uses(const context& one) const
{
    const auto of_it = [&one](const auto& entry) { return entry.second.context == one.name || entry.second.context == one.shown; };
    return std::any_of(services_.begin(), services_.end(), of_it) || std::any_of(namespaces_.begin(), namespaces_.end(), of_it);
}

health catalog::state() const
{
    if (!self_.agent_alive) return health::error;
    std::size_t works = 0, lacks = 0;
    bool starting = false;
    for (const auto& [key, service] : services_) {
        using enum service_state;
        if (service.state == unsupported || service.state == stopping || service.state == local) continue;
        const bool on_purpose = service.state == service_state::pending && service.reason_code == "scaled_to_zero";
        if (service.state == service_state::active || service.state == service_state::partial || on_purpose) ++works;
        if (service.state != service_state::active && !on_purpose) ++lacks;
    }
    for (const auto& [key, one] : namespaces_) {
        if (one.last_error)
            ++lacks;
        else if (!one.running)
            starting = true;
    }
    for (const auto& [name, one] : contexts_)
        if (one.last_error && uses(one)) ++lacks;
    if (lacks == 0) return starting ? health::degraded : health::ok;
    return works == 0 && !starting ? health::error : health::degraded;
}

} // namespace fwd::catalog
