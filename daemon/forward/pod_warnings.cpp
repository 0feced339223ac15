#include "daemon/forward/pod_warnings.hpp"

#include "common/async/retry_pause.hpp"
#include "common/text.hpp"

namespace fwd::forward {

namespace {

constexpr duration first_look = 5s; ///< most pods are up by then
constexpr backoff_limits look_again{20s, 5min};
constexpr std::size_t longest = 300;

std::string words_of(const kube::event& from)
{
    return shortened(printable(from.reason + ": " + from.message), longest);
}

} // namespace

pod_warnings::pod_warnings(const kube::surroundings& around, kube::discovery& ask, task_scope& tasks,
                           std::function<void(const std::string&)> changed)
    : around_{around}, ask_{ask}, tasks_{tasks}, changed_{std::move(changed)}
{
}

std::string pod_warnings::about(const kube::pod_ref& pod, const std::string& service)
{
    auto& at = rooms_[pod.namespace_name];
    if (!at) at = std::make_shared<room>();
    const bool fresh = std::exchange(at->waiting[service], pod.name) != pod.name;
    if (fresh) at->soon = true;
    if (!std::exchange(at->running, true))
        tasks_.start("listen to warnings of pods", keep_asking(pod.namespace_name, at));
    else if (fresh)
        at->other.set();
    const auto found = at->said.find(pod.name);
    return found == at->said.end() ? std::string{} : found->second;
}

void pod_warnings::forget(const std::string& namespace_name, const std::string& service)
{
    const auto at = rooms_.find(namespace_name);
    if (at == rooms_.end() || at->second->waiting.erase(service) == 0) return;
    if (at->second->waiting.empty()) at->second->other.set();
}

awaitable<void> pod_warnings::keep_asking(std::string namespace_name, std::shared_ptr<room> at)
{
    auto next = around_.clock.now() + first_look;
    backoff wait{look_again};
    for (;;) {
        while (!at->waiting.empty() && around_.clock.now() < next) {
            if (std::exchange(at->soon, false)) {
                wait.reset();
                next = std::min(next, around_.clock.now() + first_look);
            }
            co_await wait_for(around_.clock, at->other, next);
        }
        if (at->waiting.empty()) break;
        // Who may not read events has the pod's status alone.
        auto found = co_await ask_.events(namespace_name, "Pod", {}, 500, "Warning");
        if (found && take(*at, *found)) {
            wait.reset();
            changed_(namespace_name);
        }
        next = around_.clock.now() + wait.next(around_.random);
    }
    at->running = false;
    at->said.clear();
}

/// Newest first: the first one of a pod that is waited for counts. True: something is said otherwise than before.
bool pod_warnings::take(room& at, const std::vector<kube::event>& warnings)
{
    std::map<std::string, std::string> now;
    for (const auto& [service, pod] : at.waiting)
        for (const auto& one : warnings)
            if (one.object_name == pod && now.emplace(pod, words_of(one)).second) break;
    return std::exchange(at.said, now) != now;
}

} // namespace fwd::forward
