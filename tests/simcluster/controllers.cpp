#include "tests/simcluster/controllers.hpp"

#include "common/text.hpp"
#include "tests/simcluster/selectors.hpp"
#include "tests/simcluster/service_ports.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace fwd::simcluster {

namespace {

const resource_type& type_of(std::string_view group, std::string_view plural)
{
    return *find_type(group, plural);
}

std::string annotation(const json::object& object, std::string_view name)
{
    const auto* notes = object_at(object, "metadata.annotations");
    const auto* found = notes ? notes->if_contains(name) : nullptr;
    return found && found->is_string() ? std::string{found->get_string()} : std::string{};
}

bool is_workload(const resource_type& type)
{
    return type.plural == "deployments" || type.plural == "statefulsets";
}

} // namespace

controllers::controllers(object_store& store, timing& clock, random_source& random, controller_limits how)
    : limits{how}, store_{store}, clock_{clock}, random_{random}
{
    subscription_ = store_.subscribe([this](const object_change& change) { heard(change); });
}

controllers::~controllers()
{
    store_.unsubscribe(subscription_);
    clock_.cancel(settle_timer_);
    for (const auto id : timers_) clock_.cancel(id);
}

void controllers::go_live()
{
    settle();
    live_ = true;
}

void controllers::heard(const object_change& change)
{
    mark(change);
    if (settling_ || settle_timer_ != 0 || (services_.empty() && workloads_.empty())) return;
    settle_timer_ = clock_.call_after(0ns, [this] {
        settle_timer_ = 0;
        settle();
    });
}

void controllers::mark(const object_change& change)
{
    const auto& now = *change.now;
    if (now.type->plural == "services") {
        services_.insert({now.namespace_name, now.name});
    } else if (now.type->plural == "pods") {
        const auto* labels = object_at(now.body, "metadata.labels");
        for (const auto& service : store_.list(type_of("", "services"), now.namespace_name)) {
            const auto* wanted = object_at(service->body, "spec.selector");
            if (wanted && !wanted->empty() && labels_include(labels, *wanted)) services_.insert({service->namespace_name, service->name});
        }
        const auto owner = split(annotation(now.body, owner_annotation), '/');
        if (owner.size() == 2)
            if (const auto* type = find_kind("apps/v1", owner[0])) workloads_.insert({type->index, {now.namespace_name, owner[1]}});
    } else if (is_workload(*now.type)) {
        workloads_.insert({now.type->index, {now.namespace_name, now.name}});
    }
}

void controllers::settle()
{
    settling_ = true;
    while (!services_.empty() || !workloads_.empty()) {
        for (const auto& [index, key] : std::exchange(workloads_, {})) keep_replicas(resource_types()[index], key);
        keep_all_slices(std::exchange(services_, {}));
    }
    settling_ = false;
}

/// Pods are looked up by the first pair of a selector, so that a thousand services do not each look at a thousand pods.
void controllers::keep_all_slices(const std::set<object_key>& services)
{
    std::map<std::string, std::map<std::pair<std::string, std::string>, std::vector<object_ptr>>> pods;
    for (const auto& key : services) {
        auto [space, fresh] = pods.try_emplace(key.namespace_name);
        if (fresh)
            for (const auto& pod : store_.list(type_of("", "pods"), key.namespace_name))
                if (const auto* labels = object_at(pod->body, "metadata.labels"))
                    for (const auto& label : *labels)
                        if (label.value().is_string())
                            space->second[{std::string{label.key()}, std::string{label.value().get_string()}}].push_back(pod);
        const auto service = store_.find(type_of("", "services"), key);
        const auto* wanted = service ? object_at(service->body, "spec.selector") : nullptr;
        std::vector<object_ptr> candidates;
        if (wanted && !wanted->empty() && wanted->begin()->value().is_string())
            if (const auto at =
                    space->second.find({std::string{wanted->begin()->key()}, std::string{wanted->begin()->value().get_string()}});
                at != space->second.end())
                candidates = at->second;
        keep_slices(key, candidates);
    }
}

std::vector<object_ptr> controllers::pods_of(const resource_type& type, const object_key& key) const
{
    const auto owner = std::string{type.kind} + "/" + key.name;
    auto pods = store_.list(type_of("", "pods"), key.namespace_name);
    std::erase_if(pods, [&](const object_ptr& pod) { return annotation(pod->body, owner_annotation) != owner; });
    return pods;
}

