// What the files that describe the wire share: descriptions used by several, and the two conversions themselves.
#pragma once

#include "common/api/json_fields.hpp"
#include "common/api/wire.hpp"

namespace fwd::wire {

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
