// Addresses that belong to the daemons of other users of this machine, as the hosts file tells.
#pragma once

#include "common/net/endpoint.hpp"

#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace fwd::daemon {

/// All loopback addresses in blocks of users other than `own`.
[[nodiscard]] std::set<ipv4> foreign_addresses(std::string_view hosts_text, uid_t own);
/// The same of a file; one that cannot be read has none.
[[nodiscard]] std::set<ipv4> foreign_addresses_in(const std::string& hosts_path, uid_t own);

} // namespace fwd::daemon
