#include "bridge/tui/model.hpp"

#include "bridge/tui/words.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

namespace fwd::tui {

namespace {

constexpr std::size_t seen_seconds = 16; ///< the longest that a graph shows

/// What is worst comes first.
int rank(const std::string& status)
{
    return status == "error"      ? 0
           : status == "partial"  ? 1
           : status == "pending"  ? 2
           : status == "stopping" ? 3
           : status == "active"   ? 4
                                  : 5;
}

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
    case order::status: return rank(a.status) != rank(b.status) ? rank(a.status) < rank(b.status) : by_name();
    case order::in:
        return how.totals ? traffic(static_cast<double>(a.total_bytes_in), static_cast<double>(b.total_bytes_in))
                          : traffic(a.rate_in, b.rate_in);
    case order::out:
        return how.totals ? traffic(static_cast<double>(a.total_bytes_out), static_cast<double>(b.total_bytes_out))
                          : traffic(a.rate_out, b.rate_out);
    default: return by_name();
    }
}

std::string retry_text(const std::optional<wire::failure>& of, const model& in)
{
    if (!of || !of->next_retry_at || *of->next_retry_at <= in.now) return {};
    return "tries again by itself";
}

} // namespace

void rate_history::add(std::int64_t second, double rate)
{
    if (second <= last_ && !rates_.empty()) {
        if (second == last_) rates_.back() = std::max(rates_.back(), rate);
        return;
    }
    const auto gap = rates_.empty() ? 1 : std::min<std::int64_t>(second - last_, most);
    for (std::int64_t each = 1; each < gap; ++each) rates_.push_back(0);
    rates_.push_back(rate);
    while (rates_.size() > most) rates_.pop_front();
    last_ = second;
}

std::vector<double> rate_history::up_to(std::int64_t second, std::size_t count) const
{
    std::vector<double> out(count, 0.0);
    for (std::size_t back = 0; back < count; ++back) {
        const auto at = last_ - (second - static_cast<std::int64_t>(back)); // places before the last rate
        if (at >= 0 && at < static_cast<std::int64_t>(rates_.size()))
            out[count - 1 - back] = rates_[rates_.size() - 1 - static_cast<std::size_t>(at)];
    }
    return out;
}

bool rate_history::moved(std::int64_t second, std::size_t count) const
{
    const auto seen = up_to(second, count);
    return std::any_of(seen.begin(), seen.end(), [](double each) { return each > 0; });
}

void list_place::keep_in(int count, int seen)
{
    seen = std::max(seen, 1);
    cursor = std::clamp(cursor, 0, std::max(count - 1, 0));
    top = std::clamp(top, cursor - seen + 1, cursor);
    top = std::clamp(top, 0, std::max(count - seen, 0));
}

void log_page::add(log_row row)
{
    auto behind = rows.end();
    while (behind != rows.begin() && row.at && std::prev(behind)->at && *std::prev(behind)->at > *row.at) --behind;
    for (auto same = behind; same != rows.begin() && std::prev(same)->at == row.at; --same)
        if (std::prev(same)->text == row.text) return;
    if (place.cursor >= static_cast<int>(behind - rows.begin())) ++place.cursor;
    rows.insert(behind, std::move(row));
    while (rows.size() > most) {
        rows.pop_front();
        if (place.cursor > 0) --place.cursor;
    }
}

void pod_log::add(std::string line)
{
    if (passes(filter_, {line})) shown_.push_back(first_ + lines_.size());
    lines_.push_back(std::move(line));
    if (lines_.size() <= most) return;
    if (!shown_.empty() && shown_.front() == first_) {
        shown_.pop_front();
        ++forgotten_;
    }
    lines_.pop_front();
    ++first_;
}

void pod_log::clear()
{
    lines_.clear();
    shown_.clear();
    forgotten_ = 0;
}

void pod_log::set_filter(std::string text)
{
    filter_ = std::move(text);
    shown_.clear();
    for (std::size_t at = 0; at < lines_.size(); ++at)
        if (passes(filter_, {lines_[at]})) shown_.push_back(first_ + at);
}

