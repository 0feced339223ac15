// A live stream of events to one reader (WHATWG HTML, server-sent events).
#pragma once

#include "common/api/wire.hpp"
#include "common/async/task_scope.hpp"
#include "common/net/byte_stream.hpp"
#include "daemon/catalog/event_bus.hpp"

#include <memory>
#include <set>
#include <string>

namespace fwd::api {

/// What a reader asked for; empty sets mean all.
struct event_filter {
    std::set<std::string> types; ///< "ServiceAdded", ...
    std::string service;         ///< a whole key, or its beginning up to a dot
    [[nodiscard]] bool passes(const catalog::event& one) const;
};

struct event_stream {
    std::unique_ptr<catalog::event_bus::reader> events;
    event_filter filter;
};

[[nodiscard]] wire::event view(const catalog::event& from);
/// "id: 7\nevent: ServiceAdded\ndata: {...}\n\n"
[[nodiscard]] std::string sse_text(const catalog::event& from);
[[nodiscard]] std::string sse_dropped(std::uint64_t count);

/// How a stream is timed and told to end.
struct sse_terms {
    timing& clock;
    duration comment;     ///< silence after which a comment is sent
    duration write;       ///< for the reader to take what is sent
    const bool& stopping; ///< set, then `wake` called: what is queued is still sent, then the stream ends
    async_event& wake;
};

/// Sends until the reader is gone or the server stops. `over` is at its place after the header of the answer.
awaitable<void> stream_events(std::unique_ptr<byte_stream> over, event_stream what, sse_terms terms);

} // namespace fwd::api
