#include "daemon/forward/timeline.hpp"

#include "common/text.hpp"
#include "daemon/forward/explain_pods.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace fwd::forward {

namespace {

using entries = std::vector<catalog::timeline_entry>;

/// "BackOff" as "back_off", "MissingClusterDNS" as "missing_cluster_dns".
std::string snake(std::string_view camel)
{
    std::string made;
    bool after_upper = true;
    for (const char c : camel) {
        const auto letter = static_cast<unsigned char>(c);
        const bool upper = std::isupper(letter) != 0;
        if (upper && !after_upper && made.back() != '_') made += '_';
        made += std::isalnum(letter) ? static_cast<char>(std::tolower(letter)) : '_';
        after_upper = upper;
    }
    return made;
}

/// Whether each entry has to say what it is about.
enum class subject { implied, named };

/// "web.shop.kind: ", "namespace shop: ", "context kind: "
std::string named(const past& one, subject how)
{
    if (one.service_key.empty()) return (one.namespace_name.empty() ? "context " + one.context : "namespace " + one.namespace_name) + ": ";
    return how == subject::named ? one.service_key + ": " : std::string{};
}

void add_history(entries& to, const std::vector<past>& errors, const std::vector<past>& returns, subject how)
{
    for (const auto& one : errors) {
        auto about = one.code.empty() ? std::string{"history"} : "history, " + one.code;
        if (!one.pod.empty()) about += ", pod " + one.pod;
        auto text = one.message;
        if (one.code == "port_refused") { // the runtime's words are long and about its own affairs
            text = "the pod refused the port: nothing listens there";
            about += ": " + printable(one.message);
        }
        to.push_back({one.when, "fwd", "error", named(one, how) + text, std::move(about)});
        if (!one.resolved) continue;
        auto over = fmt::format("{}over after {}", named(one, how), span_text(*one.resolved - one.when));
        if (!one.code.empty()) over += ": " + one.code;
        to.push_back({*one.resolved, "fwd", "resolved", std::move(over), "history"});
    }
    for (const auto& one : returns) {
        auto text = one.code == "pod_replaced" ? fmt::format("connections go to pod {}: {}", one.pod, one.message)
                                               : fmt::format("connected again{}, {} after: {}", one.pod.empty() ? "" : " to pod " + one.pod,
                                                             span_text(one.took), one.message);
        to.push_back({one.when, "fwd", "reconnected", named(one, how) + text, "history, " + one.code});
    }
}

void add_changes(entries& to, const std::vector<past>& changes)
{
    for (const auto& one : changes) {
        if (one.type != "ServiceAdded" && one.type != "ServiceRemoved") continue;
        auto text = one.message;
        if (!one.client.empty()) text += " by " + one.client;
        to.push_back({one.when, "fwd", snake(one.type), std::move(text), "history"});
    }
}

void add_container(entries& to, const kube::pod& pod, const kube::container_status& s)
{
    const auto about = fmt::format("pod {}, container {}", pod.meta.name, s.name);
    if (s.last_finished) {
        auto text = fmt::format("container {} ended with exit code {}", s.name, s.last_exit_code);
        if (!s.last_reason.empty()) text += " (" + printable(s.last_reason) + ")";
        if (s.restarts > 0) text += fmt::format(", restart {}", s.restarts);
        if (!s.last_message.empty()) text += ": " + printable(s.last_message);
        to.push_back({*s.last_finished, "container", s.last_reason == "OOMKilled" ? "out_of_memory" : "exit", std::move(text),
                      about + ", lastState"});
    }
}

void add_pod(entries& to, const kube::pod& pod)
{
    const auto about = "pod " + pod.meta.name;
    if (pod.meta.created) to.push_back({*pod.meta.created, "pod", "created", about + " was made", about});
    if (const auto* scheduled = pod.condition("PodScheduled"); scheduled && scheduled->changed && scheduled->status == "False")
        to.push_back({*scheduled->changed, "pod", "unschedulable",
                      fmt::format("no node takes {}: {}", about, printable(scheduled->message)), about + ", PodScheduled"});
    if (const auto* ready = pod.condition("Ready"); ready && ready->changed) {
        const bool is = ready->status == "True";
        auto text = about + (is ? " became ready" : " is not ready");
        if (!is && !ready->message.empty()) text += ": " + printable(ready->message);
        to.push_back({*ready->changed, "pod", is ? "ready" : "not_ready", std::move(text), about + ", Ready"});
    }
    if (pod.meta.deletion)
        to.push_back({*pod.meta.deletion, "pod", "deleted", about + " is to be gone by then", about + ", deletionTimestamp"});
    for (const auto& s : pod.statuses) add_container(to, pod, s);
}

void add_endpoints(entries& to, const explain_facts& of)
{
    if (!of.object || of.slices.empty()) return;
    std::size_t ready = 0, all = 0;
    for (const auto& slice : of.slices)
        for (const auto& one : slice.endpoints) ready += one.ready && !one.terminating, ++all;
    to.push_back({of.now, "endpoints", "now", fmt::format("{} of {} endpoints ready", ready, all), "EndpointSlices of " + of.service});
}

void add_events(entries& to, const explain_facts& of)
{
    for (const auto& one : of.events) {
        const auto when = one.last ? one.last : one.first;
        if (!when) continue;
        const bool rollout = one.object_kind == "Deployment" || one.object_kind == "ReplicaSet" || one.object_kind == "StatefulSet" ||
                             one.object_kind == "DaemonSet";
        auto about = fmt::format("event {}{} of {} {}", one.source.empty() ? "" : printable(one.source) + "/", printable(one.reason),
                                 one.object_kind, one.object_name);
        if (one.count > 1) about += fmt::format(", {} times", one.count);
        to.push_back({*when, rollout ? "rollout" : "event", snake(one.reason), printable(one.message), std::move(about)});
    }
}

entries in_order(entries all, std::optional<wall_time> since, std::size_t most)
{
    if (since) std::erase_if(all, [&](const auto& one) { return one.at < *since; });
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    if (all.size() > most) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(most));
    return all;
}

} // namespace

entries timeline(const explain_facts& of, std::optional<wall_time> since, std::size_t most)
{
    entries all;
    add_history(all, of.errors, of.returns, subject::implied);
    add_changes(all, of.changes);
    for (const auto& pod : of.pods) add_pod(all, pod);
    add_events(all, of);
    add_endpoints(all, of);
    return in_order(std::move(all), since, most);
}

entries timeline(const std::vector<past>& errors, const std::vector<past>& returns, std::size_t most)
{
    entries all;
    add_history(all, errors, returns, subject::named);
    return in_order(std::move(all), {}, most);
}

} // namespace fwd::forward
