// Evidence on demand: tunnels closed and opened anew, the cluster asked again, a pod tried.
#include "daemon/forward/supervisor.hpp"

#include <algorithm>

namespace fwd::forward {

using catalog::answer;
using catalog::refusal;

std::vector<supervisor::port_state*> supervisor::ports_of(const std::vector<std::string>& keys)
{
    std::vector<port_state*> all;
    for (const auto& [forward, place] : by_id_)
        if (std::find(keys.begin(), keys.end(), key_of(place.first)) != keys.end())
            all.push_back(&forwarded_.at(place.first).groups.at(place.second.first).ports.at(place.second.second));
    return all;
}

bool supervisor::decided(const std::vector<std::string>& keys) const
{
    for (const auto& [forward, place] : by_id_) {
        if (std::find(keys.begin(), keys.end(), key_of(place.first)) == keys.end()) continue;
        const auto& port = forwarded_.at(place.first).groups.at(place.second.first).ports.at(place.second.second);
        if (!port.verified && !port.failure && !port.plan.eligible.empty()) return false;
    }
    return true;
}

awaitable<void> supervisor::reconnect(std::vector<std::string> keys, duration patience)
{
    const auto deadline = clock_.now() + patience;
    for (auto* port : ports_of(keys)) {
        port->verified = false;
        port->failure.reset();
        parts_.data.reconnect(port->id);
        mark(port->of);
    }
    while (!decided(keys))
        if (!co_await changed_before(deadline)) break;
    for (auto* port : ports_of(keys)) show(forwarded_.at(port->of));
}

awaitable<void> supervisor::prove(std::string key, duration patience)
{
    const auto deadline = clock_.now() + patience;
    const std::vector<std::string> keys{std::move(key)};
    for (auto* port : ports_of(keys))
        if (!port->verified) {
            port->failure.reset(); // what is asked is how it is now
            parts_.data.prove(port->id);
        }
    while (!decided(keys))
        if (!co_await changed_before(deadline)) break;
    for (auto* port : ports_of(keys)) show(forwarded_.at(port->of));
}

awaitable<answer<std::monostate>> supervisor::sync(std::string key, duration patience)
{
    const auto id = id_of(key);
    if (!id) co_return refusal{error{errc::not_found, "service " + key}};
    const auto deadline = clock_.now() + patience;
    auto& from = *clusters_.at(id->context);
    from.poke();
    const auto there = co_await from.ask().service_named(id->namespace_name, id->name);
    if (!there && !there.error().why.is(errc::not_found)) co_return refusal{there.error().why};
    mark(*id);
    (void)co_await reconciled(deadline, &*id);
    if (!there) co_return refusal{there.error().why};
    co_return std::monostate{};
}

} // namespace fwd::forward
