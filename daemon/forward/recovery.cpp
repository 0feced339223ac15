// What failed is tried again until it works, so that what is shown does not outlive its cause.
#include "daemon/forward/supervisor.hpp"

#include "common/log.hpp"

#include <algorithm>
#include <array>

namespace fwd::forward {

namespace {

/// Said by the pod of one of its ports: another tunnel proves nothing, only an answer does.
bool is_of_the_port(std::string_view code)
{
    constexpr std::array<std::string_view, 4> codes{"port_refused", "pod_timeout", "not_supported", "rejected"};
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

/// Of these, what may be otherwise a moment later: an application that starts.
bool may_pass(std::string_view code)
{
    return code == "port_refused" || code == "pod_timeout";
}

/// How long the container runtime may take to tell that it did not reach the port.
duration patience_for(std::string_view code)
{
    return code == "pod_timeout" ? 10s : 1s;
}

} // namespace

/// The server went or came back: everything of the context looks different.
void supervisor::context_changed(const std::string& context)
{
    const auto& from = *clusters_.at(context);
    const bool down = from.down().has_value(), was = down_since_.contains(context);
    if (down == was) return;
    if (down) {
        down_since_[context] = clock_.now();
        mark_namespace(context, {});
        return;
    }
    const auto since = down_since_.extract(context).mapped();
    clusters_.at(context)->reviews().doubt_all();
    // What was seen before says nothing of now; what failed meanwhile failed with the server.
    for (const auto& [forward, place] : by_id_) {
        if (place.first.context != context) continue;
        auto& port = forwarded_.at(place.first).groups.at(place.second.first).ports.at(place.second.second);
        const bool used = port.verified || port.failure;
        if (port.failure && !is_of_the_port(port.failure->code)) port.failure.reset();
        if (port.proved_at < since) port.verified = false;
        port.retrying.reset();
        port.asking.reset();
        if (port.failure && may_pass(port.failure->code) && !port.retry) retry_later(port);
        if (used && !port.verified) parts_.data.prove(forward);
    }
    mark_namespace(context, {});
}

void supervisor::failed(port_state& port, const report& what)
{
    port.opening = port.verified = false;
    ++port.attempts;
    port.failure = catalog::failure{what.at, what.code, what.text, port.failure ? port.failure->count + 1 : 1, {}};
    auto& from = *clusters_.at(port.of.context);
    if (what.code == "forbidden") from.reviews().doubt(port.of.namespace_name);
    // Whoever waits for the server or the pod hears of it sooner by asking now.
    if (from.down()) from.poke();
    port.failed_pod = what.pod;
    if (is_of_the_port(what.code) && !may_pass(what.code)) return;
    // Many connections that fail of one cause are one failure: the next try is due when it was.
    if (port.retry) {
        port.failure->next_retry = port.retry_due;
        return;
    }
    retry_later(port);
}

void supervisor::retry_later(port_state& port)
{
    const auto pause = (may_pass(port.failure->code) ? port.asking : port.retrying).next(parts_.around.random);
    port.retry_due = clock_.wall_now() + pause;
    port.failure->next_retry = port.retry_due;
    port.retry = clock_.call_after(pause, [this, id = port.id] { try_again(id); });
}

void supervisor::try_again(forward_id id)
{
    const auto at = by_id_.find(id);
    if (at == by_id_.end() || stopping_) return;
    const auto& [of, place] = at->second;
    auto& port = forwarded_.at(of).groups.at(place.first).ports.at(place.second);
    port.retry = 0;
    // Without a server there is nothing to find out; its return is noticed elsewhere.
    if (!port.failure || down_since_.contains(of.context)) return;
    if (!may_pass(port.failure->code)) return parts_.data.prove(id);
    parts_.data.ask_port(id, port.failed_pod, patience_for(port.failure->code));
    retry_later(port);
    show(forwarded_.at(of));
}

/// A tunnel says that the pod can be reached; what the pod said of the port itself stands until it answers.
void supervisor::proved(port_state& port, bool answered)
{
    port.opening = false;
    port.proved_at = clock_.now();
    if (port.failure && is_of_the_port(port.failure->code) && !answered) return;
    port.verified = true;
    port.failure.reset();
    port.retrying.reset();
    port.asking.reset();
    clock_.cancel(std::exchange(port.retry, 0));
}

void supervisor::access_changed(const std::string& context, const std::string& namespace_name)
{
    for (const auto& [forward, place] : by_id_) {
        const auto& id = place.first;
        if (id.context != context || !(namespace_name.empty() || id.namespace_name == namespace_name)) continue;
        const auto& port = forwarded_.at(id).groups.at(place.second.first).ports.at(place.second.second);
        if (port.failure && port.failure->code == "forbidden") parts_.data.prove(forward);
    }
    mark_namespace(context, namespace_name);
}

} // namespace fwd::forward
