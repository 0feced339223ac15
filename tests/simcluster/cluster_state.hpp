// What the parts of one simulated cluster share. One thread owns all of it.
#pragma once

#include "common/async/random.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timing.hpp"
#include "common/log.hpp"
#include "common/net/network.hpp"
#include "tests/simcluster/access_rules.hpp"
#include "tests/simcluster/connections.hpp"
#include "tests/simcluster/controllers.hpp"
#include "tests/simcluster/counters.hpp"
#include "tests/simcluster/faults.hpp"
#include "tests/simcluster/object_store.hpp"
#include "tests/simcluster/pod_runtime.hpp"

namespace fwd::simcluster {

/// How bytes leave: as Go's servers send them (many small TLS records), or packed.
enum class record_pattern { go, packed };

struct cluster_settings {
    record_pattern records = record_pattern::go;
    bool websockets = true;          ///< the SPDY tunnel in WebSocket; off as in servers up to 1.29
    bool anonymous_is_admin = false; ///< requests without credentials are sim-admin's (plain HTTP in one process)
    bool reset_on_error = true;      ///< an error text is followed by RST (runtimes since 0.32), otherwise by FIN
    int minor = 33;                  ///< of the version that /version claims
    duration round_trip{};           ///< added to every connection, half each way
    duration bookmark_every = 60s;
    duration linger = 1s;           ///< from one side's end of a stream pair to the close of both
    duration stream_creation = 30s; ///< for the second stream of a pair
    duration stream_idle = 4h;
};

struct cluster_state {
    cluster_state(asio::any_io_executor on, network& over, timing& time, random_source& chance, logger& to, cluster_settings how)
        : executor{on}, net{over}, clock{time}, random{chance}, log{to}, settings{how}, store{time, chance},
          pods{store, time, chance, count}, control{store, time, chance, {}}, rules{time}, tasks{on, to}
    {
        add_usual_users(rules);
    }

    asio::any_io_executor executor;
    network& net;
    timing& clock;
    random_source& random;
    logger& log;
    cluster_settings settings;
    counters count;
    object_store store;
    pod_runtime pods;
    controllers control;
    access_rules rules;
    fault_book faults;
    connections open;
    task_scope tasks;
};

} // namespace fwd::simcluster
