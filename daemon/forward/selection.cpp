#include "daemon/forward/selection.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::forward {

bool wish::means(const kube::service& one) const
{
    if (!namespace_name.empty() && one.meta.namespace_name != namespace_name) return false;
    if (!service.empty()) return one.meta.name == service;
    const auto matches = [&](const std::string& pattern) { return wildcard_match(pattern, one.meta.name); };
    if (!services.empty() && std::none_of(services.begin(), services.end(), matches)) return false;
    return std::none_of(exclude.begin(), exclude.end(), matches);
}

result<port_mapping> port_mapping::parse(std::string_view text)
{
    const auto parts = split(text, ':');
    const error bad{errc::invalid_request, fmt::format("'{}' is no mapping: PORT:LOCAL or SERVICE:PORT:LOCAL", printable(text))};
    if (parts.size() != 2 && parts.size() != 3) return bad;
    port_mapping made;
    if (parts.size() == 3) made.service = parts[0];
    const auto port = to_number<std::uint16_t>(parts[parts.size() - 2]), local = to_number<std::uint16_t>(parts.back());
    if (!port || !local || !*port || !*local || (parts.size() == 3 && made.service.empty())) return bad;
    made.port = *port;
    made.local = *local;
    return made;
}

result<local_service> local_service::parse(std::string_view text)
{
    const auto parts = split(text, ':');
    const error bad{errc::invalid_request, fmt::format("'{}' is not SERVICE or SERVICE:PORT", printable(text))};
    if (parts.empty() || parts.size() > 2 || parts[0].empty()) return bad;
    local_service made;
    made.service = parts[0];
    if (parts.size() == 1) return made;
    made.port = to_number<std::uint16_t>(parts[1]);
    if (!made.port || *made.port == 0) return bad;
    return made;
}

namespace {

/// Whether the wish names this port, and where it wants it.
std::optional<std::uint16_t> local_port_for(const plan_question& of, const kube::service_port& port)
{
    auto local = port.port;
    for (const auto& mapping : of.mappings)
        if (mapping.port == port.port && (mapping.service.empty() || mapping.service == of.service.meta.name)) local = mapping.local;
    if (of.ports.empty()) return local;
    for (const auto& wanted : of.ports)
        if (wanted.port == std::to_string(port.port) || (!port.name.empty() && wanted.port == port.name))
            return wanted.local_port.value_or(local);
    return of.every_port ? std::optional{local} : std::nullopt;
}

std::string container_of(const kube::pod& pod, std::uint16_t port)
{
    for (const auto& container : pod.containers)
        for (const auto& one : container.ports)
            if (one.port == port) return container.name;
    return pod.containers.empty() ? std::string{} : pod.containers.front().name;
}

planned_port planned(const kube::service_port& port, std::uint16_t local)
{
    planned_port made;
    made.local_port = local;
    made.service_port = port.port;
    made.name = port.name;
    made.target_text = port.target_text();
    made.app_protocol = port.app_protocol;
    return made;
}

void offer(planned_port& port, const kube::pod& pod, std::uint16_t pod_port)
{
    if (port.eligible.empty()) {
        port.pod = pod.meta.name;
        port.pod_port = pod_port;
        port.container = container_of(pod, pod_port);
    }
    port.eligible.push_back({pod.ref(), pod_port});
}

void plan_slices(const plan_question& of, service_plan& made)
{
    bool to_pods = false;
    for (auto& port : made.ports)
        for (const auto* slice : of.slices)
            for (const auto& slice_port : slice->ports) {
                if (slice_port.name != port.name || slice_port.protocol != "TCP") continue;
                for (const auto& endpoint : slice->endpoints) {
                    if (endpoint.target_kind != "Pod" || !endpoint.ready) continue;
                    to_pods = true;
                    const kube::pod_ref pod{endpoint.target_namespace.empty() ? of.service.meta.namespace_name : endpoint.target_namespace,
                                            endpoint.target_name, endpoint.target_uid};
                    if (port.eligible.empty()) port.pod = pod.name, port.pod_port = slice_port.port;
                    port.eligible.push_back({pod, slice_port.port});
                }
            }
    if (to_pods || !of.slices_known) {
        made.coming = !of.slices_known;
        made.reason_code = "no_ready_pod";
        made.reason = of.slices_known ? "its EndpointSlices name no ready pod" : "its EndpointSlices are being read";
        return;
    }
    made.unsupported_code = "no_selector";
    made.unsupported_reason = of.slices.empty()
                                  ? "it has no selector and no EndpointSlices"
                                  : "it has no selector and its EndpointSlices lead outside the cluster, where a port-forward cannot reach";
}

/// Nobody should wait for it, however lately another pod was there.
bool fails_to_start(const kube::pod& of)
{
    const auto why = kube::pod_problem(of);
    return why && (why->code == "crash_loop" || why->code == "image_pull" || why->code == "config_error");
}

} // namespace

