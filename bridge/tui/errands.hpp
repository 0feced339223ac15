// What `update` wishes from the daemon, done: REST calls whose answers come back as messages.
#pragma once

#include "bridge/rest_client.hpp"
#include "bridge/tui/message.hpp"
#include "common/async/awaitable.hpp"

#include <functional>

namespace fwd::tui {

using post = std::function<void(message)>;
using pause = std::function<awaitable<void>()>;

/// `what` is load, load_connect, load_tab, load_history, browse, add_*, remove or reconnect*. `to` outlives it.
awaitable<void> run_errand(const bridge::rest_client& rest, effect what, const post& to);
/// The lines of a pod's log as they come, until it ends or this is cancelled. `room` waits until more can be taken. All outlive it.
awaitable<void> follow_log(bridge::rest_client rest, effect what, const post& to, const pause& room);

} // namespace fwd::tui
