// "postgres in staging": which services of the cluster somebody may mean.
#pragma once

#include "common/api/wire.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fwd::tools {

/// What a query asks for, its namespace taken out ("redis in staging", "staging redis" stays as it is).
struct service_search {
    std::string words;
    std::string name_space; ///< empty: anywhere
};
[[nodiscard]] service_search parse_query(std::string_view query);

struct match {
    wire::k8s_service service;
    std::string why;
    int worth = 0; ///< higher is better
};

/// Why `service` fits `words`, or worth 0. A whole name beats a kind (port, name), which beats a part of the name.
[[nodiscard]] match rate(const wire::k8s_service& service, std::string_view words);
/// The matches of the best worth among `services`.
[[nodiscard]] std::vector<match> best_matches(const std::vector<wire::k8s_service>& services, std::string_view words);

} // namespace fwd::tools
