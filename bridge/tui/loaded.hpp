// Something that is asked for when it is looked at.
#pragma once

#include "bridge/rest_client.hpp"

#include <optional>

namespace fwd::tui {

/// Something that is asked for when it is looked at.
template <class T>
struct loaded {
    bool asked = false; ///< an answer is on its way
    std::optional<T> data;
    std::optional<bridge::rest_problem> why; ///< the last answer was this
};

} // namespace fwd::tui
