// What outlives the daemon, opened together: history and leases; in memory alone where the state folder cannot be used.
#pragma once

#include "daemon/store/database.hpp"
#include "daemon/store/history.hpp"
#include "daemon/store/leases.hpp"

#include <memory>
#include <string>

namespace fwd::daemon {

struct storage {
    std::unique_ptr<store::database> database;
    std::unique_ptr<store::history> history;
    std::unique_ptr<store::lease_store> leases;
};

/// References outlive what is made.
struct storage_parts {
    offload& thread;
    timing& clock;
    asio::any_io_executor executor;
    logger& log;
};

/// `path`: of the database. Errors: only where not even memory serves.
awaitable<result<storage>> open_storage(storage_parts use, std::string path, store::lease_settings leases);

} // namespace fwd::daemon
