// The JSON of HTTP requests that passed.
#include "common/api/wire_http.hpp"

#include "common/api/wire_parts.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, http_entry& of)
{
    f.time("timestamp", of.timestamp);
    f.maybe("serviceKey", of.service_key);
    f.maybe("forwardKey", of.forward_key);
    f.text("method", of.method);
    f.text("path", of.path);
    f.maybe("host", of.host);
    f.maybe_whole("statusCode", of.status_code);
    f.text("duration", of.duration);
    f.number("durationMs", of.duration_ms);
    f.whole("size", of.size);
    f.whole("requestSize", of.request_size);
    f.text("protocol", of.protocol);
    f.maybe_whole("grpcStatus", of.grpc_status);
    f.maybe("podName", of.pod_name);
    f.maybe("cutBy", of.cut_by);
}

template <class F>
void describe(F& f, http_path_count& of)
{
    f.text("path", of.path);
    f.whole("count", of.count);
}

template <class F>
void describe(F& f, http_summary& of)
{
    f.whole("totalRequests", of.total_requests);
    f.whole("inFlight", of.in_flight);
    f.maybe_amount("unanswered", of.unanswered);
    f.time("lastRequest", of.last_request);
    f.group("statusCodes", [&of](auto& codes) {
        codes.maybe_amount("1xx", of.informational);
        codes.maybe_amount("2xx", of.successful);
        codes.maybe_amount("3xx", of.redirected);
        codes.maybe_amount("4xx", of.client_errors);
        codes.maybe_amount("5xx", of.server_errors);
    });
    f.list("topPaths", of.top_paths);
    f.number("requestsPerSecond", of.requests_per_second);
    f.maybe_number("p50Ms", of.p50_ms);
    f.maybe_number("p95Ms", of.p95_ms);
    f.maybe_amount("tlsConnections", of.tls_connections);
    f.maybe_texts("tlsNames", of.tls_names);
}

template <class F>
void describe(F& f, http_traffic& of)
{
    f.text("forwardKey", of.forward_key);
    f.maybe("podName", of.pod_name);
    f.text("localIP", of.local_ip);
    f.port_text("localPort", of.local_port);
    f.object("summary", of.summary);
    f.list("logs", of.logs);
}

template <class F>
void describe(F& f, service_http_traffic& of)
{
    f.text("serviceKey", of.service_key);
    f.object("summary", of.summary);
    f.list("forwards", of.forwards);
}

template <class F>
void describe(F& f, all_http_traffic& of)
{
    f.object("summary", of.summary);
    f.list("logs", of.logs);
}

FWD_WIRE(http_traffic)
FWD_WIRE(service_http_traffic)
FWD_WIRE(all_http_traffic)
#undef FWD_WIRE

} // namespace fwd::wire
