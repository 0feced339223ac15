// The command line, as each part wants to be told of it. Values to values.
#pragma once

#include "common/api/places.hpp"
#include "daemon/api/server.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/forward/supervisor.hpp"
#include "daemon/options.hpp"

#include <string>

namespace fwd::daemon {

[[nodiscard]] forward::supervisor_settings supervisor_settings_of(const options& asked, const kube::kubeconfig& config,
                                                                  const std::string& user);

/// `place`: the user's, for where files are; `machine`: as the agent answered. Who holds a port is not filled in.
[[nodiscard]] api::api_settings api_settings_of(const options& asked, const place_facts& place, const host::facts& machine);

/// What the daemon tells of itself. `user` empty: the number of `place`'s.
[[nodiscard]] catalog::identity identity_of(const host::facts& machine, const place_facts& place, const std::string& user);

} // namespace fwd::daemon
