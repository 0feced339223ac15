#include "daemon/api/sse.hpp"

#include "common/async/timeout.hpp"

#include <boost/asio/this_coro.hpp>

#include <fmt/core.h>

namespace fwd::api {

bool event_filter::passes(const catalog::event& one) const
{
    if (!types.empty() && !types.contains(std::string{name_of(one.type)})) return false;
    if (service.empty()) return true;
    const auto& key = one.service_key;
    return key.starts_with(service) && (key.size() == service.size() || key[service.size()] == '.');
}

wire::event view(const catalog::event& from)
{
    wire::event made;
    made.id = from.id;
    made.type = name_of(from.type);
    made.timestamp = from.when;
    made.service_key = from.service_key;
    made.service = from.service;
    made.namespace_name = from.namespace_name;
    made.context = from.context;
    made.pod_name = from.pod;
    made.local_ip = from.local_ip;
    made.local_port = from.local_port;
    made.pod_port = from.pod_port;
    made.hostnames = from.hostnames;
    made.status = from.status;
    made.reason = from.reason;
    made.error = from.error;
    made.client = from.client;
    made.bytes_in = from.bytes_in;
    made.bytes_out = from.bytes_out;
    return made;
}

std::string sse_text(const catalog::event& from)
{
    return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", from.id, name_of(from.type), wire::to_text(view(from)));
}

std::string sse_event(std::string_view type, std::string_view data)
{
    return fmt::format("event: {}\ndata: {}\n\n", type, data);
}

std::string sse_dropped(std::uint64_t count)
{
    return sse_event("dropped", wire::to_text(wire::dropped{count}));
}

const std::string& event_texts::of(const catalog::event& one)
{
    auto& place = last_[one.id % last_.size()];
    if (place.id != one.id) place = {one.id, sse_text(one)};
    return place.text;
}

namespace {

constexpr auto together = 20ms; ///< what comes so soon after a small piece goes out as the next one
constexpr std::size_t small_piece = 16 * 1024;

class event_source final : public live_source {
public:
    event_source(std::unique_ptr<catalog::event_bus::reader> events, event_filter filter, event_texts& texts)
        : events_{std::move(events)}, filter_{std::move(filter)}, texts_{texts}
    {
    }
    std::string take() override
    {
        constexpr std::size_t enough = 64 * 1024;
        std::string text;
        if (const auto lost = events_->take_dropped()) text = sse_dropped(lost);
        while (text.size() < enough) {
            const auto next = events_->take();
            if (!next) break;
            if (filter_.passes(*next)) text += texts_.of(*next);
        }
        return text;
    }
    void on_more(callback call) override { events_->on_event(std::move(call)); }

private:
    std::unique_ptr<catalog::event_bus::reader> events_;
    event_filter filter_;
    event_texts& texts_;
};

/// Watches a stream whose peer has nothing more to say: anything but its end is ignored.
class gone_watch {
public:
    gone_watch(data_stream& stream, async_event& wake) : stream_{stream}, wake_{wake} { arm(); }
    ~gone_watch() { stream_.cancel(interest::read); }
    [[nodiscard]] bool gone() const { return gone_; }

private:
    void arm()
    {
        stream_.wait(interest::read, [this] {
            std::array<std::byte, 512> ignored;
            const auto step = stream_.try_read(ignored);
            if (step.what == io_step::state::end || step.what == io_step::state::failed) {
                gone_ = true;
                wake_.set();
                return;
            }
            arm();
        });
    }

    data_stream& stream_;
    async_event& wake_;
    bool gone_ = false;
};

} // namespace

std::unique_ptr<live_source> make_event_source(std::unique_ptr<catalog::event_bus::reader> events, event_filter filter, event_texts& texts)
{
    return std::make_unique<event_source>(std::move(events), std::move(filter), texts);
}

namespace {

/// One live answer on its way.
class stream {
public:
    stream(byte_stream& out, const gone_watch& peer, live_source& what, sse_terms terms)
        : out_{out}, peer_{peer}, what_{what}, terms_{terms}, last_sent_{terms.clock.now()}
    {
    }

    awaitable<void> run()
    {
        what_.on_more([this] {
            if (!std::exchange(more_, true) && !gathering_) terms_.wake.set();
        });
        // The first bytes tell the reader that the stream is open, however quiet the daemon is.
        std::string text = ": open\n\n";
        for (;;) {
            if (!text.empty()) {
                auto sent = co_await with_timeout(terms_.clock, terms_.write, out_.write_all(as_bytes(text)));
                if (!sent) co_return;
                last_sent_ = terms_.clock.now();
            }
            more_ = false;
            const bool over = what_.over(); // asked first: what came before the end is still to be taken
            text = what_.take();
            if (!text.empty()) {
                if (text.size() < small_piece) co_await a_moment();
                // An event wakes all its readers: each takes the rest and writes it in a turn of its own.
                co_await terms_.writing.take();
                if (text.size() < small_piece) text += what_.take();
                last_piece_ = terms_.clock.now();
                continue;
            }
            if (over || ended()) co_return;
            const auto due = last_sent_ + terms_.comment;
            if (terms_.clock.now() >= due)
                text = ": still here\n\n";
            else if (!more_)
                co_await woken_by(due);
        }
    }

private:
    [[nodiscard]] bool ended() const { return terms_.stopping || peer_.gone(); }

    /// For more to come, if the last piece went out just now.
    awaitable<void> a_moment()
    {
        gathering_ = true;
        const auto until = last_piece_ ? *last_piece_ + together : time_point{};
        while (terms_.clock.now() < until && !ended() && !what_.over()) co_await woken_by(until);
        gathering_ = false;
    }

    awaitable<void> woken_by(time_point when)
    {
        const auto timer = terms_.clock.call_at(when, [this] { terms_.wake.set(); });
        struct undo {
            timing& clock;
            timer_id id;
            ~undo() { clock.cancel(id); }
        } const undo_timer{terms_.clock, timer};
        co_await terms_.wake.wait();
    }

    byte_stream& out_;
    const gone_watch& peer_;
    live_source& what_;
    sse_terms terms_;
    time_point last_sent_;
    std::optional<time_point> last_piece_; ///< of what was told, not of comments
    bool more_ = false, gathering_ = false;
};

} // namespace

awaitable<void> stream_events(std::unique_ptr<byte_stream> over, std::unique_ptr<live_source> what, sse_terms terms)
{
    auto beneath = over->release();
    auto* raw = beneath.get();
    const auto out = make_byte_stream(std::move(beneath));
    const gone_watch peer{*raw, terms.wake};
    stream all{*out, peer, *what, terms};
    std::exception_ptr thrown;
    try {
        co_await all.run();
    } catch (...) {
        thrown = std::current_exception(); // the server cancelled us; the source is finished all the same
    }
    co_await asio::this_coro::reset_cancellation_state();
    co_await what->finish();
    if (thrown) std::rethrow_exception(thrown);
}

} // namespace fwd::api
