#include "daemon/kube/pod_rules.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace fwd::kube {

namespace {

std::optional<std::uint16_t> named_port(const pod& of, const std::string& name, const std::string& protocol, bool sidecars)
{
    for (const auto& c : of.containers) {
        if (sidecars ? !c.restartable : c.init) continue;
        for (const auto& p : c.ports)
            if (p.name == name && p.protocol == protocol && p.port != 0) return p.port;
    }
    return std::nullopt;
}

bool is_one_of(std::string_view reason, std::initializer_list<std::string_view> set)
{
    return std::find(set.begin(), set.end(), reason) != set.end();
}

/// At most a line's worth of the cluster's own words.
std::string tail_of(const std::string& message)
{
    return message.empty() ? std::string{} : ": " + shortened(printable(message), 240);
}

std::string container_name(const container_status& s)
{
    return (s.init ? "init container " : "container ") + s.name;
}

std::string restarts_text(const container_status& s)
{
    return fmt::format("exit code {}, {} restart{}", s.last_exit_code, s.restarts, s.restarts == 1 ? "" : "s");
}

std::optional<pod_trouble> waiting_trouble(const container_status& s)
{
    const auto who = container_name(s);
    if (s.reason == "CrashLoopBackOff")
        return pod_trouble{"crash_loop", fmt::format("{} is in CrashLoopBackOff ({})", who, restarts_text(s)), false};
    if (is_one_of(s.reason, {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable",
                             "ImageInspectError", "SignatureValidationFailed"}))
        return pod_trouble{"image_pull", fmt::format("{} cannot get its image ({}){}", who, s.reason, tail_of(s.message)), false};
    if (is_one_of(s.reason, {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PostStartHookError"}))
        return pod_trouble{"config_error", fmt::format("{} cannot be started ({}){}", who, s.reason, tail_of(s.message)), false};
    return std::nullopt;
}

std::optional<pod_trouble> container_trouble(const container_status& s)
{
    using kind = container_status::state_kind;
    if (s.state == kind::waiting) return waiting_trouble(s);
    if (s.state != kind::terminated || (s.init && s.exit_code == 0)) return std::nullopt;
    const auto how = s.reason.empty() ? fmt::format("exit code {}", s.exit_code) : fmt::format("{}, exit code {}", s.reason, s.exit_code);
    // Between two runs of a crash loop the state is Terminated for a moment; the third restart makes it one.
    if (s.restarts >= 3 && s.exit_code != 0)
        return pod_trouble{"crash_loop", fmt::format("{} keeps ending ({}, {} restarts)", container_name(s), how, s.restarts), false};
    return pod_trouble{"container_ended", fmt::format("{} has ended ({}) and is to be restarted", container_name(s), how), true};
}

std::optional<pod_trouble> scheduling_trouble(const pod& of)
{
    if (!of.node.empty()) return std::nullopt;
    const auto* scheduled = of.condition("PodScheduled");
    if (scheduled && scheduled->status == "False" && scheduled->reason == "Unschedulable")
        return pod_trouble{"unschedulable", "no node takes it" + tail_of(scheduled->message), false};
    if (scheduled && scheduled->reason == "SchedulingGated")
        return pod_trouble{"unschedulable", "it is held back by a scheduling gate", false};
    return pod_trouble{"starting", "it waits for a node", true};
}

std::optional<pod_trouble> unready_trouble(const pod& of)
{
    if (of.ready()) return std::nullopt;
    if (of.phase != "Running") return pod_trouble{"starting", "it is starting", true};
    for (const auto& s : of.statuses) {
        if (s.ready || (s.init && s.state == container_status::state_kind::terminated)) continue;
        auto sentence = fmt::format("{} is not ready", container_name(s));
        if (s.restarts > 0) sentence += " (" + restarts_text(s) + ")";
        return pod_trouble{"not_ready", std::move(sentence), true};
    }
    const auto* is = of.condition("Ready");
    if (is && is->reason == "ReadinessGatesNotReady")
        return pod_trouble{"not_ready", "a readiness gate is not passed" + tail_of(is->message), true};
    return pod_trouble{"not_ready", "it is not ready", true};
}

std::optional<pod_trouble> trouble_of(const pod& of)
{
    if (of.deleting()) return pod_trouble{"terminating", "it is being deleted", false};
    if (of.phase == "Succeeded") return pod_trouble{"finished", "it has finished", false};
    if (of.phase == "Failed")
        return pod_trouble{"failed",
                           (of.reason.empty() ? std::string("it has failed") : "it has failed (" + of.reason + ")") + tail_of(of.message),
                           false};
    if (auto trouble = scheduling_trouble(of)) return trouble;
    if (of.ready()) return std::nullopt;
    std::optional<pod_trouble> mild;
    for (const auto& s : of.statuses) {
        auto trouble = container_trouble(s);
        if (trouble && !trouble->heals) return trouble;
        if (trouble && !mild) mild = std::move(trouble);
    }
    return mild ? mild : unready_trouble(of);
}

} // namespace

std::optional<std::uint16_t> resolve_target_port(const service_port& port, const pod& of)
{
    if (const auto* name = std::get_if<std::string>(&port.target)) {
        if (const auto found = named_port(of, *name, port.protocol, false)) return found;
        return named_port(of, *name, port.protocol, true);
    }
    const auto* number = std::get_if<std::uint16_t>(&port.target);
    const auto chosen = number && *number != 0 ? *number : port.port;
    return chosen == 0 ? std::nullopt : std::optional{chosen};
}

bool selects(const service& by, const pod& of)
{
    return by.meta.namespace_name == of.meta.namespace_name && !by.is_external_name() && selects(by.selector, of.meta.labels);
}

bool is_eligible(const service& by, const pod& of)
{
    if (!selects(by, of) || of.deleting() || of.finished() || of.node.empty()) return false;
    return of.ready() || (by.publish_not_ready && of.phase == "Running");
}

bool is_coming(const service& by, const pod& of)
{
    if (!selects(by, of)) return false;
    const auto trouble = pod_problem(of);
    return trouble && trouble->heals;
}

std::optional<pod_trouble> pod_problem(const pod& of)
{
    auto trouble = trouble_of(of);
    if (trouble) trouble->sentence = "pod " + of.meta.name + ": " + trouble->sentence;
    return trouble;
}

std::string stable_name(const service& by, const pod& of)
{
    if (!by.headless() || of.hostname.empty() || of.subdomain != by.meta.name) return {};
    return selects(by, of) ? of.hostname : std::string{};
}

} // namespace fwd::kube
