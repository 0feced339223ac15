// What is wrong and what to do about it, in the shapes that kubefwd's clients know. Pure; from the catalog, the explanation of everything
// and history.
#pragma once

#include "common/api/wire_history.hpp"
#include "common/past.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/explanation.hpp"

#include <vector>

namespace fwd::api {

/// healthy, degraded, unhealthy
[[nodiscard]] std::string health_word(const catalog::catalog& all);
[[nodiscard]] wire::analysis analysis_of(const catalog::catalog& all, const catalog::explanation& wrong);
/// What is wrong now, each with its suggestion, and then what history has that is over; `most` in all.
[[nodiscard]] wire::error_list errors_of(const catalog::catalog& all, const catalog::explanation& wrong, const std::vector<past>& errors,
                                         std::size_t most);
[[nodiscard]] wire::network_status network_of(const catalog::catalog& all);
[[nodiscard]] wire::diagnostics diagnostics_of(const catalog::catalog& all, const catalog::explanation& wrong, wall_time now);
[[nodiscard]] wire::forward_diagnostic diagnostic_of(const catalog::service& in, const catalog::forward& of, wall_time now);
[[nodiscard]] wire::service_diagnostic diagnostic_of(const catalog::service& of, const catalog::explanation& why,
                                                     const std::vector<past>& errors, wall_time now);

} // namespace fwd::api
