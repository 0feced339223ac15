#include "daemon/forward/explain_pods.hpp"

#include "common/text.hpp"
#include "daemon/kube/pod_rules.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace fwd::forward {

using catalog::next_step;
using catalog::verdict;

namespace {

/// Worst first: what does not heal by itself before what may.
constexpr std::array<std::string_view, 11> troubles{"crash_loop",    "image_pull",      "config_error", "failed",
                                                    "unschedulable", "container_ended", "not_ready",    "starting",
                                                    "finished",      "terminating",     "unknown"};

std::size_t rank(std::string_view code)
{
    return static_cast<std::size_t>(std::find(troubles.begin(), troubles.end(), code) - troubles.begin());
}

std::string quoted(const std::string& words)
{
    return shortened(printable(trim(words)), 300);
}

/// What an exit code tells by convention (128 + signal, POSIX shells).
std::string_view meaning_of(const kube::container_status& s)
{
    if (s.last_reason == "OOMKilled") return "killed because it used more memory than its limit";
    switch (s.last_exit_code) {
    case 0: return "it ends by itself, as a job does";
    case 126: return "its command cannot be executed";
    case 127: return "its command was not found in the image";
    case 134: return "it aborted";
    case 137: return "it was killed";
    case 139: return "it crashed with a segmentation fault";
    case 143: return "it was told to stop";
    default: return {};
    }
}

/// The container whose trouble is the pod's.
const kube::container_status* culprit(const kube::pod& of)
{
    using kind = kube::container_status::state_kind;
    const kube::container_status* found = nullptr;
    for (const auto& s : of.statuses) {
        if (s.ready || (s.init && s.state == kind::terminated && s.exit_code == 0)) continue;
        const bool worse = s.state == kind::waiting || s.state == kind::terminated;
        if (!found || (worse && found->state == kind::running)) found = &s;
    }
    return found;
}

const kube::event* newest_event(const explain_facts& of, std::string_view object, std::initializer_list<std::string_view> reasons)
{
    for (const auto& one : of.events)
        if (one.object_name == object && std::find(reasons.begin(), reasons.end(), one.reason) != reasons.end()) return &one;
    return nullptr;
}

std::string times(const explain_facts& of, const kube::event& one)
{
    std::string text;
    if (one.count > 1) text = fmt::format("{} times", one.count);
    if (one.last) text += fmt::format("{}{} ago", text.empty() ? "" : ", last ", span_text(of.now - *one.last));
    return text.empty() ? text : " (" + text + ")";
}

next_step describe_step(const explain_facts& of, const std::string& pod)
{
    return call("GET", fmt::format("/api/v1/kubernetes/pods/{}/{}", of.namespace_name, pod),
                fmt::format("{} describe pod {}", kubectl(of), pod), "the pod with its conditions and events");
}

verdict crash(const explain_facts& of, const kube::pod& pod)
{
    verdict made;
    made.code = "crash_loop";
    const auto* s = culprit(pod);
    if (!s) {
        made.sentence = fmt::format("pod {} keeps crashing", pod.meta.name);
        return made;
    }
    // Between two runs the state itself is the end of the last one.
    auto last = *s;
    if (last.state == kube::container_status::state_kind::terminated) {
        last.last_exit_code = last.exit_code;
        last.last_reason = last.reason;
        if (!last.message.empty()) last.last_message = last.message;
    }
    const auto meaning = meaning_of(last);
    made.sentence = fmt::format("pod {} keeps crashing: {} {} ends with exit code {}{}, {} restart{} so far", pod.meta.name,
                                last.init ? "init container" : "container", last.name, last.last_exit_code,
                                meaning.empty() ? "" : fmt::format(" ({})", meaning), last.restarts, last.restarts == 1 ? "" : "s");
    if (!last.last_message.empty()) made.sentence += "; its last words: " + quoted(last.last_message);
    if (last.last_reason == "OOMKilled")
        made.suggestion = fmt::format("Raise the memory limit of container {}, or make it use less.", last.name);
    else
        made.suggestion = remedy_of("crash_loop");
    made.next = {log_step(of, pod.meta.name, last.name, true), describe_step(of, pod.meta.name)};
    return made;
}

verdict image(const explain_facts& of, const kube::pod& pod, const kube::pod_trouble& why)
{
    verdict made;
    made.code = "image_pull";
    made.sentence = why.sentence;
    const auto* s = culprit(pod);
    for (const auto& container : pod.containers)
        if (s && container.name == s->name && made.sentence.find(container.image) == std::string::npos)
            made.sentence += fmt::format("; the image is {}", printable(container.image));
    if (const auto* said = newest_event(of, pod.meta.name, {"Failed", "FailedToPullImage", "ErrImagePull"});
        said && said->message.find("Error: ") != 0)
        made.sentence += "; " + quoted(said->message);
    made.suggestion = remedy_of("image_pull");
    made.next = {describe_step(of, pod.meta.name)};
    return made;
}

verdict unready(const explain_facts& of, const kube::pod& pod, const kube::pod_trouble& why)
{
    verdict made;
    made.code = "not_ready";
    made.sentence = why.sentence;
    const auto* s = culprit(pod);
    if (const auto* probe = newest_event(of, pod.meta.name, {"Unhealthy", "ProbeWarning"}))
        made.sentence += fmt::format(": {}{}", quoted(probe->message), times(of, *probe));
    else if (const auto* ready = pod.condition("Ready"); ready && ready->changed)
        made.sentence += fmt::format(", for {}", span_text(of.now - *ready->changed));
    const auto container = s ? s->name : std::string{};
    made.suggestion = container.empty() ? "See which condition of the pod is not met."
                                        : fmt::format("Find out why the readiness probe of container {} does not pass: its log first. "
                                                      "Connections made now wait for the pod.",
                                                      container);
    if (!container.empty()) made.next.push_back(log_step(of, pod.meta.name, container, false));
    made.next.push_back(describe_step(of, pod.meta.name));
    return made;
}

verdict by_trouble(const explain_facts& of, const kube::pod& pod, const kube::pod_trouble& why)
{
    if (why.code == "crash_loop") return crash(of, pod);
    if (why.code == "image_pull") return image(of, pod, why);
    if (why.code == "not_ready") return unready(of, pod, why);
    verdict made;
    made.code = why.code;
    made.sentence = why.sentence;
    made.next = {describe_step(of, pod.meta.name)};
    if (why.code == "starting" && pod.meta.created) made.sentence += fmt::format(" since {}", span_text(of.now - *pod.meta.created));
    made.suggestion = remedy_of(why.code);
    return made;
}

bool has_labels(const kube::labels& all, const kube::labels& wanted)
{
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
        const auto at = all.find(pair.first);
        return at != all.end() && at->second == pair.second;
    });
}

