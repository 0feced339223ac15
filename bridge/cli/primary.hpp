// fwd use: which namespace has the bare names.
#pragma once

#include "bridge/cli/verbs.hpp"

namespace fwd::cli {

struct use_arguments {
    std::string word; ///< NS, NS/ or CTX/NS
    std::string context;
};

/// Says which names moved.
awaitable<int> use(desk at, use_arguments what);

} // namespace fwd::cli
