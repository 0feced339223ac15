#include "daemon/traffic/http_log.hpp"

#include <algorithm>
#include <numeric>

namespace fwd::traffic {

namespace {

std::int64_t second_of(wall_time when)
{
    return std::chrono::floor<std::chrono::seconds>(when.time_since_epoch()).count();
}

} // namespace

std::uint64_t request_counts::total() const
{
    return std::accumulate(by_class.begin(), by_class.end(), std::uint64_t{0});
}

void http_log::end(seen_request one)
{
    forget();
    const auto digit = static_cast<std::size_t>(one.status / 100);
    by_class_[digit < by_class_.size() ? digit : 0].fetch_add(1, std::memory_order_relaxed);
    const auto now = second_of(one.at + one.took);
    auto& second = seconds_[static_cast<std::size_t>(now % window)];
    if (second.at != now) second = {now, 0};
    ++second.count;

    auto kept_one = std::make_shared<const seen_request>(std::move(one));
    if (ring_.size() < kept)
        ring_.push_back(std::move(kept_one));
    else
        ring_[next_] = std::move(kept_one);
    next_ = (next_ + 1) % kept;
}

void http_log::tls(std::string name)
{
    ++tls_connections_;
    if (name.empty() || tls_names_.size() >= kept_names || std::find(tls_names_.begin(), tls_names_.end(), name) != tls_names_.end())
        return;
    tls_names_.push_back(std::move(name));
}

request_counts http_log::counts() const
{
    request_counts made;
    for (std::size_t i = 0; i < by_class_.size(); ++i) made.by_class[i] = by_class_[i].load(std::memory_order_relaxed);
    made.in_flight = in_flight_.load(std::memory_order_relaxed);
    return made;
}

http_picture http_log::picture(wall_time now) const
{
    http_picture made;
    made.requests.reserve(ring_.size());
    for (std::size_t i = 0; i < ring_.size(); ++i) made.requests.push_back(ring_[(next_ + ring_.size() - 1 - i) % ring_.size()]);
    made.counts = counts();
    const auto last = second_of(now);
    std::uint64_t recent = 0;
    for (const auto& one : seconds_)
        if (one.at > last - window && one.at <= last) recent += one.count;
    made.per_second = static_cast<double>(recent) / window;
    made.tls_connections = tls_connections_;
    made.tls_names = tls_names_;
    return made;
}

} // namespace fwd::traffic
