#include "bridge/tui/logs.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fwd::tui {

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

std::vector<const log_row*> rows_of(const log_page& of)
{
    std::vector<const log_row*> out;
    for (const auto& each : of.rows)
        if (passes(of.filter, {each.text, each.client})) out.push_back(&each);
    return out;
}

} // namespace fwd::tui
