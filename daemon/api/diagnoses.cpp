#include "daemon/api/diagnoses.hpp"

#include "daemon/api/history_views.hpp"
#include "daemon/api/views.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace fwd::api {

namespace {

const catalog::service* service_of(const catalog::catalog& all, const catalog::wrong& one)
{
    const auto at = all.services().find(one.key);
    return one.kind == "service" && at != all.services().end() ? &at->second : nullptr;
}

/// What stops everything, what stops a service, what waits, what works all the same.
std::string severity(const catalog::catalog& all, const catalog::wrong& one)
{
    const auto* service = service_of(all, one);
    if (!service) return one.kind == "service" ? "medium" : "critical";
    switch (service->state) {
    case catalog::service_state::error: return "high";
    case catalog::service_state::active: return "low";
    default: return "medium";
    }
}

/// Waiting or the cluster's own doing may heal it; what somebody has to change does not heal.
bool may_heal(std::string_view code)
{
    for (const std::string_view one : {"starting", "not_ready", "cluster_unreachable", "tunnel_failed", "terminating", "container_ended",
                                       "unauthorized", "waiting_for_login", "crash_loop", "too_many_waiting"})
        if (code == one) return true;
    return false;
}

std::string category(const catalog::wrong& one)
{
    return one.kind == "service" ? "service" : one.kind == "daemon" ? "daemon" : "cluster";
}

wire::error_detail detail(const catalog::catalog& all, const catalog::wrong& one)
{
    wire::error_detail made;
    made.component = one.kind;
    made.error_type = one.what.code;
    made.message = one.what.sentence;
    made.suggestion = one.what.suggestion;
    made.recoverable = may_heal(one.what.code);
    if (const auto* service = service_of(all, one)) {
        made.service_key = one.key;
        made.timestamp = service->since;
        for (const auto& forward : service->forwards)
            if (forward.state != catalog::forward_state::active) {
                made.forward_key = forward.key();
                made.pod_name = forward.pod;
                break;
            }
    } else if (const auto context = all.contexts().find(one.key); context != all.contexts().end() && context->second.last_error)
        made.timestamp = context->second.last_error->at;
    return made;
}

} // namespace

std::string health_word(const catalog::catalog& all)
{
    switch (all.state()) {
    case catalog::health::ok: return "healthy";
    case catalog::health::degraded: return "degraded";
    case catalog::health::error: return "unhealthy";
    }
    return "unhealthy";
}

wire::analysis analysis_of(const catalog::catalog& all, const catalog::explanation& wrong)
{
    wire::analysis made;
    made.status = health_word(all);
    made.summary = wrong.what.sentence;
    made.stats = view(all.sum());
    std::set<std::string> advised;
    for (const auto& one : wrong.problems) {
        const auto how_bad = severity(all, one);
        wire::issue issue{how_bad, one.kind, {}, {}, one.what.sentence, one.what.code};
        if (const auto* service = service_of(all, one)) {
            issue.service_key = one.key;
            if (!service->forwards.empty()) issue.pod_name = service->forwards.front().pod;
        }
        made.issues.push_back(std::move(issue));
        // The same advice for many services is one recommendation.
        if (!one.what.suggestion.empty() && advised.insert(one.what.suggestion).second)
            made.recommendations.push_back({how_bad, category(one), one.what.suggestion});
        for (const auto& step : one.what.next)
            made.suggested_actions.push_back(
                {step.method == "POST" ? "call" : "look", one.key, step.why, step.path, step.method, step.command});
    }
    return made;
}

wire::error_list errors_of(const catalog::catalog& all, const catalog::explanation& wrong, const std::vector<past>& errors,
                           std::size_t most)
{
    wire::error_list made;
    made.overall_health = health_word(all);
    for (const auto& one : wrong.problems)
        if (made.errors.size() < most) made.errors.push_back(detail(all, one));
    for (const auto& one : errors) {
        // What is not over stands above with its verdict.
        if (!one.resolved || made.errors.size() >= most) continue;
        wire::error_detail past;
        past.timestamp = one.when;
        past.component = one.service_key.empty() ? "cluster" : "service";
        past.service_key = one.service_key;
        past.forward_key = one.forward_key;
        past.pod_name = one.pod;
        past.error_type = one.code;
        past.message = one.message + " (over)";
        past.recoverable = true;
        made.errors.push_back(std::move(past));
    }
    return made;
}

