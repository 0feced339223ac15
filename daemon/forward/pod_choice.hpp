// Which pod gets the next connection. A pure decision.
#pragma once

#include "daemon/forward/routes.hpp"

#include <functional>
#include <optional>
#include <span>

namespace fwd::forward {

/// What is known of a candidate at this moment.
struct pod_load {
    std::size_t open = 0;     ///< connections through us
    bool has_tunnel = false;  ///< one that takes new pairs
    bool backing_off = false; ///< its last tunnel failed and the next try is not due
};

/// Fewest open connections, then an open tunnel, then round robin from `turn`; a pod that backs off only where no other is left.
/// `keep` (the sticky pod, or nothing) wins while it is eligible; `avoid` (just failed) loses unless it is alone.
/// Returns an index into `eligible`; nothing when that is empty.
[[nodiscard]] std::optional<std::size_t> choose_pod(std::span<const target> eligible, const std::function<pod_load(const target&)>& load,
                                                    std::size_t turn, const std::optional<kube::pod_ref>& keep,
                                                    const std::optional<kube::pod_ref>& avoid);

} // namespace fwd::forward
