#include "daemon/catalog/catalog.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace fwd::catalog {

namespace {

constexpr wall_time never{};

event about(event_type type, const service& of)
{
    event made{.type = type};
    made.service_key = of.key();
    made.service = of.service;
    made.namespace_name = of.namespace_name;
    made.context = of.context;
    if (of.local_ip) made.local_ip = of.local_ip->text();
    made.hostnames = of.hostnames;
    made.status = name_of(of.state);
    if (of.state != service_state::active) {
        (of.state == service_state::error ? made.error : made.reason) = of.reason;
        made.code = of.reason_code;
    }
    made.client = of.owner.client;
    return made;
}

event about(event_type type, const service& in, const forward& of)
{
    auto made = about(type, in);
    made.pod = of.pod;
    if (!of.own_hostnames.empty()) made.hostnames = of.own_hostnames;
    made.local_ip = of.local_ip.text();
    made.local_port = of.local_port;
    made.pod_port = of.pod_port;
    made.status = name_of(of.state);
    made.forward_key = of.key();
    made.reason = made.error = made.code = {};
    if (of.state != forward_state::active) {
        (of.state == forward_state::error ? made.error : made.reason) = of.reason;
        made.code = of.reason_code;
    }
    return made;
}

event about(event_type type, const forwarded_namespace& of)
{
    event made{.type = type};
    made.namespace_name = of.name;
    made.context = of.context;
    made.client = of.owner.client;
    if (of.last_error) made.error = of.last_error->message, made.code = of.last_error->code;
    return made;
}

event about(event_type type, const context& of)
{
    event made{.type = type};
    made.context = of.shown.empty() ? of.name : of.shown;
    if (of.last_error) made.error = of.last_error->message, made.code = of.last_error->code;
    return made;
}

/// Forwards of one service are told apart by where they are reachable here.
const forward* same_place(const service& in, const forward& as)
{
    const auto found = std::find_if(in.forwards.begin(), in.forwards.end(), [&](const forward& other) {
        return other.local_port == as.local_port && other.local_ip == as.local_ip;
    });
    return found == in.forwards.end() ? nullptr : &*found;
}

/// Pods that take connections, each with the first forward that leads to it.
using pods_by_name = std::map<std::string, const forward*>;

pods_by_name pods_of(const service& in)
{
    pods_by_name made;
    for (const auto& one : in.forwards)
        for (const auto& pod : one.pods) made.try_emplace(pod, &one);
    return made;
}

event about_pod(event_type type, const service& in, forward through, const std::string& pod)
{
    through.pod = pod;
    return about(type, in, through);
}

bool same_conflicts(const std::vector<conflict>& a, const std::vector<conflict>& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const conflict& x, const conflict& y) { return x.name == y.name && x.held_by == y.held_by; });
}

/// Whether the service itself shows something else; states of forwards have events of their own.
bool shows_other(const service& was, const service& is)
{
    const bool same_ports = std::equal(
        was.forwards.begin(), was.forwards.end(), is.forwards.begin(), is.forwards.end(), [](const forward& a, const forward& b) {
            return a.local_port == b.local_port && a.local_ip == b.local_ip && a.service_port == b.service_port &&
                   a.target_port == b.target_port && a.own_hostnames == b.own_hostnames;
        });
    return was.state != is.state || was.reason != is.reason || was.local_ip != is.local_ip || was.hostnames != is.hostnames ||
           was.type != is.type || !same_ports || was.unsupported.size() != is.unsupported.size() ||
           !same_conflicts(was.conflicts, is.conflicts) || was.pods.ready != is.pods.ready || was.pods.total != is.pods.total;
}

void keep_history(const forward& was, forward& is)
{
    if (was.state == is.state) is.since = was.since;
    is.started_at = was.started_at;
    if (!is.last_error) is.last_error = was.last_error;
    if (!is.last_reset) is.last_reset = was.last_reset;
    if (!is.last_loss) is.last_loss = was.last_loss;
    is.away = was.away;
}

