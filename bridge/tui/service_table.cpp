#include "bridge/tui/service_table.hpp"

#include "bridge/tui/canvas.hpp"
#include "bridge/tui/service_facts.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace fwd::tui {

namespace {

bool comes_before(const wire::service& a, const wire::service& b, const service_table& how)
{
    const auto by_name = [&] {
        return std::tie(a.service_name, a.namespace_name, a.context) < std::tie(b.service_name, b.namespace_name, b.context);
    };
    const auto traffic = [&](double x, double y) { return x != y ? x > y : by_name(); };
    switch (how.by) {
    case order::address: {
        // By length first, so that .9 stands before .10: good enough for one octet that grows.
        const auto x = std::pair{a.local_ip.size(), a.local_ip}, y = std::pair{b.local_ip.size(), b.local_ip};
        return x != y ? x < y : by_name();
    }
    case order::pods: return a.pods.ready != b.pods.ready ? a.pods.ready < b.pods.ready : by_name();
    case order::name_space: return a.namespace_name != b.namespace_name ? a.namespace_name < b.namespace_name : by_name();
    case order::context: return a.context != b.context ? a.context < b.context : by_name();
    case order::status:
        return rank_of_status(a.status) != rank_of_status(b.status) ? rank_of_status(a.status) < rank_of_status(b.status) : by_name();
    case order::in:
        return how.totals ? traffic(static_cast<double>(a.total_bytes_in), static_cast<double>(b.total_bytes_in))
                          : traffic(a.rate_in, b.rate_in);
    case order::out:
        return how.totals ? traffic(static_cast<double>(a.total_bytes_out), static_cast<double>(b.total_bytes_out))
                          : traffic(a.rate_out, b.rate_out);
    default: return by_name();
    }
}

} // namespace

void arrange(service_table& table, const service_rows& services, const std::string& own_client)
{
    const auto at_cursor = table.place.cursor < static_cast<int>(table.keys.size()) && table.place.cursor >= 0
                               ? table.keys[static_cast<std::size_t>(table.place.cursor)]
                               : std::string{};
    table.keys.clear();
    std::vector<const wire::service*> rows;
    table.name_width = table.address_width = table.pod_width = table.space_width = table.context_width = table.status_width = 0;
    table.names_width = table.client_width = 0;
    std::set<std::string_view> spaces, contexts;
    for (const auto& [key, row] : services) {
        const auto& is = row.is;
        contexts.insert(is.context);
        spaces.insert(is.namespace_name);
        if (!passes(table.filter, {key, is.status, is.local_ip, is.owner.client})) continue;
        rows.push_back(&is);
        table.name_width = std::max(table.name_width, width_of(is.service_name));
        table.address_width = std::max(table.address_width, static_cast<int>(address_of(is).size()));
        table.status_width = std::max(table.status_width, static_cast<int>(is.status.size()));
        table.names_width = std::max(table.names_width, width_of(names_of(is)));
        table.client_width = std::max(table.client_width, width_of(client_of(is, own_client)));
        table.space_width = std::max(table.space_width, width_of(is.namespace_name));
        table.context_width = std::max(table.context_width, width_of(is.context));
        if (!is.forwards.empty()) table.pod_width = std::max(table.pod_width, width_of(is.forwards.front().pod_name));
    }
    table.many_spaces = spaces.size() > 1;
    table.many_contexts = contexts.size() > 1;
    std::sort(rows.begin(), rows.end(), [&](const wire::service* a, const wire::service* b) {
        return table.reverse ? comes_before(*b, *a, table) : comes_before(*a, *b, table);
    });
    for (const auto* each : rows) table.keys.push_back(each->key);
    const auto again = std::find(table.keys.begin(), table.keys.end(), at_cursor);
    if (again != table.keys.end()) table.place.cursor = static_cast<int>(again - table.keys.begin());
    std::erase_if(table.chosen, [&](const std::string& key) { return !services.contains(key); });
}

} // namespace fwd::tui