list_place& place_of(model& of)
{
    switch (of.at) {
    case page::errors: return of.errors;
    case page::log: return of.log.place;
    case page::browse: return of.browse.place;
    case page::detail: return of.detail.place;
    case page::help: return of.help;
    default: return of.table.place;
    }
}

const std::string* filter_of(const model& of)
{
    switch (of.at) {
    case page::services: return &of.table.filter;
    case page::log: return &of.log.filter;
    case page::browse: return &of.browse.filter;
    case page::detail:
        if (of.detail.at == tab::pod_log) return &of.detail.log.lines.filter();
        return of.detail.at == tab::info ? nullptr : &of.detail.filter;
    default: return nullptr;
    }
}

void set_filter(model& of, std::string text)
{
    switch (of.at) {
    case page::services: of.table.filter = std::move(text); return arrange(of);
    case page::log:
        of.log.filter = std::move(text);
        of.log.follow = true;
        return;
    case page::browse: of.browse.filter = std::move(text); return;
    case page::detail:
        if (of.detail.at == tab::pod_log) {
            of.detail.log.lines.set_filter(std::move(text));
            of.detail.log.follow = true;
        } else if (of.detail.at != tab::info)
            of.detail.filter = std::move(text);
        return;
    default: return;
    }
}

bool* follow_of(model& of)
{
    if (of.at == page::log) return &of.log.follow;
    if (of.at == page::detail && of.detail.at == tab::pod_log) return &of.detail.log.follow;
    return nullptr;
}

int* shift_of(model& of)
{
    return of.at == page::log ? &of.log.shift : of.at == page::detail ? &of.detail.shift : nullptr;
}

bool passes(std::string_view filter, std::initializer_list<std::string_view> texts)
{
    if (filter.empty()) return true;
    const auto wanted = lower(filter);
    return std::any_of(texts.begin(), texts.end(), [&](std::string_view each) { return lower(each).find(wanted) != std::string::npos; });
}

const service_row* model::find(const std::string& key) const
{
    const auto found = services.find(key);
    return found == services.end() ? nullptr : &found->second;
}

std::optional<wall_time> model::wake_at() const
{
    std::optional<wall_time> out;
    const auto no_later = [&](wall_time when) { out = out ? std::min(*out, when) : when; };
    if (!say.text.empty()) no_later(say.until);
    if (link == reach::there && !loading && (stale_all || stale_status || !stale_keys.empty())) no_later(next_load);
    if (link == reach::there && at == page::detail && detail.stale && !detail.data.asked) no_later(detail.next_load);
    const auto second = second_of(now);
    const auto is_moving = [&](const auto& each) { return each.second.history.moved(second, seen_seconds + 1); };
    if (at == page::services && std::any_of(services.begin(), services.end(), is_moving))
        no_later(wall_time{std::chrono::seconds{second + 1}});
    return out;
}

