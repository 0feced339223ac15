// Client verbs that tell what was and why it is so: fwd explain, events, logs --daemon.
#pragma once

#include "bridge/cli/ask.hpp"
#include "common/api/wire_history.hpp"

namespace fwd::cli {

struct explain_arguments : service_arguments { ///< no word: everything that is wrong
    std::string since;                         ///< a time or how long ago; empty: all that is kept
};
struct event_arguments : service_arguments {
    std::string types, since; ///< types: comma separated, as the API spells them; empty: all
    int count = 50;
    bool follow = false;
};
struct daemon_log_arguments {
    std::string level, search;
    int lines = 100;
    bool follow = false;
};

/// Failed where a connection made now would not work.
awaitable<int> explain(desk at, explain_arguments what);
/// What happened, oldest first; with `follow` what happens from then on, until it is interrupted.
awaitable<int> events(desk at, event_arguments what, random_source& random);
awaitable<int> daemon_log(desk at, daemon_log_arguments what);

/// The verdict, what to do, and the timeline, for a person.
[[nodiscard]] std::string explanation_text(const wire::explanation& of, const screen& on);

} // namespace fwd::cli
