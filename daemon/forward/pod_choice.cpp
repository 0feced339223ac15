#include "daemon/forward/pod_choice.hpp"

#include <tuple>

namespace fwd::forward {

std::optional<std::size_t> choose_pod(std::span<const target> eligible, const std::function<pod_load(const target&)>& load,
                                      std::size_t turn, const std::optional<kube::pod_ref>& keep, const std::optional<kube::pod_ref>& avoid)
{
    std::optional<std::size_t> best;
    std::tuple<bool, bool, bool, std::size_t, bool> best_rank;
    for (std::size_t step = 0; step < eligible.size(); ++step) {
        const auto at = (turn + step) % eligible.size();
        const auto& candidate = eligible[at];
        const auto now = load(candidate);
        const std::tuple rank{avoid == candidate.pod, now.backing_off, keep && *keep != candidate.pod, now.open, !now.has_tunnel};
        if (best && best_rank <= rank) continue; // the first of equals is the next in turn
        best = at;
        best_rank = rank;
    }
    return best;
}

} // namespace fwd::forward
