#include "daemon/forward/explainer.hpp"

#include "common/async/timeout.hpp"
#include "common/text.hpp"
#include "daemon/forward/timeline.hpp"
#include "daemon/kube/selector.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace fwd::forward {

using catalog::answer;
using catalog::explanation;
using catalog::refusal;

namespace {

/// Who asks wants to know now; a cluster that is slow beyond this is part of the answer.
constexpr duration patience = 5s;

/// So that an answer that is a failure is told apart from none.
template <class T>
struct answered {
    kube::api_result<T> got;
};

/// The answer of a cluster within patience: late is a failure like any other.
template <class T>
awaitable<kube::api_result<T>> in_time(timing& clock, awaitable<kube::api_result<T>> asking)
{
    auto whole = [](awaitable<kube::api_result<T>> inner) -> awaitable<result<answered<T>>> {
        auto got = co_await std::move(inner);
        co_return answered<T>{std::move(got)};
    };
    auto done = co_await with_timeout(clock, patience, whole(std::move(asking)));
    if (!done) co_return kube::api_failure{done.error()};
    co_return std::move(done->got);
}

std::string before(std::string_view text, std::string_view any_of)
{
    return std::string{text.substr(0, text.find_first_of(any_of))};
}

std::string key_of(const kube::service& one, const std::string& context)
{
    return one.meta.name + "." + one.meta.namespace_name + "." + context;
}

} // namespace

asked_name parse_asked(std::string_view text)
{
    asked_name made;
    text = trim(text);
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
        text.remove_prefix(scheme + 3);
        text = text.substr(0, text.find_first_of("/?#"));
        if (const auto user = text.rfind('@'); user != std::string_view::npos) text.remove_prefix(user + 1);
    } else if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        made.namespace_name = std::string{text.substr(0, slash)};
        made.service = before(text.substr(slash + 1), ":/");
        made.host = made.service;
        return made;
    }
    // A context may have a colon of its own, but a port is digits alone.
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos && to_number<std::uint16_t>(text.substr(colon + 1)))
        text = text.substr(0, colon);
    made.host = text;
    auto rest = text;
    for (const std::string_view ending : {".svc.cluster.local", ".svc"})
        if (rest.ends_with(ending)) rest.remove_suffix(ending.size());
    const auto first = rest.find('.');
    made.service = rest.substr(0, first);
    if (first == std::string_view::npos) return made;
    rest.remove_prefix(first + 1);
    const auto second = rest.find('.');
    made.namespace_name = rest.substr(0, second);
    if (second != std::string_view::npos) made.context = rest.substr(second + 1);
    if (made.context.starts_with("svc.")) made.context.erase(0, 4);
    return made;
}

awaitable<answer<explanation>> explainer::explain(std::string any, std::optional<wall_time> since)
{
    if (trim(any).empty()) co_return co_await explain_all(since);
    co_return co_await explain_one(std::move(any), since);
}

result<std::optional<std::string>> explainer::forwarded_as(const std::string& any, const asked_name& name) const
{
    // A host name or an address means exactly one service, however many are called alike.
    for (const auto& [key, one] : state_.services()) {
        const auto has = [&](const std::vector<std::string>& names) {
            return std::find(names.begin(), names.end(), name.host) != names.end();
        };
        if (has(one.hostnames) || (one.local_ip && one.local_ip->text() == name.host)) return std::optional{key};
        for (const auto& forward : one.forwards)
            if (has(forward.own_hostnames) || forward.local_ip.text() == name.host || forward.key() == any) return std::optional{key};
    }
    for (const auto& text : {any, name.host}) {
        auto keys = state_.services_like(text);
        if (keys.size() == 1) return std::optional{std::move(keys.front())};
        if (keys.size() > 1) return error{errc::ambiguous, fmt::format("'{}' may mean {}", printable(text), join(keys, ", "))};
        if (const auto forward = state_.find_forward(text)) return std::optional{forward->first->key()};
    }
    return std::optional<std::string>{};
}

