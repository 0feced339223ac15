// Leased addresses shown on lo as /32 with a label that says whose they are, by rtnetlink (man 7 rtnetlink).
#pragma once

#include "daemon/host/descriptor.hpp"
#include "daemon/host/types.hpp"

#include <linux/rtnetlink.h>
#include <map>
#include <optional>
#include <span>
#include <sys/types.h>

namespace fwd::host {

/// "lo:fwd" and the uid in base 36; a label holds 15 characters.
[[nodiscard]] std::string alias_label(uid_t uid);
[[nodiscard]] std::optional<uid_t> label_owner(std::string_view label);

class aliases {
public:
    [[nodiscard]] static result<aliases> open();
    /// Adds to lo. One that is there already, whoever made it, is left as it is. Errors: the first refusal.
    [[nodiscard]] result<void> add(std::span<const ipv4> addresses, uid_t owner) { return change(RTM_NEWADDR, addresses, owner); }
    /// Removes; those that are not there or have another label are left alone.
    [[nodiscard]] result<void> drop(std::span<const ipv4> addresses, uid_t owner) { return change(RTM_DELADDR, addresses, owner); }

private:
    explicit aliases(descriptor socket) : socket_{std::move(socket)} {}
    [[nodiscard]] result<void> change(std::uint16_t type, std::span<const ipv4> addresses, uid_t owner);
    descriptor socket_;
};

/// What labels say of the addresses that are there now.
[[nodiscard]] std::map<uid_t, std::vector<ipv4>> aliases_by_owner();

} // namespace fwd::host
