// A daemon of another version than ours: what that means for a call that it refuses or answers in a way we cannot read.
#pragma once

#include "bridge/rest_client.hpp"

#include <compare>
#include <string_view>

namespace fwd::bridge {

/// By their numbers between dots, "0.10.0" behind "0.9.2"; what is no number counts as none.
[[nodiscard]] std::strong_ordering compare_versions(std::string_view left, std::string_view right);

/// How `daemons` stands to this program: "older than this fwd 0.1.0"; empty where both are the same.
[[nodiscard]] std::string version_gap(std::string_view daemons);

/// Whether `why` may come from a daemon that does not know the call as we make it, so that its version is worth asking for.
[[nodiscard]] bool may_be_of_other_version(const rest_problem& why);

/// `why` of a daemon of version `daemons` (empty: it does not tell), seen in that light: daemon_too_old or daemon_too_new where the call
/// is unknown to it, with what to do; the same problem with a word about the version where that is not sure.
[[nodiscard]] rest_problem in_light_of_version(rest_problem why, std::string_view daemons);

} // namespace fwd::bridge