std::string kind_word(kube::workload_kind kind)
{
    switch (kind) {
    case kube::workload_kind::deployment: return "Deployment";
    case kube::workload_kind::stateful_set: return "StatefulSet";
    case kube::workload_kind::daemon_set: return "DaemonSet";
    case kube::workload_kind::job: return "Job";
    }
    return "workload";
}

/// The pod that comes closest to the selector, and where it differs.
std::string near_miss(const explain_facts& of)
{
    const auto& wanted = of.object->selector;
    std::size_t best = 0;
    std::string text;
    for (const auto& pod : of.neighbours) {
        std::size_t same = 0;
        std::string differs;
        for (const auto& [key, value] : wanted) {
            const auto at = pod.meta.labels.find(key);
            if (at != pod.meta.labels.end() && at->second == value)
                ++same;
            else
                differs +=
                    fmt::format("{}{}", differs.empty() ? "" : ", ", at == pod.meta.labels.end() ? "no " + key : key + "=" + at->second);
        }
        // A value that is nearly the wanted one counts as well: the usual slip.
        for (const auto& [key, value] : wanted)
            if (const auto at = pod.meta.labels.find(key); at != pod.meta.labels.end() && at->second != value)
                if (const std::vector<std::string> there{at->second}; !close_names(value, there, 1).empty()) ++same;
        if (same <= best) continue;
        best = same;
        text = fmt::format("; closest is pod {} with {}", pod.meta.name, printable(differs));
    }
    return text;
}

verdict without_pods(const explain_facts& of)
{
    verdict made;
    const auto selector = kube::selector_text(of.object->selector);
    for (const auto& one : of.workloads) {
        if (!has_labels(one.pod_labels, of.object->selector)) continue;
        const auto what = kind_word(one.kind) + " " + one.name;
        if (one.replicas == 0) {
            made.code = "scaled_to_zero";
            made.sentence = fmt::format("{} is scaled to 0, so {} has no pods", what, of.name());
            made.suggestion = "Scale it up; the service is forwarded by itself once a pod is ready.";
            made.next = {
                step(fmt::format("{} scale {}/{} --replicas=1", kubectl(of), lower(kind_word(one.kind)), one.name), "starts a pod")};
            return made;
        }
        made.code = "no_pods";
        made.sentence = fmt::format("{} is to have {} pod{}, but none is there", what, one.replicas, one.replicas == 1 ? "" : "s");
        if (!one.trouble.empty())
            made.sentence += ": " + quoted(one.trouble);
        else if (const auto* event = of.events.empty() ? nullptr : &of.events.front(); event && event->reason == "FailedCreate")
            made.sentence += ": " + quoted(event->message);
        made.suggestion = "See why its pods cannot be created: mostly a quota, an admission rule or a missing service account.";
        made.next = {
            step(fmt::format("{} describe {}/{}", kubectl(of), lower(kind_word(one.kind)), one.name), "its conditions and events")};
        return made;
    }
    made.code = "selector_matches_nothing";
    made.sentence = fmt::format("no pod matches the selector {} of {}{}", printable(selector), of.name(), near_miss(of));
    made.suggestion = "Correct the selector of the service or the labels of its pods, or start the workload that it is for.";
    made.next = {call("GET", fmt::format("/api/v1/kubernetes/pods/{}", of.namespace_name), kubectl(of) + " get pods --show-labels",
                      "the pods of the namespace with their labels")};
    return made;
}

