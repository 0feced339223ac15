#include "daemon/api/views.hpp"

#include <fmt/core.h>

namespace fwd::api {

namespace {

std::optional<wall_time> unless_never(wall_time when)
{
    return when == wall_time{} ? std::nullopt : std::optional{when};
}

std::optional<wire::failure> maybe(const std::optional<catalog::failure>& from)
{
    return from ? std::optional{view(*from)} : std::nullopt;
}

wire::owner view(const catalog::wish_owner& from)
{
    return {from.owner, from.client, from.purpose, unless_never(from.created_at)};
}

std::string counted(std::size_t count, std::string_view one, std::string_view many)
{
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// "12 services: 10 active, 1 pending, 1 in error"
std::string status_message(const catalog::catalog& all)
{
    if (!all.self().agent_alive) return "the host agent is gone; nothing is reachable by name";
    if (all.services().empty() && all.namespaces().empty()) return "nothing is forwarded";
    std::map<catalog::service_state, std::size_t> by_state;
    for (const auto& [key, one] : all.services()) ++by_state[one.state];
    auto text = counted(all.services().size(), "service", "services");
    std::string_view between = ": ";
    for (const auto& [state, count] : by_state) {
        text += fmt::format("{}{} {}", between, count, state == catalog::service_state::error ? "in error" : name_of(state));
        between = ", ";
    }
    return text;
}

} // namespace

wire::failure view(const catalog::failure& from)
{
    return {unless_never(from.at), from.code, from.message, static_cast<std::int64_t>(from.count), from.next_retry};
}

wire::forward view(const catalog::service& in, const catalog::forward& from)
{
    wire::forward made;
    made.key = from.key();
    made.service_key = in.key();
    made.service_name = in.service;
    made.namespace_name = in.namespace_name;
    made.context = in.context;
    made.headless = in.headless;
    made.pod_name = from.pod;
    made.container_name = from.container;
    made.local_ip = from.local_ip.text();
    made.local_port = from.local_port;
    made.pod_port = from.pod_port;
    made.service_port = from.service_port;
    made.port_name = from.port_name;
    made.target_port = from.target_port;
    made.hostnames = from.own_hostnames.empty() ? in.hostnames : from.own_hostnames;
    made.status = name_of(from.state);
    made.verified = from.verified;
    if (from.state != catalog::forward_state::active) {
        made.error = from.reason;
        made.error_code = from.reason_code;
    }
    made.since = unless_never(from.since);
    made.started_at = unless_never(from.started_at);
    made.last_error = maybe(from.last_error);
    if (from.last_error && from.state != catalog::forward_state::active) made.next_retry_at = from.last_error->next_retry;
    made.attempts = static_cast<std::int64_t>(from.attempts);
    const auto& traffic = *from.traffic;
    made.bytes_in = traffic.bytes_in.load(std::memory_order_relaxed);
    made.bytes_out = traffic.bytes_out.load(std::memory_order_relaxed);
    made.connections = traffic.open.load(std::memory_order_relaxed);
    made.total_connections = traffic.connections.load(std::memory_order_relaxed);
    made.waiting_connections = traffic.waiting.load(std::memory_order_relaxed);
    if (const auto last = traffic.last_active.load(std::memory_order_relaxed)) made.last_active = wall_time{duration{last}};
    const auto rate = traffic.meter.rate(), average = traffic.average(from.started_at);
    made.rate_in = rate.in;
    made.rate_out = rate.out;
    made.avg_rate_in = average.in;
    made.avg_rate_out = average.out;
    made.protocol = from.protocol;
    return made;
}

wire::service view(const catalog::service& from)
{
    wire::service made;
    made.key = from.key();
    made.service_name = from.service;
    made.namespace_name = from.namespace_name;
    made.context = from.context;
    made.type = from.type;
    made.headless = from.headless;
    made.status = name_of(from.state);
    if (from.state != catalog::service_state::active) {
        made.reason = from.reason;
        made.reason_code = from.reason_code;
    }
    if (from.local_ip) made.local_ip = from.local_ip->text();
    made.hostnames = from.hostnames;
    for (const auto& one : from.conflicts) made.conflicts.push_back({one.name, one.held_by, one.wanted_by});
    for (const auto& one : from.unsupported) made.unsupported_ports.push_back({one.port, one.name, one.protocol, one.reason});
    made.verified = !from.forwards.empty();
    for (const auto& one : from.forwards) {
        const auto& forward = made.forwards.emplace_back(view(from, one));
        made.active_count += one.state == catalog::forward_state::active;
        made.error_count += one.state == catalog::forward_state::error;
        made.verified = made.verified && one.verified;
        made.total_bytes_in += forward.bytes_in;
        made.total_bytes_out += forward.bytes_out;
        made.rate_in += forward.rate_in;
        made.rate_out += forward.rate_out;
        made.waiting_connections += forward.waiting_connections;
    }
    made.pods = {from.pods.ready, from.pods.total};
    made.owner = view(from.owner);
    made.since = unless_never(from.since);
    made.last_error = maybe(from.last_error);
    return made;
}

wire::summary view(const catalog::totals& from)
{
    wire::summary made;
    made.total_services = static_cast<std::int64_t>(from.services);
    made.active_services = static_cast<std::int64_t>(from.active_services);
    made.pending_services = static_cast<std::int64_t>(from.pending);
    made.total_forwards = static_cast<std::int64_t>(from.forwards);
    made.active_forwards = static_cast<std::int64_t>(from.active_forwards);
    made.error_count = static_cast<std::int64_t>(from.errors);
    made.total_bytes_in = from.bytes_in;
    made.total_bytes_out = from.bytes_out;
    made.rate_in = from.rate_in;
    made.rate_out = from.rate_out;
    return made;
}

wire::namespace_info view(const catalog::forwarded_namespace& from, const catalog::catalog& all)
{
    wire::namespace_info made;
    made.key = from.key();
    made.namespace_name = from.name;
    made.context = from.context;
    for (const auto& [key, service] : all.services()) {
        if (service.namespace_name != from.name || service.context != from.context) continue;
        ++made.service_count;
        made.active_count += service.state == catalog::service_state::active;
        made.error_count += service.state == catalog::service_state::error;
    }
    made.running = from.running;
    made.label_selector = from.label_selector;
    made.field_selector = from.field_selector;
    made.services = from.services;
    made.exclude = from.exclude;
    made.owner = view(from.owner);
    made.last_error = maybe(from.last_error);
    return made;
}

wire::context_state view(const catalog::context& from, const catalog::catalog& all)
{
    wire::context_state made;
    made.name = from.name;
    if (from.shown != from.name) made.alias = from.shown;
    made.server = from.server;
    made.cluster = from.cluster;
    made.user = from.user;
    made.namespace_name = from.namespace_name;
    made.version = from.version;
    made.active = all.uses(from);
    made.primary = from.primary;
    made.reachable = from.connected;
    made.insecure = from.insecure;
    made.waiting_for = from.waiting_for;
    if (from.last_error) {
        made.error = from.last_error->message;
        made.error_code = from.last_error->code;
        made.last_error = view(*from.last_error);
    }
    return made;
}

wire::k8s_namespace view(const catalog::cluster_namespace& from)
{
    return {from.name, from.status, from.forwarded};
}

wire::added_service added_view(const catalog::service& from, const catalog::added_service& how)
{
    wire::added_service made;
    made.key = from.key();
    made.service_name = from.service;
    made.namespace_name = from.namespace_name;
    made.context = from.context;
    if (from.local_ip) made.local_ip = from.local_ip->text();
    made.hostnames = from.hostnames;
    for (const auto& one : from.forwards)
        if (one.stable_pod.empty()) made.ports.push_back({one.local_port, one.service_port, one.protocol, one.port_name});
    made.status = name_of(from.state);
    made.created = how.created;
    made.ready = how.ready;
    if (!how.ready) {
        made.reason = how.not_ready_because.empty() ? from.reason : how.not_ready_because;
        made.reason_code = from.reason_code;
    }
    return made;
}

wire::health health_view(const catalog::catalog& all, wall_time now)
{
    return {std::string{name_of(all.state())}, all.self().version, wire::uptime_text(now - all.self().started), now};
}

wire::status status_view(const catalog::catalog& all, wall_time now)
{
    wire::status made;
    made.status = name_of(all.state());
    made.message = status_message(all);
    made.version = all.self().version;
    made.uptime = wire::uptime_text(now - all.self().started);
    made.timestamp = now;
    const auto totals = all.sum();
    made.error_count = static_cast<std::int64_t>(totals.errors);
    made.summary = view(totals);
    made.listening = all.self().listening;
    for (const auto& [name, one] : all.contexts()) {
        made.contexts.push_back(view(one, all));
        if (one.last_error) made.problems.push_back({"", "context " + name, one.last_error->code, one.last_error->message});
        for (const auto& object : one.left_out)
            made.problems.push_back({"", "context " + name, "bad_name", catalog::left_out_sentence(object, name)});
    }
    for (const auto& [key, one] : all.namespaces())
        if (one.last_error) made.problems.push_back({"", "namespace " + key, one.last_error->code, one.last_error->message});
    for (const auto& [key, one] : all.services()) {
        using state = catalog::service_state;
        if (one.state != state::partial && one.state != state::pending && one.state != state::error) continue;
        made.problems.push_back({key, std::string{name_of(one.state)}, one.reason_code, one.reason});
    }
    return made;
}

} // namespace fwd::api
