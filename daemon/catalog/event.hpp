// What happened, typed, in the order in which it happened.
#pragma once

#include "common/async/timing.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::catalog {

enum class event_type {
    service_added,
    service_removed,
    service_updated,
    pod_added,
    pod_removed,
    pod_status_changed,
    bandwidth_update,
    namespace_added,
    namespace_removed,
    connection_opened,
    connection_closed,
    error_raised,
    error_resolved,
    reconnected,
    shutdown_started,
};
[[nodiscard]] std::string_view name_of(event_type type); ///< "ServiceAdded", ...

struct event {
    std::uint64_t id = 0; ///< given by the bus, ascending without gaps
    event_type type;
    wall_time when;
    std::string service_key, service, namespace_name, context, pod;
    std::string local_ip;
    std::uint16_t local_port = 0, pod_port = 0;
    std::vector<std::string> hostnames;
    std::string status, reason, error, client; ///< reason: why it is not active yet; error: why it failed
    std::string code;                          ///< of reason or error, lower snake case; of Reconnected: what had happened
    std::string forward_key;                   ///< of the forward, when it is about one
    duration took{};                           ///< of Reconnected: from the loss to the return
    std::uint64_t bytes_in = 0, bytes_out = 0;
};

class event_sink {
public:
    virtual ~event_sink() = default;
    virtual void emit(event what) = 0;
    /// Whether anybody listens: what is only of passing interest need not be said otherwise.
    [[nodiscard]] virtual bool heard() const { return true; }
};

} // namespace fwd::catalog
