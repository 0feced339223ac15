#include "daemon/forward/recorder.hpp"

#include <fmt/core.h>

namespace fwd::forward {

namespace {

/// Too many to keep, and told elsewhere: in the meters and the list of connections.
bool is_passing(catalog::event_type type)
{
    using type_of = catalog::event_type;
    return type == type_of::bandwidth_update || type == type_of::connection_opened || type == type_of::connection_closed;
}

std::string message_of(const catalog::event& from)
{
    using type = catalog::event_type;
    switch (from.type) {
    case type::service_added:
        if (from.status == "unsupported") return "listed, but cannot be forwarded: " + from.reason;
        return from.local_ip.empty() ? "forwarded" : "forwarded at " + from.local_ip;
    case type::service_removed: return "no longer forwarded";
    case type::namespace_added: return "forwarded";
    case type::namespace_removed: return "no longer forwarded";
    case type::pod_added: return "pod " + from.pod + " takes connections";
    case type::pod_removed: return "pod " + from.pod + " takes no more connections";
    case type::error_resolved: return "works again";
    case type::shutdown_started: return "the daemon stops";
    default: return from.error.empty() ? from.reason : from.error;
    }
}

} // namespace

recorded record_of(const catalog::event& from)
{
    using type = catalog::event_type;
    recorded made;
    auto& what = made.what;
    what.when = from.when;
    what.type = name_of(from.type);
    what.service_key = from.service_key;
    what.forward_key = from.forward_key;
    if (!from.forward_key.empty()) what.place = fmt::format("{}:{}", from.local_ip, from.local_port);
    what.namespace_name = from.namespace_name;
    what.context = from.context;
    what.pod = from.pod;
    what.status = from.status;
    what.code = from.code;
    what.message = message_of(from);
    what.client = from.client;
    what.took = from.took;
    made.is_event = !is_passing(from.type);
    made.is_error = from.type == type::error_raised;
    made.is_return = from.type == type::reconnected;
    made.ends_errors = from.type == type::error_resolved || from.type == type::service_removed || from.type == type::namespace_removed;
    return made;
}

recorder::recorder(catalog::event_bus& events, store::history& kept, timing& clock) : kept_{kept}, heard_{events.subscribe()}
{
    kept_.resolve_all(clock.wall_now());
    heard_->on_event([this] { take_all(); });
}

void recorder::take_all()
{
    missed_ += heard_->take_dropped();
    while (auto next = heard_->take()) {
        const auto one = record_of(*next);
        if (next->type == catalog::event_type::shutdown_started) kept_.resolve_all(next->when);
        // An error that changed its reason is another one; the former is over.
        if (one.is_error || one.ends_errors) kept_.resolve(one.what, one.what.when);
        if (one.is_error) kept_.add(past_kind::error, one.what);
        if (one.is_return) kept_.add(past_kind::reconnection, one.what);
        if (one.is_event) kept_.add(past_kind::event, one.what);
    }
}

awaitable<catalog::answer<std::vector<past>>> recorder::find(past_question what)
{
    auto found = co_await kept_.find(std::move(what));
    if (!found) co_return catalog::refusal{found.error()};
    co_return std::move(*found);
}

awaitable<catalog::answer<past_count>> recorder::count()
{
    auto counted = co_await kept_.count();
    if (!counted) co_return catalog::refusal{counted.error()};
    counted->dropped += missed_;
    co_return *counted;
}

} // namespace fwd::forward
