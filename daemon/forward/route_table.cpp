#include "daemon/forward/route_table.hpp"

#include <cassert>

namespace fwd::forward {

service_state& route_table::service(const std::string& key)
{
    auto& found = services_[key];
    ++found.routes;
    return found;
}

void route_table::leave_service(const route_state& one)
{
    if (--one.of->routes == 0) services_.erase(one.what.service_key);
}

void route_table::put(route next)
{
    auto& state = routes_[next.id];
    if (!state) {
        state = std::make_unique<route_state>();
        state->now.id = next.id;
        state->of = &service(next.service_key);
    } else
        by_endpoint_.erase(make_endpoint(state->what.address, state->what.port));
    next.service_key = state->what.service_key.empty() ? next.service_key : state->what.service_key; // a route's service is for life
    state->what = std::move(next);
    by_endpoint_[make_endpoint(state->what.address, state->what.port)] = state.get();
}

void route_table::erase(forward_id id)
{
    const auto found = routes_.find(id);
    if (found == routes_.end()) return;
    assert(found->second->connections.empty());
    const auto here = by_endpoint_.find(make_endpoint(found->second->what.address, found->second->what.port));
    if (here != by_endpoint_.end() && here->second == found->second.get()) by_endpoint_.erase(here);
    leave_service(*found->second);
    routes_.erase(found);
}

void route_table::clear()
{
    while (!routes_.empty()) erase(routes_.begin()->first);
}

route_state* route_table::find(forward_id id) const
{
    const auto found = routes_.find(id);
    return found == routes_.end() ? nullptr : found->second.get();
}

route_state* route_table::at(const endpoint& local) const
{
    const auto found = by_endpoint_.find(local);
    return found == by_endpoint_.end() ? nullptr : found->second;
}

connection& route_table::add(route_state& to, std::unique_ptr<connection> one)
{
    to.connections.push_back(std::move(one));
    auto& added = *to.connections.back();
    places_.emplace(&added, place{&to, std::prev(to.connections.end())});
    return added;
}

bool route_table::move_out(connection& one, connection_list& grave)
{
    const auto found = places_.find(&one);
    if (found == places_.end()) return false;
    grave.splice(grave.end(), found->second.of->connections, found->second.at);
    places_.erase(found);
    return true;
}

} // namespace fwd::forward
