#include "daemon/storage.hpp"

#include "common/log.hpp"

namespace fwd::daemon {

awaitable<result<storage>> open_storage(storage_parts use, std::string path, store::lease_settings leases)
{
    const auto database_at = [&](std::string at) {
        return std::make_unique<store::database>(std::move(at), use.thread, use.clock, use.executor, use.log);
    };
    storage out;
    out.database = database_at(std::move(path));
    if (const auto opened = co_await out.database->open(); !opened) {
        use.log.warn("history and leases are kept in memory only", {{"error", opened.error().message()}});
        out.database = database_at(":memory:");
        if (const auto in_memory = co_await out.database->open(); !in_memory) co_return in_memory.error();
    }
    out.history = std::make_unique<store::history>(*out.database);
    if (auto kept = co_await store::open_leases(*out.database, use.clock, leases)) {
        out.leases = std::move(*kept);
    } else {
        use.log.warn("leases are kept in memory only", {{"error", kept.error().message()}});
        out.leases = store::make_memory_leases(use.clock, leases);
    }
    co_return std::move(out);
}

} // namespace fwd::daemon
