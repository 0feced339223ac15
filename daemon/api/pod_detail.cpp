// A pod whole, from the server's own document. What may be a secret is left out, whatever it is called there.
#include "daemon/api/cluster_views.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace fwd::api {

namespace {

using json::object;

const object& part(const object& from, std::string_view name)
{
    static const object none;
    const auto* value = from.if_contains(name);
    return value && value->is_object() ? value->get_object() : none;
}

std::string text(const object& from, std::string_view name)
{
    const auto* value = from.if_contains(name);
    const auto* words = value ? value->if_string() : nullptr;
    return words ? std::string{words->data(), words->size()} : std::string{};
}

template <class F>
void each(const object& from, std::string_view name, F&& visit)
{
    const auto* value = from.if_contains(name);
    if (!value || !value->is_array()) return;
    for (const auto& one : value->get_array())
        if (const auto* item = one.if_object()) visit(*item);
}

/// Names that people give to secrets. Rather one too many.
bool sounds_secret(std::string_view name)
{
    static constexpr std::array<std::string_view, 12> words{"PASS",   "SECRET",  "TOKEN",     "KEY", "CREDENTIAL", "AUTH",
                                                            "COOKIE", "PRIVATE", "SIGNATURE", "PWD", "SALT",       "CERT"};
    std::string upper;
    for (const unsigned char c : name) upper += static_cast<char>(std::toupper(c));
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return upper.find(word) != std::string::npos; });
}

/// "scheme://user:password@host" carries one whatever the variable is called; so does a connection string with "password=".
bool carries_secret(std::string_view value)
{
    const auto scheme = value.find("://");
    if (scheme != std::string_view::npos) {
        const auto authority = value.substr(scheme + 3, value.find('/', scheme + 3) - scheme - 3);
        const auto at = authority.rfind('@');
        if (at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos) return true;
    }
    const auto plain = lower(value);
    return plain.find("password=") != std::string::npos || plain.find("pwd=") != std::string::npos ||
           plain.find("-----begin") != std::string::npos || value.starts_with("eyJ");
}

std::string source_of(const object& from)
{
    const auto named = [&](std::string_view member, std::string_view word) {
        const auto& ref = part(from, member);
        return ref.empty() ? std::string{} : fmt::format("{} {} key {}", word, text(ref, "name"), text(ref, "key"));
    };
    if (auto made = named("secretKeyRef", "secret"); !made.empty()) return made;
    if (auto made = named("configMapKeyRef", "configmap"); !made.empty()) return made;
    if (const auto& ref = part(from, "fieldRef"); !ref.empty()) return "field " + text(ref, "fieldPath");
    if (const auto& ref = part(from, "resourceFieldRef"); !ref.empty()) return "resource " + text(ref, "resource");
    return {};
}

std::vector<wire::k8s_variable> variables_of(const object& container)
{
    std::vector<wire::k8s_variable> made;
    each(container, "env", [&](const object& from) {
        auto& one = made.emplace_back();
        one.name = text(from, "name");
        one.from = source_of(part(from, "valueFrom"));
        const auto* value = from.if_contains("value");
        if (!value || !value->is_string()) return;
        one.withheld = sounds_secret(one.name) || carries_secret(text(from, "value"));
        if (!one.withheld) one.value = text(from, "value");
    });
    each(container, "envFrom", [&](const object& from) {
        for (const auto& [member, word] : {std::pair{"secretRef", "secret"}, std::pair{"configMapRef", "configmap"}})
            if (const auto& ref = part(from, member); !ref.empty()) {
                auto& one = made.emplace_back();
                one.name = text(from, "prefix") + "*";
                one.from = fmt::format("{} {}", word, text(ref, "name"));
            }
    });
    return made;
}

std::map<std::string, std::string> amounts(const object& from)
{
    std::map<std::string, std::string> made;
    for (const auto& [name, value] : from) {
        if (const auto* words = value.if_string())
            made.emplace(std::string{name}, std::string{words->data(), words->size()});
        else if (const auto* number = value.if_int64())
            made.emplace(std::string{name}, std::to_string(*number));
    }
    return made;
}

