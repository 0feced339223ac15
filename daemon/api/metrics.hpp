// What flowed, as the wire and as Prometheus' text format have it. Pure.
#pragma once

#include "common/api/wire_traffic.hpp"
#include "daemon/catalog/catalog.hpp"

namespace fwd::api {

[[nodiscard]] wire::metrics_summary metrics_view(const catalog::catalog& all, wall_time now);
/// Without history.
[[nodiscard]] wire::service_metrics metrics_view(const catalog::service& of);
/// The last `points` seconds of all its forwards together, oldest first.
[[nodiscard]] std::vector<wire::metrics_point> history_view(const catalog::service& of, wall_time now, std::size_t points);

inline constexpr std::string_view prometheus_type = "text/plain; version=0.0.4; charset=utf-8";
/// Source: Prometheus exposition formats, text format 0.0.4.
[[nodiscard]] std::string prometheus_text(const catalog::catalog& all, wall_time now);

} // namespace fwd::api
