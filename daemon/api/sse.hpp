// A live answer to one reader (WHATWG HTML, server-sent events).
#pragma once

#include "common/api/wire.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/turns.hpp"
#include "common/net/byte_stream.hpp"
#include "daemon/catalog/event_bus.hpp"

#include <array>
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

/// What a live answer sends: text in the form of server-sent events, whenever there is some. Belongs to one reader.
class live_source {
public:
    virtual ~live_source() = default;
    /// What waits, up to a piece that one write may take; empty: nothing at the moment.
    [[nodiscard]] virtual std::string take() = 0;
    /// Called, from the loop, when take() has something again or over() became true. To be said once; only then work begins.
    virtual void on_more(callback call) = 0;
    /// Nothing will come after what take() still gives.
    [[nodiscard]] virtual bool over() const { return false; }
    /// Ends what works for it. Awaited before it is destroyed, if on_more() was called.
    virtual awaitable<void> finish() { co_return; }
};

/// The last events as text: made once, for however many readers.
class event_texts {
public:
    /// Until the next call.
    [[nodiscard]] const std::string& of(const catalog::event& one);

private:
    struct told {
        std::uint64_t id = 0;
        std::string text;
    };
    std::array<told, 256> last_; ///< by id; readers that follow are hardly further apart
};

/// The bus as a live answer; losses are told by a `dropped` event. `texts` outlives it.
[[nodiscard]] std::unique_ptr<live_source> make_event_source(std::unique_ptr<catalog::event_bus::reader> events, event_filter filter,
                                                             event_texts& texts);

[[nodiscard]] wire::event view(const catalog::event& from);
/// "id: 7\nevent: ServiceAdded\ndata: {...}\n\n"
[[nodiscard]] std::string sse_text(const catalog::event& from);
[[nodiscard]] std::string sse_dropped(std::uint64_t count);
/// One event without id; `data` is one line.
[[nodiscard]] std::string sse_event(std::string_view type, std::string_view data);

/// How a stream is timed and told to end.
struct sse_terms {
    timing& clock;
    duration comment;     ///< silence after which a comment is sent
    duration write;       ///< for the reader to take what is sent
    const bool& stopping; ///< set, then `wake` called: what is queued is still sent, then the stream ends
    async_event& wake;
    turns& writing; ///< shared by all live answers: an event has a write for each of its readers
};

/// Sends until the reader is gone, the source is over or the server stops. What comes right after something that was sent waits a
/// moment for more, so that a storm costs a few writes and not one for each event. `over` is at its place after the header of the answer.
awaitable<void> stream_events(std::unique_ptr<byte_stream> over, std::unique_ptr<live_source> what, sse_terms terms);

} // namespace fwd::api
