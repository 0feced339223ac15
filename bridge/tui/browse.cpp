#include "bridge/tui/browse.hpp"

namespace fwd::tui {

std::vector<const browse_item*> items_of(const browse_page& of)
{
    std::vector<const browse_item*> out;
    if (of.items.data)
        for (const auto& each : *of.items.data)
            if (passes(of.filter, {each.name, each.more})) out.push_back(&each);
    return out;
}

} // namespace fwd::tui
