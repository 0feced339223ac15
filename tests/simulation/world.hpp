// The bed of one history: the cluster, the machine, the daemon and its clients in one thread on one virtual clock.
#pragma once

#include "tests/daemon/kube/fakes.hpp"
#include "tests/simcluster/simulated_cluster.hpp"
#include "tests/simulation/daemon_life.hpp"
#include "tests/simulation/journal.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/load.hpp"
#include "tests/simulation/record.hpp"

#include <set>

namespace fwd::simulation {

inline constexpr std::string_view context_alias = "sim";

/// All that the checkers may look at. Members are in the order in which they need each other.
class world {
public:
    world(history plan, bool keep_journal, bool engine_log);
    ~world();
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    /// Plays the whole history, checks included.
    void play();

    asio::io_context loop{1};
    fwd::test::virtual_clock clock{loop};
    const history plan;
    journal log;
    fwd::test::memory_network net;
    std::unique_ptr<random_source> engine_chance, cluster_chance;
    std::unique_ptr<offload> side = make_inline_offload(loop.get_executor());
    kube::test::fake_processes processes{clock};
    kube::test::fake_files files;
    logger engine_log{log_level::info}, cluster_log{log_level::warn};
    ledger book;
    std::unique_ptr<simcluster::simulated_cluster> cluster;
    fwd::test::fake_host host{net};
    std::unique_ptr<store::lease_store> leases;
    std::unique_ptr<daemon_life> daemon;
    std::vector<std::unique_ptr<daemon_life>> dead; ///< kept until the end: their last tasks may still run
    std::unique_ptr<clients> load;
    availability pods;
    std::vector<excuse> excuses;
    std::set<std::string> wished;           ///< namespaces
    std::set<std::string> changed_services; ///< those with another port besides
    /// What the daemon sees of the cluster, or of its tunnels, may be behind until then, for reasons outside it.
    time_point view_troubled_until{}, tunnels_troubled_until{};
    time_point view_troubled_from{}; ///< where the present or last time of a view that may be behind began
    std::vector<std::pair<time_point, time_point>> tunnel_troubles;
    /// In the order of their beginnings: spans in which no tunnel could be opened to any pod.
    std::vector<std::pair<time_point, time_point>> cut_off;
    /// By uid: how many faults keep a pod from being ready.
    std::map<std::string, int> kept_unready;
    std::map<std::string, bool> stalled;
    /// By service: spans in which a pod of it was stopped.
    std::vector<std::tuple<std::string, time_point, time_point>> stalls;
    [[nodiscard]] duration stalled_within(const std::string& service, time_point from, time_point to) const;
    /// Pods that are, or were within the last minute: "ns/service#pod" with the moment of the last sight.
    std::map<std::string, time_point> stable_pods_seen;

    [[nodiscard]] const planned_service& service_of(const planned_request& of) const { return plan.services[of.service]; }
    /// "ns/name" of the services that select the pod "ns/name"; by the name of the pod.
    [[nodiscard]] std::string service_of_pod(const std::string& pod) const;
    void excuse_requests(std::string service, time_point began_by, time_point over_from, std::string why);
    void trouble_view(time_point until)
    {
        // What had just happened may be what did not come through.
        if (clock.now() > view_troubled_until) view_troubled_from = clock.now() - on_its_way();
        view_troubled_until = std::max(view_troubled_until, until);
    }
    void trouble_tunnels(time_point until)
    {
        tunnels_troubled_until = std::max(tunnels_troubled_until, until);
        tunnel_troubles.emplace_back(clock.now(), until);
    }
    /// The longest that an event of a watch that works, or the last bytes of a client, take.
    [[nodiscard]] duration on_its_way() const { return 150ms + 2 * plan.round_trip; }
    /// Until when a change of the cluster that happens now may be unknown to the daemon.
    [[nodiscard]] time_point known_by() const;
    void start_daemon();
    /// Reads what the cluster is now into `pods`.
    void look();

private:
    void fill_cluster();
    void note_plan();
    void run_until(time_point until);
    void apply_later();
    void begin_request(const planned_request& one);
    [[nodiscard]] bool none_alive(const planned_service& of) const;
    void rest();

    std::uint64_t seen_revision_ = 0;
    bool look_again_ = true;
    std::unique_ptr<class invariants> checks_;
    friend class faults;
};

/// Makes one planned fault happen, and notes what it may excuse.
void apply(world& to, const planned_fault& what);

/// JSON of a service as the cluster has it; with another port besides.
[[nodiscard]] boost::json::object service_object(const planned_service& of, bool another_port);

} // namespace fwd::simulation
