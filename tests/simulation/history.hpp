// One seed's plan, as values: what the cluster is, what goes wrong when, and who asks what. Nothing here acts.
#pragma once

#include "common/async/timing.hpp"
#include "daemon/portforward/negotiate.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fwd::simulation {

/// A service with a workload of its own. Its ports: 80 to "ledger", which waits to be asked, 81 by name to one that speaks first.
struct planned_service {
    std::string namespace_name, name;
    int replicas = 1;
    bool stateful = false; ///< headless, with a name per pod
    bool sticky = false;
    [[nodiscard]] std::string key() const { return namespace_name + "/" + name; }
};

enum class fault_kind {
    kill_pod,          ///< gone at once
    delete_pod,        ///< with its grace period
    restart_container, ///< ports refuse and the pod is not ready for `lasts`
    unready_pod,       ///< for `lasts`; what runs goes on
    stall_pod,         ///< stopped in a debugger for `lasts`
    reset_pod,         ///< its applications reset their connections
    roll_out,          ///< every pod of the workload in turn, `lasts` between them
    scale_to_zero,     ///< and back after `lasts`
    slow_starts,       ///< pods need `amount` ms to become ready, for `lasts`
    cut_tunnels,
    hole_tunnels,    ///< of one pod: no byte passes any more
    stall_tunnels,   ///< of one pod: the server reads nothing for `lasts`
    trap_tunnel,     ///< the next tunnel is cut or holed after `amount` bytes
    trap_watch,      ///< the same for the next watch
    cut_watches,     ///< in an orderly way
    drop_watches,    ///< by reset
    expire_watches,  ///< 410
    slow_watches,    ///< watches and lists are answered `amount` ms late, for `lasts`
    fail_watches,    ///< with status `amount`, for `lasts`
    server_down,     ///< for `lasts`
    fail_tunnels,    ///< upgrades are answered with status `amount`, for `lasts`
    expire_token,    ///< the plugin gives a new one
    withdraw_rights, ///< of pods/portforward, for `lasts`
    remove_service,  ///< and the same again after `lasts`
    change_service,  ///< another port number besides
    drop_wish,       ///< the namespace is no longer forwarded, for `lasts`
    kill_engine,     ///< and another one starts after `lasts`
    stop_engine,     ///< in an orderly way, likewise
};
[[nodiscard]] std::string_view name_of(fault_kind kind);

struct planned_fault {
    duration at;
    fault_kind what;
    std::size_t service = 0; ///< index; its namespace where a namespace is meant
    std::uint64_t pick = 0;  ///< which pod, tunnel or variant, modulo how many there are
    duration lasts{};
    std::uint64_t amount = 0;
};

enum class manner {
    whole,   ///< waits for all
    leaves,  ///< resets after `turning_point` bytes of the answer
    closes,  ///< the same, in an orderly way
    stalls,  ///< stops reading there for `pause`
    hangs_up ///< gives up waiting after `pause`
};

struct planned_request {
    std::uint64_t id;
    duration at;
    std::size_t service = 0;
    int stable_pod = -1;  ///< by the pod's own name
    unsigned name = 0;    ///< which of the service's names
    bool greeted = false; ///< port 81: the pod speaks first
    std::uint64_t up = 0, down = 0;
    std::uint64_t up_piece = 0, down_piece = 0; ///< bytes between two gaps; 0: all at once
    duration up_gap{}, down_gap{};
    bool duplex = false;     ///< the answer begins before all was sent
    bool half_close = false; ///< the client says that it has nothing more to say
    bool pod_closes = false; ///< the pod ends the connection, not the client
    manner how = manner::whole;
    std::uint64_t turning_point = 0;
    duration pause{};
};

struct history {
    std::uint64_t seed = 0;
    duration length{}; ///< of faults and load; then all is healed and watched to rest
    portforward::transport_choice transport = portforward::transport_choice::automatic;
    int minor = 33;
    duration round_trip{}, ready_after{}, terminate_after{}, wait{};
    std::size_t pipe = 64 * 1024, step = SIZE_MAX; ///< of streams in memory
    std::vector<planned_service> services;
    std::vector<planned_fault> faults;
    std::vector<planned_request> requests;
};

[[nodiscard]] history make_history(std::uint64_t seed);

} // namespace fwd::simulation