void take_status(wire::k8s_container& into, const kube::container_status& from)
{
    using kind = kube::container_status::state_kind;
    into.ready = from.ready;
    into.started = from.started;
    into.restart_count = from.restarts;
    if (from.state == kind::waiting) into.state = "waiting";
    if (from.state == kind::running) into.state = "running";
    if (from.state == kind::terminated) into.state = "terminated";
    into.state_reason = from.reason;
    into.state_message = from.message;
    if (!from.last_reason.empty() || from.last_finished)
        into.last_state =
            fmt::format("terminated: {} (exit code {})", from.last_reason.empty() ? "Error" : from.last_reason, from.last_exit_code);
}

wire::k8s_container container_view(const object& from, bool init, const kube::pod& of)
{
    wire::k8s_container made;
    made.name = text(from, "name");
    made.image = text(from, "image");
    made.init = init;
    made.sidecar = init && text(from, "restartPolicy") == "Always";
    each(from, "ports", [&](const object& port) {
        json_reader in{port};
        const auto number = in.maybe_whole("containerPort").value_or(0);
        made.ports.push_back(
            {text(port, "name"), static_cast<std::uint16_t>(std::clamp<std::int64_t>(number, 0, 65535)), in.text_or("protocol", "TCP")});
    });
    made.requests = amounts(part(part(from, "resources"), "requests"));
    made.limits = amounts(part(part(from, "resources"), "limits"));
    made.env = variables_of(from);
    for (const auto& one : of.statuses)
        if (one.name == made.name && one.init == init) take_status(made, one);
    return made;
}

wire::k8s_volume volume_view(const object& from)
{
    wire::k8s_volume made;
    made.name = text(from, "name");
    for (const auto& [member, value] : from) {
        if (!value.is_object()) continue;
        made.kind = std::string{member};
        for (const auto* name : {"secretName", "claimName", "name", "path"})
            if (made.source.empty()) made.source = text(value.get_object(), name);
    }
    return made;
}

/// All but what repeats the whole object, with every literal in it.
std::map<std::string, std::string> annotations_of(const object& meta)
{
    std::map<std::string, std::string> made;
    for (const auto& [name, value] : part(meta, "annotations")) {
        const auto* words = value.if_string();
        if (!words || name == "kubectl.kubernetes.io/last-applied-configuration") continue;
        const std::string_view said{words->data(), words->size()};
        if (!sounds_secret(name) && !carries_secret(said)) made.emplace(std::string{name}, std::string{said});
    }
    return made;
}

const object& root_of(const json::value& document)
{
    static const object none;
    return document.is_object() ? document.get_object() : none;
}

} // namespace

std::string default_container(const json::value& document)
{
    const auto& root = root_of(document);
    const auto named = text(part(part(root, "metadata"), "annotations"), "kubectl.kubernetes.io/default-container");
    std::string first;
    bool there = false;
    each(part(root, "spec"), "containers", [&](const object& one) {
        const auto name = text(one, "name");
        if (first.empty()) first = name;
        there = there || name == named;
    });
    return there ? named : first;
}

wire::k8s_pod_detail detail_view(const json::value& document, const std::vector<kube::event>& events, const pod_place& in)
{
    const auto pod = kube::read_pod(document);
    const auto& root = root_of(document);
    const auto &spec = part(root, "spec"), &status = part(root, "status");
    wire::k8s_pod_detail made;
    static_cast<wire::k8s_pod&>(made) = view(pod, in);
    made.context = in.context;
    made.message = pod.message;
    made.reason = pod.reason;
    made.host_ip = text(status, "hostIP");
    made.qos_class = text(status, "qosClass");
    made.annotations = annotations_of(part(root, "metadata"));
    each(spec, "initContainers", [&](const object& one) { made.details.push_back(container_view(one, true, pod)); });
    each(spec, "containers", [&](const object& one) { made.details.push_back(container_view(one, false, pod)); });
    for (const auto& one : pod.conditions) made.conditions.push_back({one.type, one.status, one.reason, one.message, one.changed});
    each(spec, "volumes", [&](const object& one) { made.volumes.push_back(volume_view(one)); });
    for (const auto& one : events) made.events.push_back(view(one));
    return made;
}

} // namespace fwd::api
