// What a pod's status says, by the health that its annotation asks for.
#include "tests/simcluster/controllers.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace fwd::simcluster {

namespace {

json::object condition(std::string_view type, bool holds, const std::string& now, std::string_view reason = {},
                       std::string_view message = {})
{
    json::object made{{"type", type}, {"status", holds ? "True" : "False"}, {"lastTransitionTime", now}};
    if (!reason.empty()) made["reason"] = reason;
    if (!message.empty()) made["message"] = message;
    return made;
}

json::object container_status(const json::object& container, const std::string& health, const object_key& key, const std::string& now,
                              bool ready)
{
    const auto name = text_at(container, "name");
    json::object status{{"name", name},
                        {"image", text_at(container, "image")},
                        {"imageID", ""},
                        {"ready", ready},
                        {"restartCount", 0},
                        {"started", true},
                        {"lastState", json::object{}},
                        {"containerID", "containerd://" + key.name}};
    if (health == "crash-loop") {
        const auto message = "back-off 5m0s restarting failed container=" + name + " pod=" + key.name + "_" + key.namespace_name;
        const json::object waiting{{"reason", "CrashLoopBackOff"}, {"message", message}};
        const json::object ended{{"exitCode", 1}, {"reason", "Error"}, {"startedAt", now}, {"finishedAt", now}};
        status["state"] = json::object{{"waiting", waiting}};
        status["lastState"] = json::object{{"terminated", ended}};
        status["restartCount"] = 7;
        status["started"] = false;
    } else if (health == "image-pull") {
        const auto message = "Back-off pulling image \"" + text_at(container, "image") + "\"";
        status["state"] = json::object{{"waiting", json::object{{"reason", "ImagePullBackOff"}, {"message", message}}}};
        status["started"] = false;
    } else {
        status["state"] = json::object{{"running", json::object{{"startedAt", now}}}};
    }
    return status;
}

} // namespace

json::object running_pod(const json::object& pod_template, const object_key& key, const std::string& ip, const std::string& now, bool ready)
{
    auto body = pod_template;
    auto& meta = body["metadata"].get_object();
    meta["name"] = key.name;
    meta["namespace"] = key.namespace_name;
    std::string health;
    if (const auto* notes = object_at(body, "metadata.annotations"))
        if (const auto* found = notes->if_contains(health_annotation)) health = found->get_string();
    if (!health.empty()) ready = false;

    auto& spec = body["spec"].get_object();
    spec["nodeName"] = "sim-node";
    if (!spec.contains("restartPolicy")) spec["restartPolicy"] = "Always";
    json::array statuses;
    std::string waiting;
    for (const auto& container : spec["containers"].get_array()) {
        statuses.push_back(container_status(container.get_object(), health, key, now, ready));
        if (!ready) waiting += (waiting.empty() ? "" : " ") + text_at(container.get_object(), "name");
    }
    const auto unready = "containers with unready status: [" + waiting + "]";
    const std::string_view reason = ready ? "" : "ContainersNotReady";
    json::array conditions;
    conditions.push_back(condition("PodScheduled", true, now));
    conditions.push_back(condition("Initialized", true, now));
    conditions.push_back(condition("ContainersReady", ready, now, reason, ready ? "" : unready));
    conditions.push_back(condition("Ready", ready, now, reason, ready ? "" : unready));
    body["status"] = json::object{{"phase", health == "image-pull" ? "Pending" : "Running"},
                                  {"conditions", conditions},
                                  {"containerStatuses", statuses},
                                  {"hostIP", "192.0.2.10"},
                                  {"podIP", ip},
                                  {"podIPs", json::array{json::object{{"ip", ip}}}},
                                  {"qosClass", "BestEffort"},
                                  {"startTime", now}};
    return body;
}

} // namespace fwd::simcluster
