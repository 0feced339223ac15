// The JSON of what flowed.
#include "common/api/wire_traffic.hpp"
#include "common/api/wire_parts.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, metrics_summary& of)
{
    f.whole("totalServices", of.total_services);
    f.whole("activeServices", of.active_services);
    f.whole("totalForwards", of.total_forwards);
    f.whole("activeForwards", of.active_forwards);
    f.whole("errorCount", of.error_count);
    f.whole("totalBytesIn", of.total_bytes_in);
    f.whole("totalBytesOut", of.total_bytes_out);
    f.number("totalRateIn", of.total_rate_in);
    f.number("totalRateOut", of.total_rate_out);
    f.text("uptime", of.uptime);
    f.time("lastUpdated", of.last_updated);
}

template <class F>
void describe(F& f, metrics_point& of)
{
    f.time("timestamp", of.timestamp);
    f.whole("bytesIn", of.bytes_in);
    f.whole("bytesOut", of.bytes_out);
    f.number("rateIn", of.rate_in);
    f.number("rateOut", of.rate_out);
}

template <class F>
void describe(F& f, port_metrics& of)
{
    f.text("podName", of.pod_name);
    f.text("localIP", of.local_ip);
    f.port_text("localPort", of.local_port);
    f.port_text("podPort", of.pod_port);
    f.whole("bytesIn", of.bytes_in);
    f.whole("bytesOut", of.bytes_out);
    f.number("rateIn", of.rate_in);
    f.number("rateOut", of.rate_out);
    f.number("avgRateIn", of.avg_rate_in);
    f.number("avgRateOut", of.avg_rate_out);
    f.whole("connections", of.connections);
    f.time("connectedAt", of.connected_at);
    f.time("lastActivityAt", of.last_activity_at);
}

template <class F>
void describe(F& f, service_metrics& of)
{
    f.text("key", of.key);
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.whole("totalBytesIn", of.total_bytes_in);
    f.whole("totalBytesOut", of.total_bytes_out);
    f.number("rateIn", of.rate_in);
    f.number("rateOut", of.rate_out);
    f.list("portForwards", of.port_forwards);
    f.maybe_list("history", of.history);
}

template <class F>
void describe(F& f, service_metrics_list& of)
{
    f.list("services", of.services);
    f.object("summary", of.summary);
}

template <class F>
void describe(F& f, metrics_history& of)
{
    f.text("key", of.key);
    f.list("history", of.history);
}

FWD_WIRE(metrics_summary)
FWD_WIRE(service_metrics)
FWD_WIRE(service_metrics_list)
FWD_WIRE(metrics_history)

} // namespace fwd::wire