explain_facts explainer::begin() const
{
    explain_facts made;
    made.now = clock_.wall_now();
    made.agent_alive = state_.self().agent_alive;
    made.hosts_path = state_.self().hosts_path;
    return made;
}

awaitable<std::vector<past>> explainer::past_of(past_kind kind, std::string key, std::optional<wall_time> since, std::size_t most)
{
    past_question ask;
    ask.kind = kind;
    ask.most = most;
    ask.service_key = std::move(key);
    ask.since = since;
    auto found = co_await kept_.find(std::move(ask));
    // Without history there is still a verdict.
    co_return found ? std::move(*found) : std::vector<past>{};
}

awaitable<void> explainer::read_history(explain_facts& of, std::optional<wall_time> since)
{
    of.errors = co_await past_of(past_kind::error, of.key(), since, 50);
    of.returns = co_await past_of(past_kind::reconnection, of.key(), since, 50);
    of.changes = co_await past_of(past_kind::event, of.key(), since, 100);
}

awaitable<answer<explanation>> explainer::explain_one(std::string any, std::optional<wall_time> since)
{
    const auto name = parse_asked(any);
    const auto key = forwarded_as(any, name);
    if (!key) {
        refusal made{key.error()};
        made.evidence = state_.services_like(any);
        if (made.evidence.empty()) made.evidence = state_.services_like(name.host);
        co_return made;
    }
    auto facts = begin();
    const auto describe = [&] {
        // What is forwarded may have changed while the cluster was asked.
        const auto at = state_.services().find(facts.key());
        facts.forwarded = at == state_.services().end() ? nullptr : &at->second;
        const auto space = state_.namespaces().find(facts.namespace_name + "." + facts.context);
        const auto all = state_.namespaces().find("*." + facts.context);
        facts.name_space = space != state_.namespaces().end() ? &space->second : all != state_.namespaces().end() ? &all->second : nullptr;
        const auto cluster = state_.contexts().find(facts.kubeconfig_context);
        if (cluster != state_.contexts().end()) facts.cluster = cluster->second;
    };
    if (*key) {
        const auto& one = state_.services().at(**key);
        facts.service = one.service;
        facts.namespace_name = one.namespace_name;
        facts.context = one.context;
    } else {
        facts.service = name.service;
        facts.namespace_name = name.namespace_name;
        facts.context = name.context;
    }
    // An alias may be the name of another context: what is in use counts first.
    auto which = facts.context;
    for (const auto& [own, one] : state_.contexts())
        if (!which.empty() && one.shown == which) which = own;
    const auto opened = clusters_.open(which);
    if (!opened) co_return refusal{opened.error()};
    facts.context = opened->shown;
    facts.kubeconfig_context = opened->name;
    facts.primary_context = state_.self().primary_context.empty() || state_.self().primary_context == opened->shown;
    if (facts.namespace_name.empty() && facts.primary_context) facts.namespace_name = state_.self().primary_namespace;
    describe();
    // A cluster that fails is not asked: it would only take time to say so again.
    if (!facts.cluster || !facts.cluster->last_error) {
        auto several = co_await find_service(facts, *opened->ask);
        if (several) co_return std::move(*several);
        if (facts.object) co_await look_around(facts, *opened->ask);
    }
    co_await read_history(facts, since);
    describe();
    explanation made;
    made.asked = std::move(any);
    made.service = facts.service;
    made.namespace_name = facts.namespace_name;
    made.context = facts.context;
    if (facts.object || facts.forwarded) made.key = facts.key();
    made.forwarded = facts.forwarded != nullptr;
    made.what = judge(facts);
    made.entries = timeline(facts, since);
    co_return made;
}

