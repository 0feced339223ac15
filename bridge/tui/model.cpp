#include "bridge/tui/model.hpp"

#include "bridge/tui/words.hpp"

#include <algorithm>

namespace fwd::tui {

namespace {

constexpr std::size_t seen_seconds = 16; ///< the longest that a graph shows

} // namespace

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
    arrange(of.table, of.services, of.own_client);
}

} // namespace fwd::tui
