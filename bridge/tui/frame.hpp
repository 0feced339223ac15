// From one picture to the next: the bytes that turn what a terminal shows into what it should.
#pragma once

#include "bridge/tui/theme.hpp"

#include <string>

namespace fwd::tui {

/// `before` null or of another size: all is drawn. Empty when nothing differs. One string, so one write.
/// A character whose width terminals disagree about cannot move its neighbours: what follows it is placed anew.
[[nodiscard]] std::string frame(const canvas* before, const canvas& now, const theme& looks);

} // namespace fwd::tui
