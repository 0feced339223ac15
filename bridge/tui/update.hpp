// A key or an event to the next model, and to what is to be done for it. Pure but for the model it changes.
#pragma once

#include "bridge/tui/message.hpp"

namespace fwd::tui {

[[nodiscard]] std::vector<effect> update(model& of, const message& what, wall_time now);

} // namespace fwd::tui