/// A port name that no container has.
std::optional<verdict> unresolved_port(const explain_facts& of, const kube::pod& pod)
{
    for (const auto& port : of.object->ports) {
        if (port.protocol != "TCP" || kube::resolve_target_port(port, pod)) continue;
        verdict made;
        made.code = "target_port_not_found";
        std::string has;
        for (const auto& container : pod.containers)
            for (const auto& one : container.ports)
                has += fmt::format("{}{}{}", has.empty() ? "" : ", ", one.port, one.name.empty() ? "" : " (" + one.name + ")");
        made.sentence =
            fmt::format("port {} of {} goes to the container port named '{}', and pod {} has none of that name; it has {}", port.port,
                        of.name(), printable(port.target_text()), pod.meta.name, has.empty() ? "no ports" : printable(has));
        made.suggestion = "Correct targetPort of the service, or name the port in the pod's template.";
        made.next = {step(fmt::format("{} edit service {}", kubectl(of), of.service), "targetPort is there")};
        return made;
    }
    return std::nullopt;
}

} // namespace

std::string remedy_of(std::string_view code)
{
    if (code == "crash_loop")
        return "Read what the container printed before it ended, and fix it or its configuration. It is forwarded by itself once it is "
               "ready.";
    if (code == "image_pull") return "Check that the image and its tag exist, and that the pod may pull it (imagePullSecrets).";
    if (code == "config_error") return "The message names what is missing: mostly a ConfigMap, a Secret or a key in one.";
    if (code == "unschedulable")
        return "Make room on a node, or loosen what the pod asks for: requests, nodeSelector, affinity, tolerations.";
    if (code == "not_ready") return "Find out why the readiness probe does not pass. Connections made now wait for the pod.";
    if (code == "starting") return "Wait: connections made now are held until it is ready.";
    if (code == "container_ended") return "Wait for its restart; if it goes on ending, read its log.";
    if (code == "terminating" || code == "pod_gone" || code == "no_ready_pod") return "Wait for its successor, if there is to be one.";
    if (code == "failed") return "Delete the pod so that its owner makes another one, after reading why it failed.";
    if (code == "scaled_to_zero") return "Scale it up; it is forwarded by itself once a pod is ready.";
    if (code == "no_pods") return "Start the workload that it is for, or correct the service's selector.";
    if (code == "target_port_not_found") return "Correct targetPort of the service, or name the port in the pod's template.";
    return {};
}

std::string kubectl(const explain_facts& of)
{
    return fmt::format("kubectl --context {} -n {}", of.kubeconfig_context.empty() ? of.context : of.kubeconfig_context, of.namespace_name);
}

next_step step(std::string command, std::string why)
{
    next_step made;
    made.command = std::move(command);
    made.why = std::move(why);
    return made;
}

next_step call(std::string method, std::string path, std::string command, std::string why)
{
    auto made = step(std::move(command), std::move(why));
    made.method = std::move(method);
    made.path = std::move(path);
    return made;
}

next_step log_step(const explain_facts& of, const std::string& pod, const std::string& container, bool previous)
{
    auto path = fmt::format("/api/v1/kubernetes/pods/{}/{}/logs?container={}{}", of.namespace_name, pod, container,
                            previous ? "&previous=true" : "");
    auto command = fmt::format("{} logs {} -c {}{}", kubectl(of), pod, container, previous ? " --previous" : "");
    return call("GET", std::move(path), std::move(command), previous ? "what it printed before it ended" : "what it prints");
}

std::string span_text(duration span)
{
    const auto seconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(span).count());
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
    if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} d", seconds / 86400);
}

std::optional<verdict> judge_pods(const explain_facts& of)
{
    if (!of.object || !of.pods_known || of.object->selector.empty()) return std::nullopt;
    const kube::pod* serving = nullptr;
    const kube::pod* worst = nullptr;
    std::optional<kube::pod_trouble> why;
    std::size_t alive = 0;
    for (const auto& pod : of.pods) {
        if (pod.phase == "Succeeded") continue;
        ++alive;
        if (kube::is_eligible(*of.object, pod)) {
            serving = &pod;
            continue;
        }
        auto trouble = kube::pod_problem(pod);
        if (!trouble) trouble = kube::pod_trouble{"unknown", "pod " + pod.meta.name + " does not take connections", true};
        if (!why || rank(trouble->code) < rank(why->code)) worst = &pod, why = std::move(trouble);
    }
    if (serving) return unresolved_port(of, *serving);
    if (alive == 0) return without_pods(of);
    auto made = by_trouble(of, *worst, *why);
    if (alive > 1) made.sentence = fmt::format("none of its {} pods is ready; {}", alive, made.sentence);
    return made;
}

} // namespace fwd::forward
