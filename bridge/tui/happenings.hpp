// Events in words, for the log page.
#pragma once

#include "bridge/tui/model.hpp"

#include <optional>

namespace fwd::tui {

/// What an event says to a reader, and by whom where that is not `own_client`; nothing: not worth a line.
[[nodiscard]] std::optional<log_row> row_of(const wire::event& what, const std::string& own_client);
/// A record of the daemon's history as the event that it was.
[[nodiscard]] wire::event as_event(const wire::past_event& from);

} // namespace fwd::tui