void controllers::keep_replicas(const resource_type& type, const object_key& key)
{
    const auto workload = store_.find(type, key);
    const auto pods = pods_of(type, key);
    if (!workload) {
        for (const auto& pod : pods) delete_pod({pod->namespace_name, pod->name}, std::nullopt);
        return;
    }
    const auto wanted = to_number<std::size_t>(text_at(workload->body, "spec.replicas")).value_or(1);
    std::vector<object_ptr> alive;
    std::copy_if(pods.begin(), pods.end(), std::back_inserter(alive), [](const object_ptr& pod) { return !pod_is_terminating(pod->body); });
    if (type.plural == "statefulsets") {
        for (std::size_t i = 0; i < wanted; ++i) {
            const object_key name{key.namespace_name, key.name + "-" + std::to_string(i)};
            if (!store_.find(type_of("", "pods"), name)) make_pod(*workload, name.name, true);
        }
        for (const auto& pod : alive)
            if (to_number<std::size_t>(pod->name.substr(key.name.size() + 1)).value_or(0) >= wanted)
                delete_pod({pod->namespace_name, pod->name}, std::nullopt);
    } else {
        static constexpr std::string_view letters = "bcdfghjklmnpqrstvwxz2456789"; // as Kubernetes does, so that no words come out
        for (std::size_t have = alive.size(); have < wanted; ++have) {
            std::string tail;
            for (int i = 0; i < 5; ++i) tail += letters[random_.below(letters.size())];
            make_pod(*workload, key.name + "-7d9c5b6f4-" + tail, false);
        }
        for (std::size_t have = alive.size(); have > wanted; --have)
            delete_pod({alive[have - 1]->namespace_name, alive[have - 1]->name}, std::nullopt);
    }
    if (const auto now = store_.find(type, key)) note_status(*now, pods_of(type, key));
}

