// Writes what happens into history: a reader of the event bus that puts each event, error and reconnection where it belongs, once.
// Control thread.
#pragma once

#include "daemon/catalog/event_bus.hpp"
#include "daemon/catalog/history.hpp"
#include "daemon/store/history.hpp"

namespace fwd::forward {

/// How an event stands in history.
struct recorded {
    past what;
    bool is_event = false;  ///< in the list of events
    bool is_error = false;  ///< and in that of errors
    bool is_return = false; ///< and in that of reconnections
    bool ends_errors = false;
};
[[nodiscard]] recorded record_of(const catalog::event& from);

class recorder final : public catalog::history {
public:
    /// Both outlive it. Errors that an earlier run left unresolved ended with that run.
    recorder(catalog::event_bus& events, store::history& kept, timing& clock);

    awaitable<catalog::answer<std::vector<past>>> find(past_question what) override;
    awaitable<catalog::answer<past_count>> count() override;
    void asked(past what) override { kept_.add(past_kind::asked, std::move(what)); }

private:
    void take_all();

    store::history& kept_;
    std::unique_ptr<catalog::event_bus::reader> heard_;
    std::uint64_t missed_ = 0;
};

} // namespace fwd::forward
