#include "daemon/api/http_views.hpp"

#include "daemon/api/query.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

namespace fwd::api {

namespace {

constexpr std::size_t most_paths = 10;

double milliseconds(duration of)
{
    return std::chrono::duration<double, std::milli>(of).count();
}

wall_time ended(const traffic::seen_request& one)
{
    return one.at + one.took;
}

std::vector<wire::http_path_count> most_asked(std::span<const traffic::http_picture> from)
{
    std::unordered_map<std::string_view, std::uint64_t> counts;
    for (const auto& picture : from)
        for (const auto& one : picture.requests) ++counts[one->path];
    std::vector<wire::http_path_count> made;
    for (const auto& [path, count] : counts) made.push_back({std::string{path}, count});
    const auto kept = std::min(most_paths, made.size());
    std::partial_sort(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(kept), made.end(),
                      [](const auto& a, const auto& b) { return a.count != b.count ? a.count > b.count : a.path < b.path; });
    made.resize(kept);
    return made;
}

/// The nearest rank: as many hundredths of them took no longer.
double percentile(std::vector<double>& sorted, std::size_t hundredths)
{
    return sorted[(sorted.size() * hundredths + 99) / 100 - 1];
}

void set_percentiles(wire::http_summary& to, std::span<const traffic::http_picture> from)
{
    std::vector<double> took;
    for (const auto& picture : from)
        for (const auto& one : picture.requests)
            if (one->status != 0 && one->cut == traffic::cut_by::nobody) took.push_back(milliseconds(one->took));
    if (took.empty()) return;
    std::sort(took.begin(), took.end());
    to.p50_ms = percentile(took, 50);
    to.p95_ms = percentile(took, 95);
}

} // namespace

std::vector<passed_request> newest(std::span<const traffic::http_picture> from, const http_wanted& wanted)
{
    std::vector<passed_request> made;
    for (std::size_t i = 0; i < from.size(); ++i)
        for (const auto& one : from[i].requests)
            if (one->status >= wanted.least_status && contains(one->path, wanted.path_part)) made.push_back({one, i});
    std::stable_sort(made.begin(), made.end(), [](const auto& a, const auto& b) { return ended(*a.seen) > ended(*b.seen); });
    if (made.size() > wanted.count) made.resize(wanted.count);
    return made;
}

wire::http_entry view(const traffic::seen_request& from)
{
    wire::http_entry made;
    made.timestamp = from.at;
    made.method = from.method;
    made.path = from.path;
    made.host = from.host;
    if (from.status != 0) made.status_code = from.status;
    made.duration_ms = milliseconds(from.took);
    made.duration = fmt::format("{:.3f}ms", made.duration_ms);
    made.size = from.response_bytes;
    made.request_size = from.request_bytes;
    made.protocol = name_of(from.protocol);
    if (from.grpc_status) made.grpc_status = *from.grpc_status;
    made.pod_name = from.pod;
    made.cut_by = name_of(from.cut);
    return made;
}

wire::http_summary summary_view(std::span<const traffic::http_picture> from)
{
    wire::http_summary made;
    const std::array<std::uint64_t*, 6> classes{&made.unanswered, &made.informational, &made.successful,
                                                &made.redirected, &made.client_errors, &made.server_errors};
    for (const auto& picture : from) {
        made.total_requests += picture.counts.total();
        made.in_flight += picture.counts.in_flight;
        for (std::size_t i = 0; i < classes.size(); ++i) *classes[i] += picture.counts.by_class[i];
        made.requests_per_second += picture.per_second;
        made.tls_connections += picture.tls_connections;
        for (const auto& name : picture.tls_names)
            if (std::find(made.tls_names.begin(), made.tls_names.end(), name) == made.tls_names.end()) made.tls_names.push_back(name);
        for (const auto& one : picture.requests)
            if (!made.last_request || one->at > *made.last_request) made.last_request = one->at;
    }
    made.top_paths = most_asked(from);
    set_percentiles(made, from);
    return made;
}

} // namespace fwd::api
