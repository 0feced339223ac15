// Where one is in a list, and what of it passes a filter.
#pragma once

#include <initializer_list>
#include <string_view>

namespace fwd::tui {

/// Where the cursor of a list is, and what of the list is seen.
struct list_place {
    int cursor = 0, top = 0;
    /// Keeps both within `count` rows of which `seen` fit.
    void keep_in(int count, int seen);
};

/// Whether one of `texts` has `filter` in it, in whatever case; an empty filter passes all.
[[nodiscard]] bool passes(std::string_view filter, std::initializer_list<std::string_view> texts);

} // namespace fwd::tui
