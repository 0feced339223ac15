#include "tests/simcluster/pod_runtime.hpp"

#include "common/text.hpp"
#include "tests/simcluster/controllers.hpp"
#include "tests/simcluster/pod_app.hpp"
#include "tests/simcluster/selectors.hpp"

#include <fmt/core.h>

namespace fwd::simcluster {

namespace {

constexpr std::size_t most_lines = 5000;

/// Sandbox ids are 64 hexadecimal digits; ours come from the uid, so that a text names its pod.
std::string sandbox_id(const std::string& uid)
{
    std::string id;
    for (const char c : uid)
        if (c != '-') id += c;
    return id + id;
}

std::string app_on(const json::object& pod, std::uint16_t port)
{
    const auto* notes = object_at(pod, "metadata.annotations");
    const auto* found = notes ? notes->if_contains(apps_annotation) : nullptr;
    if (!found || !found->is_string()) return {};
    for (const auto& entry : split(std::string_view{found->get_string()}, ' ')) {
        const auto at = entry.find('=');
        if (at != std::string::npos && to_number<std::uint16_t>(entry.substr(0, at)) == port) return entry.substr(at + 1);
    }
    return {};
}

} // namespace

pod_runtime::pod_runtime(object_store& store, timing& clock, random_source& random, counters& count)
    : store_{store}, clock_{clock}, random_{random}, count_{count}
{
    subscription_ = store_.subscribe([this](const object_change& change) {
        if (change.now->type->plural != "pods") return;
        const object_key key{change.now->namespace_name, change.now->name};
        if (change.what == object_change::kind::deleted) {
            end_connections(key, false);
            behaviours_.erase(key);
            data_.erase(key);
        } else if (change.what == object_change::kind::added) {
            log(key, key.name + ": started");
        }
    });
}

pod_runtime::~pod_runtime()
{
    store_.unsubscribe(subscription_);
}

dial_outcome pod_runtime::dial(const object_key& key, const std::string& uid, std::uint16_t port)
{
    const auto failure = [&](const std::string& cause) {
        ++count(key).refused;
        return fmt::format("error forwarding port {} to pod {}, uid : {}", port, sandbox_id(uid), cause);
    };
    const auto pod = store_.find(*find_type("", "pods"), key);
    if (!pod || pod->uid != uid) return failure(fmt::format("network namespace for sandbox \"{}\" is closed", sandbox_id(uid)));
    const auto& how = behaviours_[key];
    if (how.dial_hangs) return dial_hangs{};
    const auto what = app_on(pod->body, port);
    const auto* labels = object_at(pod->body, "metadata.labels");
    auto app = how.container_down || how.refused.contains(port) || what.empty()
                   ? nullptr
                   : make_pod_app(what, *this, {key, labels ? text_at(*labels, "app") : "", text_at(pod->body, "status.podIP"), port});
    if (!app)
        return failure(fmt::format("failed to execute portforward in network namespace \"/var/run/netns/cni-{}\": failed to connect to "
                                   "localhost:{} inside namespace \"{}\", IPv4: dial tcp4 127.0.0.1:{}: connect: connection refused IPv6 "
                                   "dial tcp6: address localhost: no suitable address found ",
                                   uid, port, sandbox_id(uid), port));
    ++count(key).streams;
    return std::unique_ptr<pod_socket>{std::move(app)};
}

void pod_runtime::set_stalled(const object_key& pod, bool stalled)
{
    behaviours_[pod].stalled = stalled;
    if (const auto at = apps_.find(pod); at != apps_.end())
        for (const auto& [id, app] : at->second) app->set_stalled(stalled);
}

void pod_runtime::end_connections(const object_key& pod, bool reset)
{
    if (const auto at = apps_.find(pod); at != apps_.end())
        for (const auto& [id, app] : at->second) app->end(reset);
}

std::size_t pod_runtime::connections(const object_key& pod) const
{
    const auto at = apps_.find(pod);
    return at == apps_.end() ? 0 : at->second.size();
}

void pod_runtime::log(const object_key& pod, std::string_view line)
{
    auto& lines = logs_[pod];
    lines.push_back({++last_, clock_.wall_now(), std::string{line}});
    if (lines.size() > most_lines) lines.pop_front();
    for (const auto& [id, told] : log_told_) told();
}

std::uint64_t pod_runtime::on_log(std::function<void()> told)
{
    log_told_.emplace(++last_, std::move(told));
    return last_;
}

pod_counters& pod_runtime::count(const object_key& pod)
{
    return count_.pods[pod.namespace_name + "/" + pod.name];
}

std::uint64_t pod_runtime::enter(const object_key& pod, pod_app& app)
{
    apps_[pod].emplace(++last_, &app);
    return last_;
}

void pod_runtime::leave(const object_key& pod, std::uint64_t id)
{
    if (const auto at = apps_.find(pod); at != apps_.end()) {
        at->second.erase(id);
        if (at->second.empty()) apps_.erase(at);
    }
}

} // namespace fwd::simcluster
