// What the catalog says of a service, and the evidence behind it.
#include "daemon/forward/supervisor.hpp"

#include "common/log.hpp"

#include <fmt/core.h>

namespace fwd::forward {

namespace {

/// Reasons that waiting does not heal: somebody has to act.
bool is_hopeless(const std::string& code)
{
    for (const auto* one :
         {"crash_loop", "image_pull", "config_error", "failed", "target_port_not_found", "unschedulable", "forbidden", "unauthorized"})
        if (code == one) return true;
    return false;
}

} // namespace

void supervisor::show(const forwarded& of)
{
    catalog::service made;
    made.service = of.id.name;
    made.namespace_name = of.id.namespace_name;
    made.context = shown(of.id.context);
    made.type = of.object->type;
    made.headless = of.object->headless();
    made.owner = of.owner;
    made.by_itself = of.by_itself;
    made.pods = of.plan.pods;
    made.unsupported = of.plan.unsupported;
    for (const auto& [hostname, group] : of.groups) {
        if (hostname.empty()) {
            made.local_ip = group.address;
            made.hostnames = group.written;
        }
        made.conflicts.insert(made.conflicts.end(), group.conflicts.begin(), group.conflicts.end());
        add_forwards(made, of, hostname, group);
    }
    if (of.local) {
        made.state = catalog::service_state::local;
        made.reason_code = "local";
        made.reason = "it runs on this machine" + (of.local->port ? fmt::format(", on port {}", *of.local->port) : std::string{}) +
                      ": its names lead to 127.0.0.1 and nothing is forwarded";
    } else if (!of.plan.unsupported_code.empty()) {
        made.state = catalog::service_state::unsupported;
        made.reason_code = of.plan.unsupported_code;
        made.reason = of.plan.unsupported_reason;
    } else if (!of.lease_code.empty() && of.groups.empty()) {
        made.state = catalog::service_state::error;
        made.reason_code = of.lease_code;
        made.reason = of.lease_problem;
    } else {
        made.state = catalog::catalog::add_up(made);
        if (made.state != catalog::service_state::active)
            for (const auto& forward : made.forwards)
                if (forward.state != catalog::forward_state::active &&
                    (made.reason.empty() || forward.state == catalog::forward_state::error)) {
                    made.reason_code = forward.reason_code;
                    made.reason = forward.reason;
                    if (forward.last_error) made.last_error = forward.last_error;
                }
    }
    parts_.state.put(std::move(made));
}

void supervisor::add_forwards(catalog::service& to, const forwarded& of, const std::string& hostname, const group& from) const
{
    for (const auto& [planned, port] : from.ports) {
        catalog::forward made;
        made.service_key = key_of(of.id);
        made.service = of.id.name;
        made.namespace_name = of.id.namespace_name;
        made.context = shown(of.id.context);
        made.headless = of.object->headless();
        made.pod = port.plan.pod;
        made.container = port.plan.container;
        made.local_ip = port.address;
        made.stable_pod = hostname;
        if (!hostname.empty()) made.own_hostnames = from.written;
        made.local_port = port.local;
        made.service_port = port.plan.service_port;
        made.port_name = port.plan.name;
        made.app_protocol = port.plan.app_protocol;
        made.pod_port = port.plan.pod_port;
        made.target_port = port.plan.target_text;
        made.traffic = port.traffic;
        made.attempts = port.attempts;
        made.last_error = port.failure;
        made.last_reset = port.reset;
        made.last_loss = port.loss;
        for (const auto& one : port.plan.eligible) made.pods.push_back(one.pod.name);
        judge(made, of, hostname, port);
        to.forwards.push_back(std::move(made));
    }
}

/// Whether it was seen to work after that moment: a tunnel was opened, or bytes passed.
bool supervisor::works_since(const port_state& port, time_point when) const
{
    const auto used = wall_time{duration{port.traffic->last_active.load(std::memory_order_relaxed)}};
    return port.proved_at > when || used > clock_.wall_now() - (clock_.now() - when);
}

void supervisor::judge(catalog::forward& to, const forwarded& of, const std::string& hostname, const port_state& port) const
{
    using state = catalog::forward_state;
    const auto say = [&](state what, std::string code, std::string why) {
        to.state = what;
        to.reason_code = std::move(code);
        to.reason = std::move(why);
    };
    if (stopping_) return say(state::stopping, "stopping", "the daemon is stopping");
    if (port.listens == port_state::listening::failed) return say(state::error, port.listen_code, port.listen_problem);
    if (port.listens == port_state::listening::pending) return say(state::connecting, "setting_up", "its address is being set up");
    const auto& from = *clusters_.at(of.id.context);
    const auto down = down_since_.find(of.id.context);
    const auto why = down == down_since_.end() ? std::nullopt : from.down();
    if (why && !works_since(port, down->second)) {
        to.last_error = why;
        return say(state::error, why->code, why->message);
    }
    const auto& access = from.access(of.id.namespace_name);
    if (access.what == access_state::kind::denied && !port.verified) return say(state::error, "forbidden", access.reason);
    if (port.plan.eligible.empty()) {
        auto code = of.plan.reason_code, why = of.plan.reason;
        for (const auto& pod : of.plan.stable)
            if (pod.hostname == hostname && !pod.reason.empty()) code = pod.reason_code, why = pod.reason;
        if (of.groups.at(hostname).gone_since)
            code = "pod_gone", why = fmt::format("pod {} is gone; its names stay for a minute", hostname);
        if (code.empty()) code = "no_ready_pod", why = "no pod is ready";
        return say(is_hopeless(code) ? state::error : state::pending, code, why);
    }
    if (port.failure) return say(state::error, port.failure->code, port.failure->message);
    to.verified = port.verified;
    if (port.verified) return say(state::active, {}, {});
    if (port.opening) return say(state::connecting, "opening_tunnel", "its first tunnel is being opened");
    if (access.what == access_state::kind::allowed) return say(state::active, {}, {});
    say(state::connecting, "checking_access", "whether pods/portforward is allowed is being asked");
}

void supervisor::on_reports(std::vector<report> reports)
{
    std::set<service_id> touched;
    for (auto& one : reports) {
        const auto at = by_id_.find(one.id);
        if (at == by_id_.end()) continue;
        const auto& [id, place] = at->second;
        auto& port = forwarded_.at(id).groups.at(place.first).ports.at(place.second);
        switch (one.happened) {
        case report::what::opening: port.opening = true; break;
        case report::what::given_up: port.opening = false; break;
        case report::what::opened: proved(port, false); break;
        case report::what::answered: proved(port, true); break;
        case report::what::failed: {
            const bool told = port.failure && port.failure->code == one.code; // a thousand that fail alike are one line
            failed(port, one);
            if (told) break;
            log_.warn("forward failed",
                      {{"forward", key_of(id)}, {"port", std::to_string(port.local)}, {"pod", one.pod}, {"error", one.text}});
            break;
        }
        case report::what::reset:
            port.reset = catalog::failure{one.at, one.code, one.text, port.reset ? port.reset->count + 1 : 1, {}};
            break;
        case report::what::lost:
            port.verified = false;
            port.loss = catalog::failure{one.at, one.code, one.text, port.loss ? port.loss->count + 1 : 1, {}};
            break;
        }
        touched.insert(id);
    }
    for (const auto& id : touched) show(forwarded_.at(id));
    if (!touched.empty()) changed_.set();
}

} // namespace fwd::forward
