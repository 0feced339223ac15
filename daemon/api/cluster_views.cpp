#include "daemon/api/cluster_views.hpp"

#include "common/text.hpp"
#include "daemon/api/service_kind.hpp"

#include <fmt/core.h>

#include <set>

namespace fwd::api {

namespace {

std::string count_text(unsigned ready, unsigned all)
{
    return fmt::format("{}/{}", ready, all);
}

/// "Init:0/2", "Init:CrashLoopBackOff"; empty once the init containers are done.
std::string init_word(const kube::pod& of)
{
    using kind = kube::container_status::state_kind;
    unsigned done = 0, all = 0;
    for (const auto& one : of.containers) all += one.init && !one.restartable;
    for (const auto& one : of.statuses) {
        if (!one.init) continue;
        const auto spec =
            std::find_if(of.containers.begin(), of.containers.end(), [&](const auto& c) { return c.init && c.name == one.name; });
        if (spec != of.containers.end() && spec->restartable) continue;
        if (one.state == kind::terminated && one.exit_code == 0) {
            ++done;
            continue;
        }
        if (one.state == kind::terminated) return "Init:" + (one.reason.empty() ? std::string{"Error"} : one.reason);
        if (one.state == kind::waiting && !one.reason.empty() && one.reason != "PodInitializing") return "Init:" + one.reason;
    }
    return done < all && of.phase == "Pending" ? "Init:" + count_text(done, all) : std::string{};
}

} // namespace

std::string status_word(const kube::pod& of)
{
    using kind = kube::container_status::state_kind;
    if (of.deleting()) return "Terminating";
    if (!of.reason.empty()) return of.reason;
    if (const auto word = init_word(of); !word.empty()) return word;
    for (const auto& one : of.statuses) {
        if (one.init) continue;
        if (one.state == kind::waiting && !one.reason.empty()) return one.reason;
        if (one.state == kind::terminated && !one.reason.empty()) return one.reason;
    }
    return of.phase.empty() ? "Unknown" : of.phase;
}

std::string age_text(duration age)
{
    const auto seconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(age).count());
    if (seconds < 120) return fmt::format("{}s", seconds);
    if (seconds < 180 * 60) return fmt::format("{}m", seconds / 60);
    if (seconds < 48 * 3600) return fmt::format("{}h", seconds / 3600);
    return fmt::format("{}d", seconds / 86400);
}

std::vector<wire::k8s_port> ports_of(const kube::service& from)
{
    std::vector<wire::k8s_port> made;
    for (const auto& port : from.ports) {
        const port_signs signs{port.app_protocol, port.name, {}, port.port, from.ports.size() == 1};
        made.push_back({port.name, port.port, port.target_text(), port.protocol, port.app_protocol, std::string{kind_of(signs).kind}});
    }
    return made;
}

std::vector<wire::k8s_port> ports_of(const std::vector<kube::pod>& from)
{
    std::vector<wire::k8s_port> made;
    std::set<std::pair<std::uint16_t, std::string>> seen;
    for (const auto& pod : from)
        for (const auto& container : pod.containers)
            for (const auto& port : container.ports) {
                if (!seen.insert({port.port, port.protocol}).second) continue;
                const port_signs signs{{}, port.name, container.image, port.port, container.ports.size() == 1};
                made.push_back({port.name, port.port, std::to_string(port.port), port.protocol, {}, std::string{kind_of(signs).kind}});
            }
    return made;
}

wire::k8s_service view(const kube::service& from, const std::string& context, const catalog::catalog& state)
{
    wire::k8s_service made;
    made.name = from.meta.name;
    made.namespace_name = from.meta.namespace_name;
    made.context = context;
    made.type = from.type;
    made.cluster_ip = from.cluster_ip;
    made.ports = ports_of(from);
    made.selector = {from.selector.begin(), from.selector.end()};
    const auto key = from.meta.name + "." + from.meta.namespace_name + "." + context;
    made.forwarded = state.services().contains(key);
    if (made.forwarded) made.forward_key = key;
    return made;
}

wire::k8s_pod view(const kube::pod& from, const pod_place& in)
{
    wire::k8s_pod made;
    made.name = from.meta.name;
    made.namespace_name = from.meta.namespace_name;
    made.phase = from.phase;
    made.status = status_word(from);
    const auto [ready, all] = from.ready_count();
    made.ready = count_text(ready, all);
    made.restarts = from.restarts();
    if (from.meta.created) made.age = age_text(in.now - *from.meta.created);
    made.ip = from.ip;
    made.node = from.node;
    made.labels = {from.meta.labels.begin(), from.meta.labels.end()};
    for (const auto& one : from.containers)
        if (!one.init) made.containers.push_back(one.name);
    made.start_time = from.started;
    for (const auto& [key, service] : in.state.services()) {
        if (service.namespace_name != from.meta.namespace_name || service.context != in.context) continue;
        for (const auto& one : service.forwards) {
            if (one.pod != from.meta.name || made.is_forwarded) continue;
            made.is_forwarded = true;
            made.service_name = service.service;
            made.forwarded_port = one.local_port;
        }
    }
    return made;
}

wire::k8s_event view(const kube::event& from)
{
    return {from.type, from.reason, from.message, from.count, from.first, from.last, from.source, from.object_kind, from.object_name};
}

wire::k8s_endpoints view(const std::vector<kube::endpoint_slice>& from)
{
    wire::k8s_endpoints made;
    std::set<std::pair<std::uint16_t, std::string>> ports_seen;
    for (const auto& slice : from) {
        auto& subset = made.subsets.emplace_back();
        for (const auto& port : slice.ports) {
            const port_signs signs{port.app_protocol, port.name, {}, port.port, slice.ports.size() == 1};
            const wire::k8s_port one{port.name,     port.port,         std::to_string(port.port),
                                     port.protocol, port.app_protocol, std::string{kind_of(signs).kind}};
            subset.ports.push_back(one);
            if (ports_seen.insert({port.port, port.protocol}).second) made.ports.push_back(one);
        }
        for (const auto& end : slice.endpoints)
            for (const auto& ip : end.addresses) {
                const wire::k8s_address one{ip, end.hostname, end.node, end.target_kind == "Pod" ? end.target_name : ""};
                (end.ready ? subset.addresses : subset.not_ready_addresses).push_back(one);
                (end.ready ? made.ready : made.not_ready).push_back(one);
            }
    }
    return made;
}

} // namespace fwd::api
