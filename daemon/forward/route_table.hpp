// What is forwarded, as the data thread knows it: each route with its pods and connections, found by the address that a client
// connected to. Only a place for them; what happens is the plane's.
#pragma once

#include "daemon/forward/connection.hpp"
#include "daemon/forward/routes.hpp"

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace fwd::forward {

using connection_list = std::list<std::unique_ptr<connection>>;

/// What the ports of one service share.
struct service_state {
    std::size_t routes = 0;
    std::size_t held = 0;              ///< connections that wait for a pod
    std::optional<kube::pod_ref> kept; ///< of a sticky service: who got the last connection
    time_point told_full{};            ///< that too many wait
};

/// What was seen of a forward since its last failure, and told.
enum class evidence {
    none,
    tunnel, ///< one to its pod was there, which says nothing of the port
    answer, ///< bytes came from the port
};

struct route_state {
    route what;
    endpoints now;
    service_state* of = nullptr;
    std::size_t turn = 0;
    evidence seen = evidence::none;
    bool told_opening = false;      ///< and nothing of it since
    time_point told_reset{};        ///< that an application reset a connection
    std::optional<time_point> used; ///< when the last connection got a pod
    connection_list connections;
};

class route_table {
public:
    /// Adds a route, or changes where it is.
    void put(route next);
    /// It must have no connections any more.
    void erase(forward_id id);
    void clear();

    [[nodiscard]] route_state* find(forward_id id) const;
    [[nodiscard]] route_state* at(const endpoint& local) const;
    [[nodiscard]] const std::map<forward_id, std::unique_ptr<route_state>>& all() const { return routes_; }

    connection& add(route_state& to, std::unique_ptr<connection> one);
    [[nodiscard]] route_state& of(connection& one) const { return *places_.at(&one).of; }
    /// Moves it to the end of `grave`. False when it was moved before.
    bool move_out(connection& one, connection_list& grave);

private:
    struct place {
        route_state* of;
        connection_list::iterator at;
    };
    service_state& service(const std::string& key);
    void leave_service(const route_state& one);

    std::map<std::string, service_state> services_;
    std::map<forward_id, std::unique_ptr<route_state>> routes_;
    std::map<endpoint, route_state*> by_endpoint_;
    std::unordered_map<connection*, place> places_; ///< looked up, never walked
};

} // namespace fwd::forward
