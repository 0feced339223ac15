#include "bridge/tui/list_place.hpp"

#include "common/text.hpp"

#include <algorithm>
#include <string>

namespace fwd::tui {

void list_place::keep_in(int count, int seen)
{
    seen = std::max(seen, 1);
    cursor = std::clamp(cursor, 0, std::max(count - 1, 0));
    top = std::clamp(top, cursor - seen + 1, cursor);
    top = std::clamp(top, 0, std::max(count - seen, 0));
}

bool passes(std::string_view filter, std::initializer_list<std::string_view> texts)
{
    if (filter.empty()) return true;
    const auto wanted = lower(filter);
    return std::any_of(texts.begin(), texts.end(), [&](std::string_view each) { return lower(each).find(wanted) != std::string::npos; });
}

} // namespace fwd::tui