service_plan plan(const plan_question& of)
{
    service_plan made;
    const auto& service = of.service;
    if (service.is_external_name()) {
        made.unsupported_code = "external_name";
        made.unsupported_reason = "an ExternalName has no pods: it is an alias of " + printable(service.external_name);
        return made;
    }
    for (const auto& port : service.ports) {
        if (port.protocol != "TCP") {
            made.unsupported.push_back({port.port, port.name, port.protocol, "port-forward carries TCP only"});
            continue;
        }
        const auto local = local_port_for(of, port);
        if (local) made.ports.push_back(planned(port, *local));
    }
    if (made.ports.empty()) {
        made.unsupported_code = made.unsupported.empty() ? "no_ports" : "not_tcp";
        made.unsupported_reason = made.unsupported.empty() ? "it has no port that was asked for" : "it has no TCP port";
        return made;
    }
    if (service.selector.empty()) {
        plan_slices(of, made);
        return made;
    }

    std::optional<kube::pod_trouble> trouble;
    std::string unresolved;
    made.deserted = true;
    for (const auto* pod : of.pods) {
        if (pod->finished()) continue;
        ++made.pods.total;
        if (!pod->deleting()) {
            made.stuck = fails_to_start(*pod) && (made.deserted || made.stuck);
            made.deserted = false;
        }
        if (kube::is_coming(service, *pod)) made.coming = true;
        if (!kube::is_eligible(service, *pod)) {
            auto why = kube::pod_problem(*pod);
            // What does not heal by itself tells more than what does.
            if (why && (!trouble || (trouble->heals && !why->heals))) {
                made.waits_for = why->heals ? std::optional{pod->ref()} : std::nullopt;
                trouble = std::move(why);
            }
            continue;
        }
        ++made.pods.ready;
        for (std::size_t i = 0, at = 0; i < service.ports.size(); ++i) {
            if (at >= made.ports.size() || service.ports[i].port != made.ports[at].service_port || service.ports[i].protocol != "TCP")
                continue;
            if (const auto port = kube::resolve_target_port(service.ports[i], *pod))
                offer(made.ports[at], *pod, *port);
            else
                unresolved = fmt::format("no container of pod {} has a port named '{}'", pod->meta.name, made.ports[at].target_text);
            ++at;
        }
    }
    if (service.headless()) {
        // Clients inside the cluster reach the pod itself, so the container's own number must work too.
        std::vector<planned_port> also;
        for (const auto& port : made.ports) {
            const auto taken = [&](const planned_port& other) { return other.local_port == port.pod_port; };
            if (port.pod_port == 0 || std::any_of(made.ports.begin(), made.ports.end(), taken) ||
                std::any_of(also.begin(), also.end(), taken))
                continue;
            auto copy = port;
            copy.local_port = port.pod_port;
            also.push_back(std::move(copy));
        }
        made.ports.insert(made.ports.end(), also.begin(), also.end());
        for (const auto* pod : of.pods) {
            const auto hostname = kube::stable_name(service, *pod);
            if (hostname.empty() || pod->finished()) continue;
            service_plan::stable_pod one;
            one.hostname = hostname;
            one.coming = kube::is_coming(service, *pod);
            for (auto port : made.ports) {
                const auto mine =
                    std::find_if(port.eligible.begin(), port.eligible.end(), [&](const target& t) { return t.pod == pod->ref(); });
                const auto kept = mine == port.eligible.end() ? std::vector<target>{} : std::vector{*mine};
                port.eligible = kept;
                port.pod = pod->meta.name;
                port.pod_port = kept.empty() ? 0 : kept.front().port;
                one.ports.push_back(std::move(port));
            }
            if (const auto why = kube::pod_problem(*pod)) one.reason_code = why->code, one.reason = why->sentence;
            made.stable.push_back(std::move(one));
        }
    }

    if (!unresolved.empty())
        made.reason_code = "target_port_not_found", made.reason = unresolved;
    else if (!of.pods_known && of.pods_failure)
        made.reason_code = of.pods_failure->code, made.reason = of.pods_failure->message;
    else if (!of.pods_known)
        made.coming = true, made.reason_code = "reading_pods", made.reason = "its pods are being read";
    else if (made.pods.total == 0)
        made.reason_code = "no_pods", made.reason = "no pod matches its selector " + kube::selector_text(service.selector);
    else if (trouble)
        made.reason_code = trouble->code, made.reason = trouble->sentence;
    return made;
}

} // namespace fwd::forward
