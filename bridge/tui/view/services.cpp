// The table of services: where each is, how it is, what flows; and where it is not active, why.
#include "bridge/tui/service_facts.hpp"
#include "bridge/tui/view/view.hpp"
#include "bridge/tui/words.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

std::string_view sign_of(const wire::service& of)
{
    if (of.status == "active") return of.verified ? "\u25cf" : "\u25cb";
    if (of.status == "error") return "\u2717";
    if (of.status == "pending" || of.status == "partial") return "\u25d0";
    return "\u25cc";
}

std::string pods_of(const wire::service& of, int width)
{
    auto count = fmt::format("{}/{}", of.pods.ready, of.pods.total);
    if (of.pods.total != 1 || of.forwards.empty() || of.forwards.front().pod_name.empty()) return count;
    const auto& pod = of.forwards.front().pod_name;
    return width_of(pod) <= width && width > 5 ? pod : count;
}

void draw_heading(canvas& on, const model& of, const std::vector<column>& columns)
{
    for (const auto& each : columns) {
        auto title = each.title;
        if (each.sort && *each.sort == of.table.by) title += of.table.reverse ? "\u25bc" : "\u25b2";
        if (each.is == column::what::in || each.is == column::what::out)
            on.put_right(each.x, 1, title, each.width, tone::heading);
        else
            on.put(each.x, 1, title, tone::heading, each.width);
    }
}

void draw_traffic(canvas& on, const model& of, const service_row& row, const column& at, int y)
{
    const auto& is = row.is;
    const auto second = second_of(of.now);
    if (at.is == column::what::graph) {
        const auto seconds = static_cast<std::size_t>(at.width);
        if (row.history.moved(second, seconds)) on.put(at.x, y, sparkline(row.history.up_to(second, seconds)), tone::graph, at.width);
        return;
    }
    const bool in = at.is == column::what::in;
    const auto bytes = of.table.totals ? static_cast<double>(in ? is.total_bytes_in : is.total_bytes_out) : in ? is.rate_in : is.rate_out;
    on.put_right(at.x, y, bytes > 0 ? short_size(bytes) : "-", at.width, bytes > 0 ? tone::plain : tone::faint);
}

void draw_row(canvas& on, const model& of, const service_row& row, const std::vector<column>& columns, int y)
{
    using enum column::what;
    const auto& is = row.is;
    const bool old = of.link == reach::gone;
    const bool chosen = of.table.chosen.contains(is.key);
    const auto state = old ? tone::faint : tone_of_status(is.status);
    const auto reason = why_of(is);
    on.put(1, y, chosen ? "\u2713" : sign_of(is), chosen ? tone::chosen : state, 1);
    for (const auto& each : columns) {
        const auto put = [&](std::string_view text, tone in) { on.put(each.x, y, fit(text, each.width), old ? tone::faint : in); };
        if (each.is == name) put(is.service_name, chosen ? tone::chosen : tone::plain);
        if (each.is == address) put(address_of(is), is.local_ip.empty() ? tone::faint : tone::accent);
        if (each.is == pod) put(pods_of(is, each.width), tone::faint);
        if (each.is == name_space) put(is.namespace_name, tone::plain);
        if (each.is == names) put(names_of(is), tone::faint);
        if (each.is == client) put(client_of(is, of.own_client), tone::accent);
        if (each.is == context) put(is.context, tone::faint);
        if (each.is == status) {
            put(is.status, state);
            // Errors are readable without opening anything: the reason takes the place of the traffic that there is not.
            if (is.status != "active" && !reason.empty()) {
                const int x = each.x + each.width + 1;
                on.put(x, y, fit(reason, of.width - x), old ? tone::faint : is.status == "unsupported" ? tone::faint : state);
                return;
            }
        }
        if (each.is == in || each.is == column::what::out || each.is == graph) draw_traffic(on, of, row, each, y);
    }
}

} // namespace

void draw_services(canvas& on, const model& of)
{
    const auto columns = columns_of(of);
    draw_heading(on, of, columns);
    const auto& keys = of.table.keys;
    if (keys.empty()) {
        if (of.link == reach::connecting) return draw_empty(on, of, "Asking the daemon...", "");
        if (of.link == reach::gone) return;
        if (!of.services.empty())
            return draw_empty(on, of, fmt::format("No service matches '{}'.", of.table.filter), "Esc shows all again.");
        return draw_empty(on, of, "Nothing is forwarded.", "f opens the clusters: choose what to forward.");
    }
    const int rows = body_rows(of);
    for (int row = 0; row < rows; ++row) {
        const auto at = of.table.place.top + row;
        if (at >= static_cast<int>(keys.size())) break;
        const auto* service = of.find(keys[static_cast<std::size_t>(at)]);
        const int y = body_top + row;
        if (service) draw_row(on, of, *service, columns, y);
        if (at == of.table.place.cursor) mark_row(on, of, y);
    }
}

} // namespace fwd::tui