awaitable<std::optional<refusal>> explainer::find_service(explain_facts& of, kube::discovery& ask)
{
    const bool said = !of.namespace_name.empty();
    if (said) {
        auto there = co_await in_time(clock_, ask.service_named(of.namespace_name, of.service));
        if (there) {
            of.object = std::move(*there);
            co_return std::nullopt;
        }
        if (!there.error().why.is(errc::not_found)) of.unanswered = there.error().why;
        if (of.unanswered) co_return std::nullopt;
    }
    const kube::list_scope everywhere, here{of.namespace_name, {}, {}};
    auto all = co_await in_time(clock_, ask.services(everywhere));
    if (!all && said) all = co_await in_time(clock_, ask.services(here));
    if (!all) {
        of.unanswered = all.error().why;
        co_return std::nullopt;
    }
    std::vector<kube::service> same;
    std::vector<std::string> names;
    std::set<std::string> spaces;
    for (const auto& one : *all) {
        spaces.insert(one.meta.namespace_name);
        if (one.meta.name == of.service) same.push_back(one);
        if (!said || one.meta.namespace_name == of.namespace_name) names.push_back(one.meta.name);
    }
    if (!said && same.size() == 1) {
        of.namespace_name = same.front().meta.namespace_name;
        of.object = std::move(same.front());
        co_return std::nullopt;
    }
    std::vector<std::string> keys;
    for (const auto& one : same) keys.push_back(key_of(one, of.context));
    if (!said && same.size() > 1) {
        refusal made{error{errc::ambiguous, fmt::format("'{}' may mean {}", of.service, join(keys, ", "))}};
        made.evidence = std::move(keys);
        co_return made;
    }
    of.elsewhere = std::move(keys);
    for (const auto& close : close_names(of.service, names))
        for (const auto& one : *all)
            if (one.meta.name == close && (!said || one.meta.namespace_name == of.namespace_name) && of.close.size() < 3)
                of.close.push_back(key_of(one, of.context));
    if (said && names.empty() && of.elsewhere.empty()) {
        auto space = co_await in_time(clock_, ask.namespace_named(of.namespace_name));
        of.namespace_unknown = !space && space.error().why.is(errc::not_found);
        const std::vector<std::string> known(spaces.begin(), spaces.end());
        if (of.namespace_unknown)
            for (const auto& close : close_names(of.namespace_name, known)) of.close.push_back(of.service + "." + close + "." + of.context);
    }
    co_return std::nullopt;
}

awaitable<void> explainer::look_around(explain_facts& of, kube::discovery& ask)
{
    kube::list_scope scope{of.namespace_name, {}, {}};
    if (!of.object->selector.empty()) {
        scope.label_selector = kube::selector_text(of.object->selector);
        auto pods = co_await in_time(clock_, ask.pods(scope));
        of.pods_known = pods.has_value();
        if (pods)
            of.pods = std::move(*pods);
        else
            of.unanswered = pods.error().why;
    }
    kube::list_scope slices{of.namespace_name, "kubernetes.io/service-name=" + of.service, {}};
    if (auto got = co_await in_time(clock_, ask.slices(slices))) of.slices = std::move(*got);
    std::set<std::string> related{of.service};
    for (const auto& pod : of.pods) {
        related.insert(pod.meta.name);
        related.insert(pod.owner_name);
        // The Deployment above a ReplicaSet: its name is the latter's without the hash.
        if (pod.owner_kind == "ReplicaSet") related.insert(pod.owner_name.substr(0, pod.owner_name.rfind('-')));
    }
    if (of.pods_known && of.pods.empty()) {
        const kube::list_scope all{of.namespace_name, {}, {}};
        if (auto got = co_await in_time(clock_, ask.pods(all))) of.neighbours = std::move(*got);
        for (const auto kind : {kube::workload_kind::deployment, kube::workload_kind::stateful_set})
            if (auto got = co_await in_time(clock_, ask.workloads(kind, of.namespace_name)))
                of.workloads.insert(of.workloads.end(), got->begin(), got->end());
        for (const auto& one : of.workloads) {
            const auto matches = [&](const auto& pair) {
                const auto at = one.pod_labels.find(pair.first);
                return at != one.pod_labels.end() && at->second == pair.second;
            };
            if (std::all_of(of.object->selector.begin(), of.object->selector.end(), matches)) related.insert(one.name);
        }
    }
    auto events = co_await in_time(clock_, ask.events(of.namespace_name));
    if (!events) co_return;
    for (auto& one : *events) {
        // Pods that are gone are known by the names that their owner gives.
        const auto dash = one.object_name.rfind('-');
        if (related.contains(one.object_name) || (dash != std::string::npos && related.contains(one.object_name.substr(0, dash))))
            of.events.push_back(std::move(one));
    }
}

