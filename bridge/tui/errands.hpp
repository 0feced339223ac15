// What `update` wishes from the daemon, done: REST calls whose answers come back as messages.
#pragma once

#include "bridge/rest_client.hpp"
#include "bridge/tui/message.hpp"
#include "common/async/awaitable.hpp"

#include <functional>

namespace fwd::tui {

using post = std::function<void(message)>;

/// `what` is load, load_connect, load_tab, browse, add_*, remove or reconnect*. `to` outlives it.
awaitable<void> run_errand(const bridge::rest_client& rest, effect what, const post& to);

} // namespace fwd::tui
