// Explanations, history and log lines, as the structs of the wire.
#pragma once

#include "common/api/wire_history.hpp"
#include "common/past.hpp"
#include "daemon/catalog/explanation.hpp"
#include "daemon/catalog/log_buffer.hpp"

namespace fwd::api {

[[nodiscard]] wire::next_step view(const catalog::next_step& from);
[[nodiscard]] wire::explanation view(const catalog::explanation& from);
[[nodiscard]] wire::past_event event_view(const past& from);
[[nodiscard]] wire::past_error error_view(const past& from);
[[nodiscard]] wire::reconnection reconnection_view(const past& from);
/// `owner`: who runs the daemon, since nobody else may ask it.
[[nodiscard]] wire::past_request request_view(const past& from, const std::string& owner);
[[nodiscard]] wire::history_stats view(const past_count& from);
[[nodiscard]] wire::log_entry view(const catalog::kept_line& from);

} // namespace fwd::api
