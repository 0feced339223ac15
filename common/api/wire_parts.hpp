// What the files that describe the wire share: descriptions used by several, and the two conversions themselves.
#pragma once

#include "common/api/json_fields.hpp"
#include "common/api/wire.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, next_step& of)
{
    f.maybe("method", of.method);
    f.maybe("path", of.path);
    f.any("body", of.body);
    f.maybe("command", of.command);
    f.text("why", of.why);
}

template <class F>
void describe(F& f, conflict& of)
{
    f.text("name", of.name);
    f.text("heldBy", of.held_by);
}

template <class F>
void describe(F& f, pod_count& of)
{
    f.whole("ready", of.ready);
    f.whole("total", of.total);
}

template <class F>
void describe(F& f, failure& of)
{
    f.time("at", of.at);
    f.text("code", of.code);
    f.text("message", of.message);
    f.whole("count", of.count);
    f.time("nextRetryAt", of.next_retry_at);
}

template <class F>
void describe(F& f, summary& of)
{
    f.whole("totalServices", of.total_services);
    f.whole("activeServices", of.active_services);
    f.whole("pendingServices", of.pending_services);
    f.whole("totalForwards", of.total_forwards);
    f.whole("activeForwards", of.active_forwards);
    f.whole("errorCount", of.error_count);
    f.whole("totalBytesIn", of.total_bytes_in);
    f.whole("totalBytesOut", of.total_bytes_out);
    f.number("rateIn", of.rate_in);
    f.number("rateOut", of.rate_out);
}

template <class F>
void describe(F& f, k8s_port& of)
{
    f.maybe("name", of.name);
    f.port("port", of.port);
    f.text("targetPort", of.target_port);
    f.text("protocol", of.protocol);
    f.maybe("appProtocol", of.app_protocol);
    f.maybe("kind", of.kind);
}

template <class T>
json::value to_json(const T& from)
{
    return json_writer::object_of(from);
}

template <class T>
result<T> from_json(const json::value& from)
{
    return json_filler::read<T>(from);
}

/// Instantiates both directions for one struct, in the file that describes it.
#define FWD_WIRE(T)                                                                                                                        \
    template json::value to_json<T>(const T&);                                                                                             \
    template result<T> from_json<T>(const json::value&);

} // namespace fwd::wire
