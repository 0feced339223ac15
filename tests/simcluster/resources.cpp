#include "tests/simcluster/resources.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "common/text.hpp"

namespace fwd::simcluster {

std::string resource_type::api_version() const
{
    return group.empty() ? std::string{version} : std::string{group} + "/" + std::string{version};
}

const std::vector<resource_type>& resource_types()
{
    static const std::vector<resource_type> all = [] {
        std::vector<resource_type> types{
            {0, "", "v1", "namespaces", "Namespace", "namespace", "ns", false, ""},
            {0, "", "v1", "services", "Service", "service", "svc", true, ""},
            {0, "", "v1", "pods", "Pod", "pod", "po", true, "log,portforward"},
            {0, "", "v1", "events", "Event", "event", "ev", true, ""},
            {0, "", "v1", "endpoints", "Endpoints", "endpoints", "ep", true, ""},
            {0, "", "v1", "nodes", "Node", "node", "no", false, ""},
            {0, "", "v1", "configmaps", "ConfigMap", "configmap", "cm", true, ""},
            {0, "", "v1", "secrets", "Secret", "secret", "", true, ""},
            {0, "apps", "v1", "deployments", "Deployment", "deployment", "deploy", true, "scale"},
            {0, "apps", "v1", "statefulsets", "StatefulSet", "statefulset", "sts", true, "scale"},
            {0, "apps", "v1", "daemonsets", "DaemonSet", "daemonset", "ds", true, ""},
            {0, "batch", "v1", "jobs", "Job", "job", "", true, ""},
            {0, "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", "endpointslice", "", true, ""},
            {0, "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", "selfsubjectaccessreview", "", false,
             ""},
        };
        for (std::size_t i = 0; i < types.size(); ++i) types[i].index = i;
        return types;
    }();
    return all;
}

const resource_type* find_type(std::string_view group, std::string_view plural)
{
    for (const auto& type : resource_types())
        if (type.group == group && type.plural == plural) return &type;
    return nullptr;
}

const resource_type* find_kind(std::string_view api_version, std::string_view kind)
{
    for (const auto& type : resource_types())
        if (type.kind == kind && type.api_version() == api_version) return &type;
    return nullptr;
}

json::object api_versions_document(std::string_view server_address)
{
    json::array addresses;
    addresses.push_back(json::object{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", server_address}});
    json::array versions;
    versions.emplace_back("v1");
    return {{"kind", "APIVersions"}, {"versions", versions}, {"serverAddressByClientCIDRs", addresses}};
}

json::object api_groups_document()
{
    json::array groups;
    std::vector<std::string_view> seen;
    for (const auto& type : resource_types()) {
        if (type.group.empty() || std::find(seen.begin(), seen.end(), type.group) != seen.end()) continue;
        seen.push_back(type.group);
        const json::object version{{"groupVersion", type.api_version()}, {"version", type.version}};
        json::array versions;
        versions.push_back(version);
        groups.push_back(json::object{{"name", type.group}, {"versions", versions}, {"preferredVersion", version}});
    }
    return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", groups}};
}

json::object api_resources_document(std::string_view group, std::string_view version)
{
    json::array resources;
    std::string group_version;
    for (const auto& type : resource_types()) {
        if (type.group != group || type.version != version) continue;
        group_version = type.api_version();
        json::array verbs;
        if (type.kind == "SelfSubjectAccessReview")
            verbs = {"create"};
        else
            verbs = {"create", "delete", "get", "list", "patch", "update", "watch"};
        json::object entry{
            {"name", type.plural}, {"singularName", type.singular}, {"namespaced", type.namespaced}, {"kind", type.kind}, {"verbs", verbs}};
        if (!type.short_name.empty()) entry["shortNames"] = json::array{type.short_name};
        resources.push_back(entry);
        for (const auto& below : split(type.subresources, ',')) {
            if (below.empty()) continue;
            json::object sub{{"name", std::string{type.plural} + "/" + below}, {"singularName", ""}, {"namespaced", type.namespaced}};
            if (below == "scale") {
                sub["kind"] = "Scale";
                sub["group"] = "autoscaling";
                sub["version"] = "v1";
                sub["verbs"] = json::array{"get", "patch", "update"};
            } else {
                sub["kind"] = below == "portforward" ? "PodPortForwardOptions" : type.kind;
                sub["verbs"] = below == "portforward" ? json::array{"create", "get"} : json::array{"get"};
            }
            resources.push_back(sub);
        }
    }
    if (resources.empty()) return {};
    return {{"kind", "APIResourceList"}, {"apiVersion", "v1"}, {"groupVersion", group_version}, {"resources", resources}};
}

} // namespace fwd::simcluster
