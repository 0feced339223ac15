// What is wrong: services, contexts, namespaces.
#pragma once

#include "common/async/timing.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fwd::tui {

struct model;

/// What is wrong, one for each service, context and namespace.
struct problem_row {
    std::string key; ///< empty: not of a service
    std::string title, status, why;
    std::optional<wall_time> since;
    std::string retry; ///< "next try 07:20:01"; empty: none
};

/// The worst first.
[[nodiscard]] std::vector<problem_row> problems_of(const model& of);

} // namespace fwd::tui
