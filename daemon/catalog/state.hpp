// The states of forwards, services and the whole, as every face shows them.
#pragma once

#include <string_view>

namespace fwd::catalog {

enum class forward_state { active, connecting, pending, error, stopping };
/// local: it runs on this machine, its names lead here and nothing is forwarded.
enum class service_state { active, partial, pending, error, stopping, unsupported, local };
enum class health { ok, degraded, error };

[[nodiscard]] std::string_view name_of(forward_state state); ///< "Active", ...
[[nodiscard]] std::string_view name_of(service_state state); ///< "active", ...
[[nodiscard]] std::string_view name_of(health state);        ///< "ok", ...

} // namespace fwd::catalog