/// Failures that are no loss of a way to the pod: nothing listens there, or nothing can listen here.
bool is_of_the_ends(std::string_view code)
{
    for (const std::string_view one :
         {"port_refused", "too_many_waiting", "target_port_not_found", "port_shadowed", "not_permitted", "listen_failed", "not_routed"})
        if (code == one) return true;
    return false;
}

/// What took the way to the pod away between these two looks, if anything did.
std::optional<forward::outage> loss_between(const forward& was, const forward& is, wall_time now)
{
    const auto lost = [&](std::string_view code, std::string_view why) {
        return forward::outage{now, std::string{code}, std::string{why}, was.pod};
    };
    const bool new_loss = is.last_loss && (!was.last_loss || was.last_loss->at != is.last_loss->at);
    if (was.verified && new_loss) return lost(is.last_loss->code, is.last_loss->message);
    if (was.state != forward_state::active || is.state == forward_state::stopping) return std::nullopt;
    const bool replaced = !was.pod.empty() && std::find(is.pods.begin(), is.pods.end(), was.pod) == is.pods.end();
    if (replaced && !is.pods.empty()) return lost("pod_replaced", "pod " + was.pod + " went");
    if (is.state == forward_state::active || is.state == forward_state::connecting || is_of_the_ends(is.reason_code)) return std::nullopt;
    return lost(is.reason_code, is.reason);
}

/// The way is there again. An idle tunnel that was cut is so only once another one is there.
bool has_returned(const forward& is)
{
    if (is.state != forward_state::active) return false;
    return is.verified || !is.last_loss || is.away->code != is.last_loss->code;
}

/// Failures of namespaces and contexts: raised when there is one that was not there, resolved when it went away.
template <class T>
std::optional<event_type> failure_change(const T* was, const T& is)
{
    const bool had = was && was->last_error, has = is.last_error.has_value();
    if (has && (!had || was->last_error->message != is.last_error->message)) return event_type::error_raised;
    if (had && !has) return event_type::error_resolved;
    return std::nullopt;
}

/// Each object that is left out is a problem of its own.
void tell_left_out(const context* was, const context& is, event_sink& to)
{
    const std::vector<std::string> none;
    const auto& before = was ? was->left_out : none;
    const auto tell = [&](event_type type, const std::vector<std::string>& in, const std::vector<std::string>& but) {
        for (const auto& object : in) {
            if (std::find(but.begin(), but.end(), object) != but.end()) continue;
            auto made = about(type, is);
            made.error = left_out_sentence(object, is.name);
            made.code = "bad_name";
            to.emit(std::move(made));
        }
    };
    tell(event_type::error_raised, is.left_out, before);
    tell(event_type::error_resolved, before, is.left_out);
}

} // namespace

std::string left_out_sentence(const std::string& object, const std::string& context)
{
    return fmt::format("{} of context {} is left out: its name is none that Kubernetes allows", object, context);
}

std::string forward::key() const
{
    auto made = service_key;
    const auto& part = headless ? stable_pod : pod;
    if (!part.empty()) made += "." + part;
    return made + "." + std::to_string(local_port);
}

catalog::catalog(timing& clock, event_sink& events)
    : clock_{clock}, events_{events}, board_{std::make_shared<counter_board>(clock.wall_now())}
{
}

void catalog::put(service next)
{
    const auto now = clock_.wall_now();
    const auto key = next.key();
    const auto found = services_.find(key);
    const service* was = found == services_.end() ? nullptr : &found->second;

    next.since = was && was->state == next.state ? was->since : now;
    if (next.owner.created_at == never) next.owner.created_at = was ? was->owner.created_at : now;
    if (was && !next.last_error) next.last_error = was->last_error;
    for (auto& forward : next.forwards) {
        forward.service_key = forward.traffic->service_key = key;
        forward.since = forward.started_at = now;
        if (const auto* before = was ? same_place(*was, forward) : nullptr) keep_history(*before, forward);
    }
    if (!was) {
        auto& placed = services_.emplace(key, std::move(next)).first->second;
        events_.emit(about(event_type::service_added, placed));
        announce(nullptr, placed);
        return;
    }
    const auto before = std::exchange(found->second, std::move(next));
    if (shows_other(before, found->second)) events_.emit(about(event_type::service_updated, found->second));
    announce(&before, found->second);
}

