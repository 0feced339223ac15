#include "tests/simcluster/service_ports.hpp"

#include "common/text.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace fwd::simcluster {

namespace {

const json::array* array_at(const json::object& of, std::string_view where, std::string_view name)
{
    const auto* within = where.empty() ? &of : object_at(of, where);
    const auto* member = within ? within->if_contains(name) : nullptr;
    return member ? member->if_array() : nullptr;
}

std::string protocol_of(const json::object& port)
{
    const auto text = text_at(port, "protocol");
    return text.empty() ? "TCP" : text;
}

std::optional<std::uint16_t> named_port(const json::array* containers, const std::string& name, const std::string& protocol,
                                        bool only_sidecars)
{
    if (!containers) return std::nullopt;
    for (const auto& container : *containers) {
        const auto& body = container.get_object();
        if (only_sidecars && text_at(body, "restartPolicy") != "Always") continue;
        const auto* ports = array_at(body, "", "ports");
        if (!ports) continue;
        for (const auto& port : *ports) {
            const auto& at = port.get_object();
            if (text_at(at, "name") == name && protocol_of(at) == protocol) return to_number<std::uint16_t>(text_at(at, "containerPort"));
        }
    }
    return std::nullopt;
}

bool has_condition(const json::object& pod, std::string_view type)
{
    const auto* conditions = array_at(pod, "status", "conditions");
    if (!conditions) return false;
    return std::any_of(conditions->begin(), conditions->end(), [&](const json::value& one) {
        return text_at(one.get_object(), "type") == type && text_at(one.get_object(), "status") == "True";
    });
}

/// Finished pods and pods without address stand behind nothing.
bool is_candidate(const json::object& pod)
{
    const auto phase = text_at(pod, "status.phase");
    return phase != "Succeeded" && phase != "Failed" && !text_at(pod, "status.podIP").empty();
}

json::object target_reference(const stored_object& pod)
{
    return {{"kind", "Pod"}, {"namespace", pod.namespace_name}, {"name", pod.name}, {"uid", pod.uid}};
}

} // namespace

std::optional<std::uint16_t> resolve_port(const json::object& pod, const json::object& service_port)
{
    const auto* target = service_port.if_contains("targetPort");
    if (!target || target->is_null() || text_at(service_port, "targetPort") == "0")
        return to_number<std::uint16_t>(text_at(service_port, "port"));
    if (!target->is_string()) return to_number<std::uint16_t>(text_at(service_port, "targetPort"));
    const std::string name{target->get_string()};
    const auto protocol = protocol_of(service_port);
    if (const auto found = named_port(array_at(pod, "spec", "containers"), name, protocol, false)) return found;
    return named_port(array_at(pod, "spec", "initContainers"), name, protocol, true);
}

bool pod_is_ready(const json::object& pod)
{
    return has_condition(pod, "Ready");
}

bool pod_is_terminating(const json::object& pod)
{
    return !text_at(pod, "metadata.deletionTimestamp").empty();
}

std::vector<service_port_truth> truth_of(const object_store& store)
{
    std::vector<service_port_truth> all;
    const auto& services = *find_type("", "services");
    const auto& pods = *find_type("", "pods");
    for (const auto& service : store.list(services, "")) {
        const auto* wanted = object_at(service->body, "spec.selector");
        const auto* ports = array_at(service->body, "spec", "ports");
        if (!wanted || wanted->empty() || !ports || text_at(service->body, "spec.type") == "ExternalName") continue;
        const bool not_ready_too = text_at(service->body, "spec.publishNotReadyAddresses") == "true";
        for (const auto& port : *ports) {
            const auto& at = port.get_object();
            if (protocol_of(at) != "TCP") continue;
            service_port_truth one{
                service->namespace_name, service->name, text_at(at, "name"), to_number<std::uint16_t>(text_at(at, "port")).value_or(0), {}};
            for (const auto& pod : store.list(pods, service->namespace_name)) {
                if (!labels_include(object_at(pod->body, "metadata.labels"), *wanted) || !is_candidate(pod->body)) continue;
                if (!not_ready_too && (!pod_is_ready(pod->body) || pod_is_terminating(pod->body))) continue;
                if (const auto number = resolve_port(pod->body, at))
                    one.pods.push_back({pod->name, pod->uid, text_at(pod->body, "status.podIP"), *number});
            }
            all.push_back(std::move(one));
        }
    }
    return all;
}

