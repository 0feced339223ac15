// "postgres in staging": which services of the clusters somebody may mean.
#pragma once

#include "common/api/wire_cluster.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fwd::tools {

/// What a query asks for, its place taken out ("redis in staging"; "staging redis" stays as it is).
struct service_search {
    std::string words; ///< with spaces between; "database", "the" and such left out
    std::string place; ///< a namespace, or failing that a context; empty: anywhere
};
[[nodiscard]] service_search parse_query(std::string_view query);

/// Those that fit best: a whole name beats a kind, which beats a part of a name. In the order given.
[[nodiscard]] std::vector<wire::found_service> best_of(std::vector<wire::found_service> all);

} // namespace fwd::tools
