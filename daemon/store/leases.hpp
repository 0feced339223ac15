// Loopback addresses as leases: the same service gets the same address on every run.
// Control thread; what is kept is written behind, so nothing waits for the disk.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/timing.hpp"
#include "common/net/endpoint.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace fwd::store {

class database;

struct lease_settings {
    ipv4 first{0x7f011b01};          ///< 127.1.27.1, `--address-base`
    ipv4 last{0x7ffffffe};           ///< 127.255.255.254
    duration reuse_after = 30 * 24h; ///< a lease unused for so long may go to another key
};

/// "context/namespace/service", with "/pod" for a stable pod of a headless service.
[[nodiscard]] std::string lease_key(std::string_view context, std::string_view namespace_name, std::string_view service,
                                    std::string_view pod = {});

class lease_store {
public:
    virtual ~lease_store() = default;

    /// The address of `key`, in use until release(): its own of earlier, else that of the lease longest out of use for more than
    /// `reuse_after`, else the lowest that nobody ever had. Last octets are 1 to 254. `wanted`, a reservation, wins over both.
    /// Errors: addresses_exhausted naming the range; conflict when `wanted` is in use by another key or user; invalid_request when
    /// it is no loopback address outside 127.0.0.0/16.
    [[nodiscard]] virtual result<ipv4> allocate(const std::string& key, std::optional<ipv4> wanted = {}) = 0;
    /// The key's service is no longer forwarded. Its lease stays.
    virtual void release(const std::string& key) = 0;
    /// Addresses that only `wanted` gives out: those of `--reserve`.
    virtual void reserve(ipv4 address) = 0;
    /// Addresses in live blocks of other users; replaces those of the last call. A lease on one of them is moved when it is next asked.
    virtual void avoid(std::set<ipv4> foreign) = 0;
};

/// Forgets with its object; for simulation, and where the state folder cannot be written.
[[nodiscard]] std::unique_ptr<lease_store> make_memory_leases(timing& clock, lease_settings settings = {});

/// Reads the leases of earlier runs, and keeps them in `kept`, which outlives the store. A table that cannot be read is an error;
/// the caller may go on with make_memory_leases.
awaitable<result<std::unique_ptr<lease_store>>> open_leases(database& kept, timing& clock, lease_settings settings = {});

} // namespace fwd::store