awaitable<answer<explanation>> explainer::explain_all(std::optional<wall_time> since)
{
    explanation made;
    const auto now = clock_.wall_now();
    const auto errors = co_await past_of(past_kind::error, {}, since.value_or(now - 1h), 100);
    const auto returns = co_await past_of(past_kind::reconnection, {}, since.value_or(now - 1h), 50);
    made.entries = timeline(errors, returns);
    const auto& self = state_.self();
    if (!self.agent_alive) {
        auto facts = begin();
        made.problems.push_back({"fwdd", "daemon", judge(facts)});
    }
    std::set<std::string> failing;
    for (const auto& [name, one] : state_.contexts()) {
        const auto of_it = [&](const auto& entry) { return entry.second.context == one.shown || entry.second.context == one.name; };
        const bool used = std::any_of(state_.services().begin(), state_.services().end(), of_it) ||
                          std::any_of(state_.namespaces().begin(), state_.namespaces().end(), of_it);
        if (!one.last_error || !used) continue;
        failing.insert(one.shown.empty() ? one.name : one.shown);
        made.problems.push_back({name, "context", judge_cluster(one)});
    }
    for (const auto& [key, one] : state_.namespaces()) {
        if (!one.last_error || failing.contains(one.context)) continue;
        catalog::context as;
        as.name = one.context;
        as.last_error = one.last_error;
        made.problems.push_back({key, "namespace", judge_cluster(as)});
    }
    std::vector<std::pair<int, catalog::wrong>> services;
    std::size_t working = 0, total = 0;
    for (const auto& [key, one] : state_.services()) {
        using state = catalog::service_state;
        if (one.state == state::unsupported || one.state == state::stopping || one.state == state::local) continue;
        ++total;
        auto facts = begin();
        facts.service = one.service;
        facts.namespace_name = one.namespace_name;
        facts.context = one.context;
        facts.primary_context = self.primary_context.empty() || self.primary_context == one.context;
        facts.forwarded = &one;
        for (const auto& [own, context] : state_.contexts())
            if (context.shown == one.context || own == one.context) facts.cluster = context;
        auto what = judge(facts);
        working += one.state == state::active;
        if (what.ok && what.code != "name_conflict") continue;
        // That the context fails is said already.
        if (failing.contains(one.context) && (one.state == state::active || what.code == judge_cluster(*facts.cluster).code)) continue;
        const int order = one.state == state::error ? 0 : one.state == state::partial ? 1 : one.state == state::pending ? 2 : 3;
        services.emplace_back(order, catalog::wrong{key, "service", std::move(what)});
    }
    std::stable_sort(services.begin(), services.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [order, one] : services) made.problems.push_back(std::move(one));
    auto& sum = made.what;
    if (made.problems.empty()) {
        sum.ok = true;
        const bool nothing = state_.services().empty();
        sum.code = nothing ? "nothing_forwarded" : "works";
        sum.sentence = nothing ? "nothing is forwarded" : fmt::format("nothing is wrong: {} of {} services active", working, total);
        if (nothing) sum.suggestion = "Forward something: fwd add SVC.NS, or fwd add NS/ for a whole namespace.";
        co_return made;
    }
    const auto& worst = made.problems.front();
    sum = worst.what;
    sum.ok = false;
    sum.sentence = fmt::format("{} problem{}, {} of {} services active; worst: {}", made.problems.size(),
                               made.problems.size() == 1 ? "" : "s", working, total, worst.what.sentence);
    co_return made;
}

} // namespace fwd::forward