void catalog::announce_pods(const service* before, const service& now)
{
    const auto had = before ? pods_of(*before) : pods_by_name{}, has = pods_of(now);
    for (const auto& [pod, through] : had) {
        if (has.contains(pod)) continue;
        const auto* still = same_place(now, *through);
        events_.emit(about_pod(event_type::pod_removed, now, still ? *still : *through, pod));
    }
    for (const auto& [pod, through] : has)
        if (!had.contains(pod)) events_.emit(about_pod(event_type::pod_added, now, *through, pod));
}

void catalog::announce(const service* before, service& now)
{
    announce_pods(before, now);
    for (auto& forward : now.forwards) {
        const auto* was = before ? same_place(*before, forward) : nullptr;
        const bool failed = was && was->state == forward_state::error, fails = forward.state == forward_state::error;
        if (was && was->state != forward.state) events_.emit(about(event_type::pod_status_changed, now, forward));
        if (fails && (!failed || was->reason != forward.reason)) events_.emit(about(event_type::error_raised, now, forward));
        if (failed && !fails) events_.emit(about(event_type::error_resolved, now, forward));
        if (was && !forward.away) forward.away = loss_between(*was, forward, clock_.wall_now());
        if (!forward.away || !has_returned(forward)) continue;
        auto back = about(event_type::reconnected, now, forward);
        back.code = forward.away->code;
        back.reason = forward.away->message;
        back.took = clock_.wall_now() - forward.away->since;
        events_.emit(std::move(back));
        forward.away.reset();
    }
    if (!now.forwards.empty()) return;
    const bool failed = before && before->forwards.empty() && before->state == service_state::error;
    const bool fails = now.state == service_state::error;
    if (fails && (!failed || before->reason != now.reason)) events_.emit(about(event_type::error_raised, now));
    if (failed && !fails) events_.emit(about(event_type::error_resolved, now));
}

void catalog::remove_service(const std::string& key)
{
    const auto gone = services_.extract(key);
    if (gone) events_.emit(about(event_type::service_removed, gone.mapped()));
}

void catalog::put(forwarded_namespace next)
{
    const auto key = next.key();
    const auto found = namespaces_.find(key);
    const auto* was = found == namespaces_.end() ? nullptr : &found->second;
    if (next.owner.created_at == never) next.owner.created_at = was ? was->owner.created_at : clock_.wall_now();
    if (!was) events_.emit(about(event_type::namespace_added, next));
    if (const auto change = failure_change(was, next)) events_.emit(about(*change, next));
    namespaces_.insert_or_assign(key, std::move(next));
}

void catalog::remove_namespace(const std::string& key)
{
    const auto gone = namespaces_.extract(key);
    if (gone) events_.emit(about(event_type::namespace_removed, gone.mapped()));
}

void catalog::put(context next)
{
    const auto found = contexts_.find(next.name);
    const auto* was = found == contexts_.end() ? nullptr : &found->second;
    if (const auto change = failure_change(was, next)) events_.emit(about(*change, next));
    tell_left_out(was, next, events_);
    auto name = next.name;
    contexts_.insert_or_assign(std::move(name), std::move(next));
}

void catalog::sample_rates()
{
    std::set<std::string> stirred;
    board_->look(clock_.wall_now(), [&](const counters& one) { stirred.insert(one.service_key); });
    if (!events_.heard()) return;
    for (const auto& key : stirred) {
        const auto found = services_.find(key);
        if (found == services_.end()) continue;
        auto made = about(event_type::bandwidth_update, found->second);
        for (const auto& forward : found->second.forwards) {
            made.bytes_in += forward.traffic->meter.total().in;
            made.bytes_out += forward.traffic->meter.total().out;
        }
        events_.emit(std::move(made));
    }
}

} // namespace fwd::catalog
