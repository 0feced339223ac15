#include "daemon/kube/types.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>

namespace fwd::kube {

namespace {

const json::object& nothing()
{
    static const json::object empty;
    return empty;
}

const json::object& as_object(const json::value& from)
{
    const auto* object = from.if_object();
    return object ? *object : nothing();
}

const json::object& part(json_reader& in, std::string_view name)
{
    const auto* object = in.maybe_object(name);
    return object ? *object : nothing();
}

template <class F>
void each(json_reader& in, std::string_view name, F visit)
{
    const auto* array = in.maybe_array(name);
    if (!array) return;
    for (const auto& value : *array)
        if (const auto* object = value.if_object()) visit(*object);
}

std::string text_of(json_reader& in, std::string_view name)
{
    return in.maybe_text(name).value_or(std::string{});
}

/// A name of one label, or as if it were not set.
std::string label_of(json_reader& in, std::string_view name)
{
    auto text = text_of(in, name);
    return is_dns_label(text) ? text : std::string{};
}

std::optional<wall_time> time_of(json_reader& in, std::string_view name)
{
    const auto text = in.maybe_text(name);
    return text ? parse_rfc3339(*text) : std::nullopt;
}

std::uint16_t port_of(std::optional<std::int64_t> number)
{
    return number && *number > 0 && *number <= 65535 ? static_cast<std::uint16_t>(*number) : std::uint16_t{0};
}

labels pairs_of(json_reader& in, std::string_view name, std::string_view only = {})
{
    labels pairs;
    for (const auto& member : part(in, name)) {
        const std::string_view key{member.key().data(), member.key().size()};
        const auto* value = member.value().if_string();
        if (value && key.starts_with(only)) pairs.emplace(key, std::string(value->data(), value->size()));
    }
    return pairs;
}

object_meta read_meta(json_reader& in)
{
    json_reader from{part(in, "metadata")};
    object_meta meta;
    meta.namespace_name = text_of(from, "namespace");
    meta.name = text_of(from, "name");
    meta.uid = text_of(from, "uid");
    meta.resource_version = text_of(from, "resourceVersion");
    meta.labels = pairs_of(from, "labels");
    meta.annotations = pairs_of(from, "annotations", "fwd.dev/");
    meta.created = time_of(from, "creationTimestamp");
    meta.deletion = time_of(from, "deletionTimestamp");
    return meta;
}

service_port read_service_port(const json::object& from)
{
    json_reader in{from};
    service_port made;
    made.name = label_of(in, "name");
    made.protocol = in.text_or("protocol", "TCP");
    made.app_protocol = text_of(in, "appProtocol");
    made.port = port_of(in.maybe_whole("port"));
    made.node_port = port_of(in.maybe_whole("nodePort"));
    if (const auto* target = in.member("targetPort")) {
        if (const auto* name = target->if_string()) {
            // IntOrString may come as "8080" as well; Kubernetes treats it as a name, which no container port can have.
            made.target = std::string(name->data(), name->size());
        } else if (const auto number = port_of(in.maybe_whole("targetPort"))) {
            made.target = number;
        }
    }
    return made;
}

bool begins_with_any(std::string_view name)
{
    static constexpr std::array<std::string_view, 7> families{"POSTGRES_", "PG", "MYSQL_", "MARIADB_", "MONGO", "REDIS_", "RABBITMQ_"};
    return std::any_of(families.begin(), families.end(), [&](std::string_view f) { return name.starts_with(f); });
}

/// User and database names and the like: a list of what is wanted, so that no secret slips through.
bool is_harmless(std::string_view name)
{
    static constexpr std::array<std::string_view, 8> endings{"USER", "USERNAME", "DB", "DATABASE", "VHOST", "PORT", "_USER_NAME", "_NAME"};
    return std::any_of(endings.begin(), endings.end(), [&](std::string_view e) { return name.ends_with(e); });
}

void read_variables(json_reader& in, container& into)
{
    each(in, "env", [&](const json::object& from) {
        json_reader variable{from};
        const auto name = text_of(variable, "name");
        if (!begins_with_any(name)) return;
        if (const auto value = variable.maybe_text("value"); value && is_harmless(name)) into.hints.emplace_back(name, *value);
        json_reader source{part(variable, "valueFrom")};
        json_reader secret{part(source, "secretKeyRef")};
        if (auto held = text_of(secret, "name"); !held.empty()) into.secrets.push_back({name, held, text_of(secret, "key")});
    });
}

container read_container(const json::object& from, bool init)
{
    json_reader in{from};
    container made;
    made.name = text_of(in, "name");
    made.image = text_of(in, "image");
    made.init = init;
    made.restartable = init && text_of(in, "restartPolicy") == "Always";
    each(in, "ports", [&](const json::object& p) {
        json_reader port{p};
        made.ports.push_back({label_of(port, "name"), port.text_or("protocol", "TCP"), port_of(port.maybe_whole("containerPort"))});
    });
    read_variables(in, made);
    return made;
}

void read_state(container_status& into, const json::object& from)
{
    using kind = container_status::state_kind;
    json_reader in{from};
    const auto take = [&](std::string_view name, kind what) {
        const auto* object = in.maybe_object(name);
        if (!object) return;
        json_reader details{*object};
        into.state = what;
        into.reason = text_of(details, "reason");
        into.message = text_of(details, "message");
        into.exit_code = static_cast<int>(details.whole_or("exitCode", 0));
    };
    take("waiting", kind::waiting);
    take("running", kind::running);
    take("terminated", kind::terminated);
}

container_status read_status(const json::object& from, bool init)
{
    json_reader in{from};
    container_status made;
    made.name = text_of(in, "name");
    made.init = init;
    made.ready = in.truth_or("ready", false);
    made.started = in.truth_or("started", false);
    made.restarts = static_cast<unsigned>(std::clamp<std::int64_t>(in.whole_or("restartCount", 0), 0, 1'000'000'000));
    read_state(made, part(in, "state"));
    json_reader last{part(in, "lastState")};
    json_reader ended{part(last, "terminated")};
    made.last_reason = text_of(ended, "reason");
    made.last_message = text_of(ended, "message");
    made.last_exit_code = static_cast<int>(ended.whole_or("exitCode", 0));
    made.last_finished = time_of(ended, "finishedAt");
    return made;
}

void read_owner(json_reader& meta, pod& into)
{
    each(meta, "ownerReferences", [&](const json::object& from) {
        json_reader owner{from};
        if (!owner.truth_or("controller", false)) return;
        into.owner_kind = text_of(owner, "kind");
        into.owner_name = text_of(owner, "name");
    });
}

void read_pod_status(json_reader& in, pod& into)
{
    into.phase = text_of(in, "phase");
    into.reason = text_of(in, "reason");
    into.message = text_of(in, "message");
    into.ip = text_of(in, "podIP");
    into.started = time_of(in, "startTime");
    each(in, "initContainerStatuses", [&](const json::object& s) { into.statuses.push_back(read_status(s, true)); });
    each(in, "containerStatuses", [&](const json::object& s) { into.statuses.push_back(read_status(s, false)); });
    each(in, "conditions", [&](const json::object& from) {
        json_reader c{from};
        into.conditions.push_back(
            {text_of(c, "type"), text_of(c, "status"), text_of(c, "reason"), text_of(c, "message"), time_of(c, "lastTransitionTime")});
    });
}

} // namespace

bool has_lawful_name(const object_meta& meta)
{
    return is_dns_name(meta.name) && (meta.namespace_name.empty() || is_dns_label(meta.namespace_name));
}

bool has_lawful_label(const object_meta& meta)
{
    return is_dns_label(meta.name) && (meta.namespace_name.empty() || is_dns_label(meta.namespace_name));
}

std::string service_port::target_text() const
{
    if (const auto* number = std::get_if<std::uint16_t>(&target)) return std::to_string(*number);
    if (const auto* name = std::get_if<std::string>(&target)) return *name;
    return std::to_string(port);
}

bool service::sticky() const
{
    const auto at = meta.annotations.find("fwd.dev/sticky");
    return session_affinity || (at != meta.annotations.end() && at->second == "true");
}

service read_service(const json::value& from)
{
    json_reader in{as_object(from)};
    service made;
    made.meta = read_meta(in);
    json_reader spec{part(in, "spec")};
    made.type = spec.text_or("type", "ClusterIP");
    made.cluster_ip = text_of(spec, "clusterIP");
    made.external_name = text_of(spec, "externalName");
    made.selector = pairs_of(spec, "selector");
    made.session_affinity = text_of(spec, "sessionAffinity") == "ClientIP";
    made.publish_not_ready = spec.truth_or("publishNotReadyAddresses", false);
    each(spec, "ports", [&](const json::object& p) { made.ports.push_back(read_service_port(p)); });
    return made;
}

pod read_pod(const json::value& from)
{
    json_reader in{as_object(from)};
    pod made;
    made.meta = read_meta(in);
    json_reader meta{part(in, "metadata")};
    read_owner(meta, made);
    json_reader spec{part(in, "spec")};
    made.node = text_of(spec, "nodeName");
    made.hostname = label_of(spec, "hostname");
    made.subdomain = label_of(spec, "subdomain");
    made.host_network = spec.truth_or("hostNetwork", false);
    each(spec, "containers", [&](const json::object& c) { made.containers.push_back(read_container(c, false)); });
    each(spec, "initContainers", [&](const json::object& c) { made.containers.push_back(read_container(c, true)); });
    json_reader status{part(in, "status")};
    read_pod_status(status, made);
    return made;
}

namespace_object read_namespace(const json::value& from)
{
    json_reader in{as_object(from)};
    namespace_object made;
    made.meta = read_meta(in);
    json_reader status{part(in, "status")};
    made.phase = status.text_or("phase", "Active");
    return made;
}

endpoint_slice read_endpoint_slice(const json::value& from)
{
    json_reader in{as_object(from)};
    endpoint_slice made;
    made.meta = read_meta(in);
    if (const auto at = made.meta.labels.find("kubernetes.io/service-name"); at != made.meta.labels.end()) made.service_name = at->second;
    made.address_type = text_of(in, "addressType");
    each(in, "endpoints", [&](const json::object& e) {
        json_reader end{e};
        slice_endpoint point;
        point.addresses = end.texts("addresses");
        point.hostname = label_of(end, "hostname");
        point.node = text_of(end, "nodeName");
        json_reader conditions{part(end, "conditions")};
        point.ready = conditions.truth_or("ready", true);
        point.serving = conditions.truth_or("serving", true);
        point.terminating = conditions.truth_or("terminating", false);
        json_reader target{part(end, "targetRef")};
        point.target_kind = text_of(target, "kind");
        point.target_namespace = text_of(target, "namespace");
        point.target_name = text_of(target, "name");
        point.target_uid = text_of(target, "uid");
        // No pod has such a name.
        if (!is_dns_name(point.target_name)) point.target_kind.clear(), point.target_name.clear();
        made.endpoints.push_back(std::move(point));
    });
    each(in, "ports", [&](const json::object& p) {
        json_reader port{p};
        made.ports.push_back(
            {label_of(port, "name"), port.text_or("protocol", "TCP"), text_of(port, "appProtocol"), port_of(port.maybe_whole("port"))});
    });
    return made;
}

event read_event(const json::value& from)
{
    json_reader in{as_object(from)};
    event made;
    made.meta = read_meta(in);
    made.type = text_of(in, "type");
    made.reason = text_of(in, "reason");
    made.message = text_of(in, "message");
    json_reader source{part(in, "source")};
    made.source = text_of(source, "component");
    if (made.source.empty()) made.source = text_of(in, "reportingComponent");
    json_reader object{part(in, "involvedObject")};
    made.object_kind = text_of(object, "kind");
    made.object_name = text_of(object, "name");
    made.object_uid = text_of(object, "uid");
    json_reader series{part(in, "series")};
    const auto count = std::max(in.maybe_whole("count").value_or(0), series.maybe_whole("count").value_or(0));
    made.count = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 1));
    const auto happened = time_of(in, "eventTime");
    made.first = time_of(in, "firstTimestamp");
    if (!made.first) made.first = happened ? happened : made.meta.created;
    made.last = time_of(in, "lastTimestamp");
    if (!made.last) made.last = time_of(series, "lastObservedTime");
    if (!made.last) made.last = happened ? happened : made.meta.created;
    return made;
}

unsigned pod::restarts() const
{
    unsigned all = 0;
    for (const auto& s : statuses) all += s.restarts;
    return all;
}

std::pair<unsigned, unsigned> pod::ready_count() const
{
    std::pair<unsigned, unsigned> count{0, 0};
    for (const auto& c : containers) {
        if (c.init && !c.restartable) continue;
        ++count.second;
        const auto at = std::find_if(statuses.begin(), statuses.end(), [&](const auto& s) { return s.name == c.name; });
        if (at != statuses.end() && at->ready) ++count.first;
    }
    return count;
}

const pod_condition* pod::condition(std::string_view type) const
{
    const auto at = std::find_if(conditions.begin(), conditions.end(), [&](const auto& c) { return c.type == type; });
    return at == conditions.end() ? nullptr : &*at;
}

bool pod::ready() const
{
    const auto* is = condition("Ready");
    return is && is->status == "True";
}

std::optional<wall_time> pod::ready_since() const
{
    const auto* is = condition("Ready");
    return is && is->status == "True" ? is->changed : std::nullopt;
}

} // namespace fwd::kube
