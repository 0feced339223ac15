// The shapes that several tools give back, each with its schema.
#pragma once

#include "bridge/mcp/schema.hpp"
#include "bridge/tools/kit.hpp"

namespace fwd::tools {

[[nodiscard]] json::object service_schema();
/// One forwarded service. `with_forwards` adds what is known of each port's forward.
[[nodiscard]] json::object service_json(const wire::service& of, bool with_forwards);

[[nodiscard]] json::object port_schema();
[[nodiscard]] json::object connection_schema();
[[nodiscard]] json::object connection_json(const wire::connection_info& of);

[[nodiscard]] json::object check_schema();
[[nodiscard]] json::object next_schema();

/// "127.1.27.4:80, 127.1.27.4:443" or the reason why there is nothing to connect to.
[[nodiscard]] std::string where(const wire::service& of);

} // namespace fwd::tools
