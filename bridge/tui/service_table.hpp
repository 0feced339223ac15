// The services and the table that shows them.
#pragma once

#include "bridge/tui/list_place.hpp"
#include "bridge/tui/rate_history.hpp"
#include "common/api/wire.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fwd::tui {

struct service_row {
    wire::service is;
    rate_history history;
    std::optional<wall_time> sampled;
    /// What rates grow from: the bytes of the last event, or of the list. An answer about this service alone may be ahead of its events.
    std::uint64_t counted_in = 0, counted_out = 0;
};

/// By their keys.
using service_rows = std::map<std::string, service_row>;

enum class order { name, address, pods, name_space, context, status, in, out };

struct service_table {
    list_place place;
    std::vector<std::string> keys; ///< in the order shown
    std::string filter;
    std::set<std::string> chosen;
    order by = order::name;
    bool reverse = false;
    bool totals = false;  ///< bytes so far instead of bytes per second
    bool compact = false; ///< fewer columns
    // Widths that the longest values want.
    int name_width = 0, address_width = 0, pod_width = 0, space_width = 0, context_width = 0, status_width = 0;
    int names_width = 0, client_width = 0; ///< client_width 0: nobody but us asked for anything
    bool many_spaces = false, many_contexts = false;
};

/// Puts the table in order: filter, sort, cursor on the service where it was. `own_client`: our Fwd-Client.
void arrange(service_table& table, const service_rows& services, const std::string& own_client);

} // namespace fwd::tui