void controllers::make_pod(const stored_object& workload, const std::string& name, bool stateful)
{
    const object_key key{workload.namespace_name, name};
    auto body = *object_at(workload.body, "spec.template");
    if (!body.contains("metadata")) body["metadata"] = json::object{};
    auto& meta = body["metadata"].get_object();
    if (!meta.contains("labels")) meta["labels"] = json::object{};
    if (!meta.contains("annotations")) meta["annotations"] = json::object{};
    meta["annotations"].get_object()[owner_annotation] = std::string{workload.type->kind} + "/" + workload.name;
    json::object owner{
        {"apiVersion", "apps/v1"}, {"kind", workload.type->kind}, {"name", workload.name}, {"uid", workload.uid}, {"controller", true}};
    auto& labels = meta["labels"].get_object();
    if (stateful) {
        labels["statefulset.kubernetes.io/pod-name"] = name;
        auto& spec = body["spec"].get_object();
        spec["hostname"] = name;
        spec["subdomain"] = text_at(workload.body, "spec.serviceName");
    } else {
        labels["pod-template-hash"] = "7d9c5b6f4";
        owner["kind"] = "ReplicaSet";
        owner["name"] = workload.name + "-7d9c5b6f4";
    }
    meta["ownerReferences"] = json::array{owner};

    const auto number = ++last_ip_;
    const auto ip = "10.244." + std::to_string(number / 250 % 250) + "." + std::to_string(number % 250 + 2);
    const auto now = kube_time(clock_.wall_now());
    auto pod = running_pod(body, key, ip, now, true);
    if (!live_) {
        const auto made = store_.put(type_of("", "pods"), std::move(pod));
        if (!made) return;
        const auto health = annotation((*made)->body, health_annotation);
        if (health == "never-ready")
            report(**made, "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 42);
        if (health == "crash-loop") report(**made, "Warning", "BackOff", "Back-off restarting failed container in pod " + name, 31);
        if (health == "image-pull") report(**made, "Warning", "Failed", "Error: ImagePullBackOff", 12);
        return;
    }
    auto pending = pod;
    pending["status"] = json::object{{"phase", "Pending"}, {"qosClass", "BestEffort"}};
    const auto made = store_.put(type_of("", "pods"), std::move(pending));
    if (!made) return;
    const auto own = to_number<std::int64_t>(annotation((*made)->body, ready_after_annotation));
    const duration ready_after = own ? duration{std::chrono::milliseconds{*own}} : limits.ready_after;
    // Scheduled and started in the first half, then the probe's turn.
    later(ready_after / 2, [this, pod = std::move(pod), key, uid = (*made)->uid, ready_after]() mutable {
        const auto at = store_.find(type_of("", "pods"), key);
        if (!at || at->uid != uid || pod_is_terminating(at->body)) return;
        const auto ip_of = text_at(pod, "status.podIP");
        auto unready = running_pod(pod, key, ip_of, kube_time(clock_.wall_now()), false);
        (void)store_.put(type_of("", "pods"), std::move(unready));
        later(ready_after - ready_after / 2, [this, key, uid] { pod_runs(key, uid, true); });
    });
}

void controllers::pod_runs(const object_key& pod, const std::string& uid, bool ready)
{
    const auto at = store_.find(type_of("", "pods"), pod);
    if (!at || at->uid != uid) return;
    auto body = running_pod(at->body, pod, text_at(at->body, "status.podIP"), kube_time(clock_.wall_now()), ready);
    body["status"].get_object()["startTime"] = text_at(at->body, "status.startTime");
    (void)store_.put(type_of("", "pods"), std::move(body));
}

void controllers::note_status(const stored_object& workload, const std::vector<object_ptr>& pods)
{
    const auto ready = std::count_if(pods.begin(), pods.end(),
                                     [](const object_ptr& pod) { return pod_is_ready(pod->body) && !pod_is_terminating(pod->body); });
    auto body = workload.body;
    body["status"] = json::object{{"observedGeneration", 1},
                                  {"replicas", pods.size()},
                                  {"updatedReplicas", pods.size()},
                                  {"readyReplicas", ready},
                                  {"availableReplicas", ready}};
    (void)store_.put(*workload.type, std::move(body));
}

void controllers::keep_slices(const object_key& key, const std::vector<object_ptr>& candidates)
{
    const auto& slice_type = type_of("discovery.k8s.io", "endpointslices");
    const auto& endpoints_type = type_of("", "endpoints");
    const auto service = store_.find(type_of("", "services"), key);
    const auto* wanted = service ? object_at(service->body, "spec.selector") : nullptr;
    std::size_t made = 0;
    if (wanted && !wanted->empty() && text_at(service->body, "spec.type") != "ExternalName") {
        auto pods = candidates;
        std::erase_if(pods, [&](const object_ptr& pod) { return !labels_include(object_at(pod->body, "metadata.labels"), *wanted); });
        for (auto& slice : endpoint_slices_of(*service, pods)) {
            (void)store_.put(slice_type, std::move(slice));
            ++made;
        }
        (void)store_.put(endpoints_type, endpoints_of(*service, pods));
    } else if (service) {
        return; // written by hand
    } else {
        store_.erase(endpoints_type, key);
    }
    for (;; ++made)
        if (!store_.erase(slice_type, {key.namespace_name, key.name + "-" + std::to_string(made)})) break;
}

bool controllers::delete_pod(const object_key& key, std::optional<duration> after)
{
    const auto& pods = type_of("", "pods");
    const auto pod = store_.find(pods, key);
    if (!pod) return false;
    const auto wait = after.value_or(limits.terminate_after);
    if (wait <= 0ns) return store_.erase(pods, key);
    if (pod_is_terminating(pod->body)) return true;
    auto body = pod->body;
    auto& meta = body["metadata"].get_object();
    meta["deletionTimestamp"] = kube_time(clock_.wall_now() + wait);
    meta["deletionGracePeriodSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(wait).count();
    (void)store_.put(pods, std::move(body));
    later(wait, [this, key, uid = pod->uid, &pods] {
        const auto at = store_.find(pods, key);
        if (at && at->uid == uid) store_.erase(pods, key);
    });
    return true;
}

bool controllers::set_ready(const object_key& key, bool ready)
{
    const auto pod = store_.find(type_of("", "pods"), key);
    if (!pod) return false;
    pod_runs(key, pod->uid, ready);
    return true;
}

bool controllers::scale(const resource_type& type, const object_key& key, std::int64_t replicas)
{
    const auto workload = store_.find(type, key);
    if (!workload) return false;
    auto body = workload->body;
    body["spec"].get_object()["replicas"] = replicas;
    (void)store_.put(type, std::move(body));
    return true;
}

void controllers::report(const stored_object& pod, std::string_view type, std::string_view reason, std::string_view message,
                         std::int64_t count)
{
    const auto now = kube_time(clock_.wall_now());
    std::array<std::byte, 8> tail;
    random_.fill(tail);
    const json::object about{
        {"kind", "Pod"}, {"namespace", pod.namespace_name}, {"name", pod.name}, {"uid", pod.uid}, {"apiVersion", "v1"}};
    (void)store_.put(type_of("", "events"),
                     {{"metadata", json::object{{"name", pod.name + "." + hex(tail)}, {"namespace", pod.namespace_name}}},
                      {"involvedObject", about},
                      {"type", type},
                      {"reason", reason},
                      {"message", message},
                      {"count", count},
                      {"source", json::object{{"component", "kubelet"}, {"host", "sim-node"}}},
                      {"firstTimestamp", now},
                      {"lastTimestamp", now}});
}

void controllers::later(duration wait, callback what)
{
    auto id = std::make_shared<timer_id>(0);
    *id = clock_.call_after(wait, [this, id, what = std::move(what)]() mutable {
        timers_.erase(*id);
        what();
    });
    timers_.insert(*id);
}

} // namespace fwd::simcluster
