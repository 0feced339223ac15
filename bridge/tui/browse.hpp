// What the clusters have, level by level.
#pragma once

#include "bridge/tui/list_place.hpp"
#include "bridge/tui/loaded.hpp"

#include <set>
#include <string>
#include <vector>

namespace fwd::tui {

enum class browse_level { contexts, namespaces, services };
struct browse_item {
    std::string name, more;
    bool forwarded = false;
    std::string why; ///< why nothing can be had of it; empty: fine
};
struct browse_page {
    browse_level level = browse_level::contexts;
    std::string context, name_space;
    loaded<std::vector<browse_item>> items;
    list_place place;
    std::string filter;
    std::set<std::string> chosen;
};

/// Items that pass its filter.
[[nodiscard]] std::vector<const browse_item*> items_of(const browse_page& of);

} // namespace fwd::tui
