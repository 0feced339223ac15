// PUT /primary: which namespace of a context has the bare names.
#pragma once

#include "common/api/wire.hpp"

namespace fwd::wire {

struct set_primary {
    std::string namespace_name, context; ///< context empty: the primary one
};
/// A name that leads elsewhere than before. Absent `from`: nobody had it; absent `to`: nobody has it.
struct moved_name {
    std::string name, from, to;
};
struct primary_set {
    std::string namespace_name, context;
    std::vector<moved_name> moved;
};

} // namespace fwd::wire
