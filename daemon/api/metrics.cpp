#include "daemon/api/metrics.hpp"

#include "daemon/api/views.hpp"

namespace fwd::api {

wire::metrics_summary metrics_view(const catalog::catalog& all, wall_time now)
{
    const auto sum = view(all.sum());
    wire::metrics_summary made{sum.total_services, sum.active_services, sum.total_forwards, sum.active_forwards, sum.error_count};
    made.total_bytes_in = sum.total_bytes_in;
    made.total_bytes_out = sum.total_bytes_out;
    made.total_rate_in = sum.rate_in;
    made.total_rate_out = sum.rate_out;
    made.uptime = wire::uptime_text(now - all.self().started);
    made.last_updated = now;
    return made;
}

wire::service_metrics metrics_view(const catalog::service& of)
{
    const auto plain = view(of);
    wire::service_metrics made{plain.key,     plain.service_name,   plain.namespace_name,
                               plain.context, plain.total_bytes_in, plain.total_bytes_out,
                               plain.rate_in, plain.rate_out};
    for (const auto& one : plain.forwards)
        made.port_forwards.push_back({one.pod_name, one.local_ip, one.local_port, one.pod_port, one.bytes_in, one.bytes_out, one.rate_in,
                                      one.rate_out, one.avg_rate_in, one.avg_rate_out, one.connections, one.started_at, one.last_active});
    return made;
}

std::vector<wire::metrics_point> history_view(const catalog::service& of, wall_time now, std::size_t points)
{
    std::vector<const traffic::meter*> meters;
    for (const auto& one : of.forwards) meters.push_back(&one.traffic->meter);
    std::vector<wire::metrics_point> made;
    for (const auto& one : traffic::history(meters, now, points))
        made.push_back({one.at, one.total.in, one.total.out, one.rate_in, one.rate_out});
    return made;
}

} // namespace fwd::api