wire::network_status network_of(const catalog::catalog& all)
{
    wire::network_status made;
    std::set<ipv4> addresses;
    for (const auto& [key, service] : all.services()) {
        if (service.local_ip) addresses.insert(*service.local_ip);
        made.hostnames.insert(made.hostnames.end(), service.hostnames.begin(), service.hostnames.end());
        for (const auto& one : service.conflicts) made.conflicts.push_back({one.name, one.held_by});
        for (const auto& forward : service.forwards) {
            addresses.insert(forward.local_ip);
            ++made.ports_in_use;
            made.hostnames.insert(made.hostnames.end(), forward.own_hostnames.begin(), forward.own_hostnames.end());
        }
    }
    std::sort(made.hostnames.begin(), made.hostnames.end());
    made.hostnames.erase(std::unique(made.hostnames.begin(), made.hostnames.end()), made.hostnames.end());
    made.ips_allocated = static_cast<std::int64_t>(addresses.size());
    if (!addresses.empty()) made.ip_range = fmt::format("{}-{}", addresses.begin()->text(), addresses.rbegin()->text());
    made.hosts_path = all.self().hosts_path;
    made.listening = all.self().listening;
    return made;
}

wire::diagnostics diagnostics_of(const catalog::catalog& all, const catalog::explanation& wrong, wall_time now)
{
    wire::diagnostics made;
    made.status = health_word(all);
    made.timestamp = now;
    made.uptime = wire::uptime_text(now - all.self().started);
    made.version = all.self().version;
    for (const auto& [key, service] : all.services()) {
        using state = catalog::service_state;
        ++made.services.total;
        made.services.active += service.state == state::active;
        made.services.error += service.state == state::error;
        made.services.partial += service.state == state::partial;
        made.services.pending += service.state == state::pending;
    }
    made.network = network_of(all);
    for (const auto& one : wrong.problems) made.errors.push_back(detail(all, one));
    for (const auto& one : analysis_of(all, wrong).recommendations) made.recommendations.push_back(one.message);
    return made;
}

wire::forward_diagnostic diagnostic_of(const catalog::service& in, const catalog::forward& of, wall_time now)
{
    using state = catalog::forward_state;
    wire::forward_diagnostic made;
    made.what = view(in, of);
    made.connection.state = of.state == state::error                   ? "error"
                            : of.state == state::active && of.verified ? "connected"
                            : of.state == state::connecting            ? "connecting"
                                                                       : "disconnected";
    made.connection.bytes_in = made.what.bytes_in;
    made.connection.bytes_out = made.what.bytes_out;
    made.connection.last_activity = made.what.last_active;
    if (made.what.started_at) made.uptime = wire::uptime_text(now - *made.what.started_at);
    if (made.what.last_active) made.idle_duration = wire::uptime_text(now - *made.what.last_active);
    return made;
}

wire::service_diagnostic diagnostic_of(const catalog::service& of, const catalog::explanation& why, const std::vector<past>& errors,
                                       wall_time now)
{
    wire::service_diagnostic made;
    made.key = of.key();
    made.service_name = of.service;
    made.namespace_name = of.namespace_name;
    made.context = of.context;
    made.status = name_of(of.state);
    made.headless = of.headless;
    made.code = why.what.code;
    made.verdict = why.what.sentence;
    made.suggestion = why.what.suggestion;
    made.pods = {of.pods.ready, of.pods.total};
    for (const auto& forward : of.forwards) {
        made.active_count += forward.state == catalog::forward_state::active;
        made.error_count += forward.state == catalog::forward_state::error;
        made.reconnecting.attempt_count += static_cast<std::int64_t>(forward.attempts);
        made.reconnecting.is_reconnecting = made.reconnecting.is_reconnecting || forward.away.has_value();
        if (forward.last_error) {
            made.reconnecting.last_attempt = std::max(made.reconnecting.last_attempt.value_or(wall_time{}), forward.last_error->at);
            made.reconnecting.next_attempt = forward.last_error->next_retry;
        }
        made.forwards.push_back(diagnostic_of(of, forward, now));
    }
    for (const auto& one : errors) made.error_history.push_back(error_view(one));
    return made;
}

} // namespace fwd::api
