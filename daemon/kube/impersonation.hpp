// Impersonate-* request fields of a user entry. Source: Kubernetes authentication, "User impersonation".
#pragma once

#include "common/net/http_message.hpp"
#include "daemon/kube/kubeconfig.hpp"

namespace fwd::kube {

/// Empty without `as`. Errors: invalid_request where a value cannot be a header field's.
[[nodiscard]] result<http_fields> impersonation_fields(const user_entry& user);

} // namespace fwd::kube
