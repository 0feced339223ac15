// Who is alive: one daemon per user holds /run/fwd/UID.lock; what others left behind is theirs no more and is removed.
#pragma once

#include "daemon/host/aliases.hpp"
#include "daemon/host/hosts_file.hpp"

namespace fwd::host {

/// Takes `root`/UID.lock for this process and writes its id into it. Errors: errc::already_exists naming the process that holds it.
[[nodiscard]] result<descriptor> take_lock(const std::string& root, uid_t uid);
/// The process that holds the lock of `uid`'s daemon, or 0.
[[nodiscard]] pid_t lock_holder(const std::string& root, uid_t uid);
/// Makes `root`, open to look at, and inside it `uid`'s own folder, 0700. Returns the latter's path.
[[nodiscard]] result<std::string> make_run_folder(const std::string& root, uid_t uid, gid_t gid);
/// Removes hosts blocks and aliases of daemons that are not alive, and of `own`, and mends a half-written hosts file.
/// What was done or could not be, for a person.
[[nodiscard]] std::vector<std::string> remove_leftovers(const std::string& root, hosts_file& hosts, aliases* addresses,
                                                        std::optional<uid_t> own);

} // namespace fwd::host