std::vector<json::object> endpoint_slices_of(const stored_object& service, const std::vector<object_ptr>& selected)
{
    const auto* ports = array_at(service.body, "spec", "ports");
    const bool headless = text_at(service.body, "spec.clusterIP") == "None";
    const bool publish = text_at(service.body, "spec.publishNotReadyAddresses") == "true";
    std::map<std::vector<std::uint16_t>, json::array> groups;
    for (const auto& pod : selected) {
        if (!is_candidate(pod->body)) continue;
        std::vector<std::uint16_t> resolved;
        if (ports)
            for (const auto& port : *ports) resolved.push_back(resolve_port(pod->body, port.get_object()).value_or(0));
        const bool ready = pod_is_ready(pod->body), terminating = pod_is_terminating(pod->body);
        json::object endpoint{
            {"addresses", json::array{text_at(pod->body, "status.podIP")}},
            {"conditions", json::object{{"ready", publish || (ready && !terminating)}, {"serving", ready}, {"terminating", terminating}}},
            {"nodeName", text_at(pod->body, "spec.nodeName")},
            {"targetRef", target_reference(*pod)}};
        const auto hostname = text_at(pod->body, "spec.hostname");
        if (!hostname.empty() && text_at(pod->body, "spec.subdomain") == service.name) endpoint["hostname"] = hostname;
        groups[resolved].push_back(std::move(endpoint));
    }
    if (groups.empty()) groups[{}];
    std::vector<json::object> slices;
    for (const auto& [resolved, endpoints] : groups) {
        json::object labels{{"kubernetes.io/service-name", service.name},
                            {"endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"}};
        if (headless) labels["service.kubernetes.io/headless"] = "";
        json::array slice_ports;
        for (std::size_t i = 0; i < resolved.size(); ++i) {
            if (resolved[i] == 0) continue;
            const auto& port = (*ports)[i].get_object();
            slice_ports.push_back(json::object{{"name", text_at(port, "name")}, {"port", resolved[i]}, {"protocol", protocol_of(port)}});
        }
        const auto name = service.name + "-" + std::to_string(slices.size());
        slices.push_back({{"metadata", json::object{{"name", name}, {"namespace", service.namespace_name}, {"labels", labels}}},
                          {"addressType", "IPv4"},
                          {"ports", slice_ports},
                          {"endpoints", endpoints}});
    }
    return slices;
}

json::object endpoints_of(const stored_object& service, const std::vector<object_ptr>& selected)
{
    json::array subsets;
    for (const auto& slice : endpoint_slices_of(service, selected)) {
        json::array ready, not_ready;
        for (const auto& endpoint : slice.at("endpoints").get_array()) {
            const auto& at = endpoint.get_object();
            const bool good = at.at("conditions").at("ready").get_bool();
            (good ? ready : not_ready).push_back(json::object{{"ip", at.at("addresses").at(0)}, {"targetRef", at.at("targetRef")}});
        }
        if (ready.empty() && not_ready.empty()) continue;
        json::object subset{{"ports", slice.at("ports")}};
        if (!ready.empty()) subset["addresses"] = ready;
        if (!not_ready.empty()) subset["notReadyAddresses"] = not_ready;
        subsets.push_back(std::move(subset));
    }
    return {{"metadata", json::object{{"name", service.name}, {"namespace", service.namespace_name}}}, {"subsets", subsets}};
}

} // namespace fwd::simcluster
