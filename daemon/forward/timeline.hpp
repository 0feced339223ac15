// What happened around a service, joined from our own history, its pods and containers, endpoints, events and rollouts. Pure.
#pragma once

#include "daemon/forward/explain.hpp"

namespace fwd::forward {

/// Oldest first; at most `most` of the newest.
[[nodiscard]] std::vector<catalog::timeline_entry> timeline(const explain_facts& of, std::optional<wall_time> since,
                                                            std::size_t most = 200);

/// Of history alone, for a list over all services.
[[nodiscard]] std::vector<catalog::timeline_entry> timeline(const std::vector<past>& errors, const std::vector<past>& returns,
                                                            std::size_t most = 200);

} // namespace fwd::forward
