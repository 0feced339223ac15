// What happened, and what a pod writes: rows and lines as they come, those that pass a filter.
#pragma once

#include "bridge/tui/canvas.hpp"
#include "bridge/tui/list_place.hpp"
#include "common/async/timing.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace fwd::tui {

struct log_row {
    std::optional<wall_time> at;
    tone in = tone::plain;
    std::string text, client;
    std::string key; ///< of the service that it is about; empty: none
};

struct log_page {
    static constexpr std::size_t most = 2000;
    std::deque<log_row> rows;
    list_place place;
    bool follow = true; ///< the newest row stays in sight
    std::string filter;
    int shift = 0; ///< columns that are left out on the left, to see the end of long lines
    /// Puts it where its time belongs; one that is there already is not put twice. Past rows come when newer ones are there.
    void add(log_row row);
};

/// Those that pass its filter.
[[nodiscard]] std::vector<const log_row*> rows_of(const log_page& of);

/// Lines of a pod as they come, and those that pass the filter.
class pod_log {
public:
    static constexpr std::size_t most = 5000;
    void add(std::string line);
    void clear();
    void set_filter(std::string text);
    [[nodiscard]] const std::string& filter() const { return filter_; }
    [[nodiscard]] std::size_t count() const { return shown_.size(); }  ///< of those that pass
    [[nodiscard]] std::size_t forgotten() const { return forgotten_; } ///< of those that passed, to make room, since it was cleared
    [[nodiscard]] bool empty() const { return lines_.empty(); }
    [[nodiscard]] const std::string& at(std::size_t index) const { return lines_[static_cast<std::size_t>(shown_[index] - first_)]; }

private:
    std::deque<std::string> lines_;
    std::deque<std::uint64_t> shown_; ///< numbers of lines, as they came
    std::uint64_t first_ = 0;         ///< the number of the first line that is kept
    std::size_t forgotten_ = 0;
    std::string filter_;
};

/// The log that the detail page follows.
struct followed_log {
    std::string pod; ///< empty: none
    pod_log lines;
    std::uint64_t number = 0; ///< of this try, so that what an earlier one brings is told apart
    bool open = false;        ///< lines may come
    bool brought = false;     ///< this try has brought some
    bool follow = true;       ///< the newest line stays in sight
    std::optional<wall_time> ended;
    std::string why; ///< why no lines come
};

} // namespace fwd::tui