void arrange(model& of)
{
    auto& table = of.table;
    const auto at_cursor = table.place.cursor < static_cast<int>(table.keys.size()) && table.place.cursor >= 0
                               ? table.keys[static_cast<std::size_t>(table.place.cursor)]
                               : std::string{};
    table.keys.clear();
    std::vector<const wire::service*> rows;
    table.name_width = table.address_width = table.pod_width = table.space_width = table.context_width = table.status_width = 0;
    table.names_width = table.client_width = 0;
    std::set<std::string_view> spaces, contexts;
    for (const auto& [key, row] : of.services) {
        const auto& is = row.is;
        contexts.insert(is.context);
        spaces.insert(is.namespace_name);
        if (!passes(table.filter, {key, is.status, is.local_ip, is.owner.client})) continue;
        rows.push_back(&is);
        table.name_width = std::max(table.name_width, width_of(is.service_name));
        table.address_width = std::max(table.address_width, static_cast<int>(address_of(is).size()));
        table.status_width = std::max(table.status_width, static_cast<int>(is.status.size()));
        table.names_width = std::max(table.names_width, width_of(names_of(is)));
        table.client_width = std::max(table.client_width, width_of(client_of(is, of)));
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
    std::erase_if(table.chosen, [&](const std::string& key) { return !of.services.contains(key); });
}

std::vector<problem_row> problems_of(const model& of)
{
    std::vector<problem_row> out;
    for (const auto& each : of.health.contexts)
        if (!each.error.empty() || !each.waiting_for.empty()) {
            const auto why = each.waiting_for.empty() ? each.error : "waiting for " + each.waiting_for;
            out.push_back({{},
                           "context " + each.name,
                           each.error.empty() ? "waiting" : "error",
                           why,
                           each.last_error ? each.last_error->at : std::nullopt,
                           retry_text(each.last_error, of)});
        }
    for (const auto& each : of.health.problems)
        if (!of.services.contains(each.service_key) && !each.message.empty()) {
            const auto told = [&](const problem_row& one) { return one.why == each.message; };
            if (std::any_of(out.begin(), out.end(), told)) continue;
            out.push_back({{}, each.service_key.empty() ? "fwd" : each.service_key, each.status, each.message, {}, {}});
        }
    std::vector<const wire::service*> services;
    for (const auto& [key, row] : of.services)
        if ((row.is.status != "active" && row.is.status != "unsupported") || !row.is.conflicts.empty()) services.push_back(&row.is);
    std::stable_sort(services.begin(), services.end(),
                     [](const wire::service* a, const wire::service* b) { return rank(a->status) < rank(b->status); });
    for (const auto* each : services) {
        const auto why = why_of(*each);
        out.push_back({each->key, each->key, each->status, why.empty() ? "the daemon gives no reason" : why, each->since,
                       retry_text(each->last_error, of)});
    }
    return out;
}

std::vector<const browse_item*> items_of(const browse_page& of)
{
    std::vector<const browse_item*> out;
    if (of.items.data)
        for (const auto& each : *of.items.data)
            if (passes(of.filter, {each.name, each.more})) out.push_back(&each);
    return out;
}

std::vector<const log_row*> rows_of(const log_page& of)
{
    std::vector<const log_row*> out;
    for (const auto& each : of.rows)
        if (passes(of.filter, {each.text, each.client})) out.push_back(&each);
    return out;
}

std::string why_of(const wire::service& of)
{
    auto why = of.reason;
    if (why.empty() && of.status != "active")
        for (const auto& each : of.forwards)
            if (!each.error.empty()) {
                why = fmt::format("port {}: {}", each.local_port, each.error);
                break;
            }
    if (why.empty() && of.status == "unsupported" && !of.unsupported_ports.empty()) why = of.unsupported_ports.front().reason;
    for (const auto& each : of.conflicts) why += fmt::format("{}name {} is held by {}", why.empty() ? "" : "; ", each.name, each.held_by);
    return why;
}

std::string pod_of(const wire::service& of)
{
    for (const auto& each : of.forwards)
        if (!each.pod_name.empty()) return each.pod_name;
    return {};
}

tone tone_of_status(std::string_view status)
{
    if (iequals(status, "active")) return tone::good;
    if (iequals(status, "error")) return tone::bad;
    if (iequals(status, "pending") || iequals(status, "partial") || iequals(status, "connecting") || status == "waiting")
        return tone::attention;
    return tone::faint;
}

std::string address_of(const wire::service& of)
{
    if (of.local_ip.empty()) return "-";
    if (of.forwards.empty()) return of.local_ip;
    auto out = fmt::format("{}:{}", of.local_ip, of.forwards.front().local_port);
    if (of.forwards.size() > 1) out += fmt::format("+{}", of.forwards.size() - 1);
    return out;
}

std::string names_of(const wire::service& of)
{
    return join(of.hostnames, "  ");
}

std::string client_of(const wire::service& is, const model& of)
{
    return is.owner.client == of.own_client ? std::string{} : is.owner.client;
}

std::string best_address(const wire::service& of)
{
    const auto& host = of.hostnames.empty() ? of.local_ip : of.hostnames.front();
    if (host.empty()) return {};
    return of.forwards.empty() ? host : fmt::format("{}:{}", host, of.forwards.front().local_port);
}

} // namespace fwd::tui
