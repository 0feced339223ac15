#include "daemon/forward/idle_workloads.hpp"

#include "common/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

#include <array>

namespace fwd::forward {

namespace {

constexpr duration look_again = 60s;
constexpr std::array<std::string_view, 2> kinds{"deployment", "statefulset"};

kube::labels template_labels(json_reader& spec)
{
    kube::labels made;
    const auto* pods = spec.maybe_object("template");
    if (!pods) return made;
    json_reader about{*pods};
    const auto* meta = about.maybe_object("metadata");
    if (!meta) return made;
    json_reader in{*meta};
    if (const auto* labels = in.maybe_object("labels"))
        for (const auto& [key, value] : *labels)
            if (const auto* text = value.if_string()) made.emplace(key, *text);
    return made;
}

} // namespace

result<std::vector<idle_workload>> read_idle_workloads(std::string_view list, std::string_view kind)
{
    const auto parsed = parse_json(list);
    if (!parsed) return parsed.error();
    std::vector<idle_workload> made;
    json_reader in{*parsed};
    const auto* items = in.maybe_array("items");
    if (!items) return made;
    for (const auto& item : *items) {
        json_reader one{item};
        const auto* spec = one.maybe_object("spec");
        const auto* meta = one.maybe_object("metadata");
        if (!spec || !meta) continue;
        json_reader wants{*spec}, names{*meta};
        if (wants.whole_or("replicas", 1) != 0) continue;
        made.push_back({fmt::format("{} {}", kind, names.text_or("name", "")), template_labels(wants)});
    }
    return made;
}

idle_workloads::idle_workloads(const kube::surroundings& around, kube::api_client& client, task_scope& tasks,
                               std::function<void(const std::string&)> changed)
    : around_{around}, client_{client}, tasks_{tasks}, changed_{std::move(changed)}
{
}

std::string idle_workloads::behind(const kube::service& service)
{
    const auto& name = service.meta.namespace_name;
    auto& at = rooms_[name];
    if (!at) at = std::make_shared<room>(around_.clock);
    const bool fresh = at->without_pods.insert(service.meta.name).second;
    if (!at->running) {
        at->running = true;
        tasks_.start("look for workloads scaled to zero", keep_looking(name, at));
    } else if (fresh)
        at->pause.poke();
    for (const auto& one : at->idle)
        if (kube::selects(service.selector, one.labels)) return one.name;
    return {};
}

void idle_workloads::forget(const std::string& namespace_name, const std::string& service)
{
    const auto at = rooms_.find(namespace_name);
    if (at == rooms_.end()) return;
    at->second->without_pods.erase(service);
    if (at->second->without_pods.empty()) at->second->pause.poke(); // its task ends
}

void idle_workloads::poke()
{
    for (auto& [name, at] : rooms_) at->pause.poke();
}

awaitable<void> idle_workloads::keep_looking(std::string namespace_name, std::shared_ptr<room> at)
{
    while (!at->without_pods.empty()) {
        at->pause.begin();
        auto found = co_await look(namespace_name);
        // Who may not read workloads sees a service without pods, and that is what is said.
        auto wait = look_again;
        if (found && *found != at->idle) {
            at->idle = std::move(*found);
            changed_(namespace_name);
        } else if (!found && !found.error().is(errc::forbidden))
            wait = 5s;
        co_await at->pause.wait(wait);
    }
    at->running = false;
    at->idle.clear();
}

awaitable<result<std::vector<idle_workload>>> idle_workloads::look(std::string namespace_name)
{
    std::vector<idle_workload> all;
    for (const auto kind : kinds) {
        kube::api_request ask;
        ask.path = fmt::format("/apis/apps/v1/namespaces/{}/{}s", namespace_name, kind);
        ask.what = fmt::format("list {}s in {}", kind, namespace_name);
        ask.query = {{"resourceVersion", "0"}};
        auto read = [kind](std::string_view body) -> result<std::shared_ptr<void>> {
            auto made = read_idle_workloads(body, kind);
            if (!made) return made.error();
            return std::make_shared<std::vector<idle_workload>>(std::move(*made));
        };
        auto answer = co_await client_.get_parsed(std::move(ask), std::move(read));
        if (!answer) co_return answer.error().why;
        const auto some = std::static_pointer_cast<std::vector<idle_workload>>(*answer);
        all.insert(all.end(), some->begin(), some->end());
    }
    co_return all;
}

} // namespace fwd::forward
